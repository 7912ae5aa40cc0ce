locals {
  # A rule's filter can have a prefix but no suffix, so a rule that expires sessions expires everything under the prefix.
  expirations = merge([
    for name, tenant in var.tenants : {
      "${name}-artifacts" = { prefix = "${local.roots[name]}artifacts/", days = tenant.artifacts_expiration_days }
      "${name}-traces"    = { prefix = "${local.roots[name]}traces/", days = tenant.traces_expiration_days }
      "${name}-sessions"  = { prefix = local.roots[name], days = tenant.sessions_expiration_days }
    }
  ]...)
}

resource "aws_s3_bucket_lifecycle_configuration" "sessions" {
  bucket     = aws_s3_bucket.sessions.id
  depends_on = [aws_s3_bucket_versioning.sessions]

  rule {
    id     = "cleanup"
    status = "Enabled"
    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = var.abort_incomplete_multipart_upload_days
    }

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_version_expiration_days
    }

    expiration {
      expired_object_delete_marker = true
    }
  }

  # Leases and catalogs change often, and nobody needs what they were.
  dynamic "rule" {
    for_each = local.roots

    content {
      id     = "${rule.key}-bookkeeping"
      status = "Enabled"

      filter {
        prefix = "${rule.value}.sessionbucket/"
      }

      noncurrent_version_expiration {
        noncurrent_days = 1
      }
    }
  }

  dynamic "rule" {
    for_each = { for id, expiration in local.expirations : id => expiration if expiration.days != null }

    content {
      id     = rule.key
      status = "Enabled"

      filter {
        prefix = rule.value.prefix
      }

      expiration {
        days = rule.value.days
      }
    }
  }

  lifecycle {
    precondition {
      condition = alltrue([
        for tenant in values(var.tenants) :
        tenant.sessions_expiration_days == null ? true : var.abort_incomplete_multipart_upload_days <= tenant.sessions_expiration_days
      ])
      error_message = "abort_incomplete_multipart_upload_days cannot be longer than a tenant's sessions_expiration_days: parts of an upload would outlive everything else under the prefix."
    }
  }
}
