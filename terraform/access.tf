data "aws_partition" "current" {}

module "policies" {
  source = "./policies"

  bucket_arn                 = aws_s3_bucket.sessions.arn
  roots                      = local.roots
  enforce_conditional_writes = var.enforce_conditional_writes
  kms_key_arn                = var.kms_key_arn
  s3_service                 = "s3.${aws_s3_bucket.sessions.region}.${data.aws_partition.current.dns_suffix}"
}

resource "aws_s3_bucket_public_access_block" "sessions" {
  bucket = aws_s3_bucket.sessions.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "sessions" {
  bucket = aws_s3_bucket.sessions.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_policy" "sessions" {
  bucket = aws_s3_bucket.sessions.id
  policy = module.policies.bucket

  # S3 refuses concurrent changes of a bucket's access.
  depends_on = [aws_s3_bucket_public_access_block.sessions]

  lifecycle {
    precondition {
      condition     = length(module.policies.bucket) <= 20480
      error_message = "The bucket's policy would have ${length(module.policies.bucket)} bytes, and the limit of S3 is 20,480: enforce_conditional_writes adds the folders of each tenant to it, as one pattern. Use shorter prefixes, or more buckets."
    }
  }
}

resource "aws_iam_policy" "agent" {
  for_each = module.policies.agent

  name        = "${var.bucket_name}.${each.key}.agent"
  description = "Reads and writes the sessions of ${each.key} in ${var.bucket_name}."
  policy      = each.value
  tags        = var.tags
}

resource "aws_iam_policy" "reader" {
  for_each = module.policies.reader

  name        = "${var.bucket_name}.${each.key}.reader"
  description = "Reads the sessions of ${each.key} in ${var.bucket_name}."
  policy      = each.value
  tags        = var.tags
}

resource "aws_iam_policy" "historian" {
  for_each = contains(var.extra_roles, "historian") ? module.policies.historian : {}

  name        = "${var.bucket_name}.${each.key}.historian"
  description = "Reads the old versions of the sessions of ${each.key} in ${var.bucket_name}."
  policy      = each.value
  tags        = var.tags
}

resource "aws_iam_policy" "eraser" {
  for_each = contains(var.extra_roles, "eraser") ? module.policies.eraser : {}

  name        = "${var.bucket_name}.${each.key}.eraser"
  description = "Erases the sessions, with all their versions, of ${each.key} in ${var.bucket_name}."
  policy      = each.value
  tags        = var.tags
}
