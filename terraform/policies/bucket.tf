locals {
  bucket_and_objects = [var.bucket_arn, "${var.bucket_arn}/*"]

  # Everything under the prefixes except the sessions, which are the only keys directly under a prefix. A wildcard also matches
  # slashes, and no prefix lies under another.
  folders = [for root in values(var.roots) : "${root}*/*"]

  tls_statements = [
    {
      Sid       = "DenyPlainHTTP"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = local.bucket_and_objects
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    },
    {
      Sid       = "DenyOldTLS"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = local.bucket_and_objects
      Condition = { NumericLessThan = { "s3:TlsVersion" = "1.2" } }
    },
  ]

  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
  conditional_write_statement = {
    Sid         = "DenyUnconditionalSessionWrites"
    Effect      = "Deny"
    Principal   = "*"
    Action      = "s3:PutObject"
    NotResource = [for folder in local.folders : "${var.bucket_arn}/${folder}"]
    Condition = {
      Null = { "s3:if-match" = "true", "s3:if-none-match" = "true" }
      # False for the requests that start and send a multipart upload, which carry no condition. True for the one that completes it.
      Bool = { "s3:ObjectCreationOperation" = "true" }
    }
  }
}

output "bucket" {
  description = "The bucket's policy."
  value = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      local.tls_statements,
      [for statement in [local.conditional_write_statement] : statement if var.enforce_conditional_writes],
    )
  })
}
