resource "aws_s3_bucket" "sessions" {
  bucket        = var.bucket_name
  force_destroy = var.force_destroy
  tags          = var.tags
}

resource "aws_s3_bucket_versioning" "sessions" {
  bucket = aws_s3_bucket.sessions.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "sessions" {
  bucket = aws_s3_bucket.sessions.id

  rule {
    # One data key for the bucket instead of one for each object, so that a save costs no request to KMS.
    bucket_key_enabled = var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }

  lifecycle {
    precondition {
      condition     = var.kms_key_arn == null ? true : split(":", var.kms_key_arn)[3] == aws_s3_bucket.sessions.region
      error_message = "kms_key_arn names a key in another region than the bucket's, ${aws_s3_bucket.sessions.region}: S3 would refuse every write. Use a key of that region, or a replica there of a multi-Region key."
    }
  }
}
