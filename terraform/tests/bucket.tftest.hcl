# The settings of the bucket: the defaults, and those of the variables.

mock_provider "aws" {
  source = "./tests/aws"
}

variables {
  bucket_name = "acme-sessions"
  tenants     = { agent = { prefix = "agents/prod" } }
}

run "defaults" {
  assert {
    condition     = aws_s3_bucket_versioning.sessions.versioning_configuration[0].status == "Enabled"
    error_message = "The bucket keeps no versions."
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.sessions.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"
    error_message = "The bucket is not encrypted with S3's keys."
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.sessions.block_public_acls,
      aws_s3_bucket_public_access_block.sessions.block_public_policy,
      aws_s3_bucket_public_access_block.sessions.ignore_public_acls,
      aws_s3_bucket_public_access_block.sessions.restrict_public_buckets,
    ])
    error_message = "Public access is not blocked."
  }

  assert {
    condition     = aws_s3_bucket_ownership_controls.sessions.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "The bucket's owner does not own the objects."
  }

  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.sessions.rule : rule.id] == ["cleanup", "agent-bookkeeping"]
    error_message = "Something expires although no variable says so."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.sessions.rule[0].abort_incomplete_multipart_upload[0].days_after_initiation == 1
    error_message = "The parts of interrupted uploads stay."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.sessions.rule[0].noncurrent_version_expiration[0].noncurrent_days == 30
    error_message = "Old versions stay."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.sessions.rule[1].filter[0].prefix == "agents/prod/.sessionbucket/" && aws_s3_bucket_lifecycle_configuration.sessions.rule[1].noncurrent_version_expiration[0].noncurrent_days == 1
    error_message = "Old versions of leases and catalogs stay."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.sessions.rule[0].expiration[0].expired_object_delete_marker
    error_message = "Delete markers stay."
  }

  assert {
    condition     = !aws_s3_bucket.sessions.force_destroy
    error_message = "A destroy would remove the sessions."
  }

  assert {
    condition     = output.store_urls == { agent = "s3://acme-sessions/agents/prod?region=eu-central-1" }
    error_message = "The store's URL is wrong."
  }
}

run "every_variable" {
  variables {
    kms_key_arn                            = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    noncurrent_version_expiration_days     = 7
    abort_incomplete_multipart_upload_days = 2
    force_destroy                          = true
    tags                                   = { team = "agents" }
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.sessions.rule).apply_server_side_encryption_by_default[0].kms_master_key_id == var.kms_key_arn
    error_message = "The bucket is not encrypted with the key."
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.sessions.rule).bucket_key_enabled
    error_message = "Each object would cost a request to KMS."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.sessions.rule[0].noncurrent_version_expiration[0].noncurrent_days == 7
    error_message = "Old versions do not expire after the given days."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.sessions.rule[0].abort_incomplete_multipart_upload[0].days_after_initiation == 2
    error_message = "Uploads are not aborted after the given days."
  }

  assert {
    condition     = aws_s3_bucket.sessions.force_destroy && aws_s3_bucket.sessions.tags == tomap({ team = "agents" })
    error_message = "force_destroy or the tags did not reach the bucket."
  }
}

run "expirations" {
  variables {
    tenants = {
      support = {
        prefix                    = "support"
        artifacts_expiration_days = 90
        traces_expiration_days    = 30
      }
      research = {
        prefix                   = "research/2026"
        sessions_expiration_days = 365
      }
    }
  }

  assert {
    condition = {
      for rule in slice(aws_s3_bucket_lifecycle_configuration.sessions.rule, 3, 6) : rule.filter[0].prefix => rule.expiration[0].days
      } == {
      "support/artifacts/" = 90
      "support/traces/"    = 30
      "research/2026/"     = 365
    }
    error_message = "The expirations are not the given ones."
  }

  assert {
    condition     = alltrue([for rule in aws_s3_bucket_lifecycle_configuration.sessions.rule : rule.status == "Enabled"])
    error_message = "A rule is switched off."
  }
}

run "a_key_of_another_region_is_refused" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  }

  override_resource {
    target = aws_s3_bucket.sessions
    values = { region = "eu-central-1" }
  }

  expect_failures = [aws_s3_bucket_server_side_encryption_configuration.sessions]
}

run "uploads_that_outlive_the_sessions_are_refused" {
  command = plan

  variables {
    tenants                                = { agent = { prefix = "agents/prod", sessions_expiration_days = 7 } }
    abort_incomplete_multipart_upload_days = 8
  }

  expect_failures = [aws_s3_bucket_lifecycle_configuration.sessions]
}
