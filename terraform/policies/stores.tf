locals {
  object_actions = {
    agent  = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    reader = ["s3:GetObject"]
  }

  key_actions = {
    agent  = ["kms:GenerateDataKey", "kms:Decrypt"]
    reader = ["kms:Decrypt"]
  }

  policies = {
    for role in ["agent", "reader"] : role => {
      for name, root in var.roots : name => jsonencode({
        Version = "2012-10-17"
        Statement = concat(
          [
            {
              Sid      = "ListUnderThePrefix"
              Effect   = "Allow"
              Action   = "s3:ListBucket"
              Resource = var.bucket_arn
              # S3 checks this permission, with the key as s3:prefix, before it responds that a key does not exist.
              Condition = { StringLike = { "s3:prefix" = "${root}*" } }
            },
            {
              Sid      = "ObjectsUnderThePrefix"
              Effect   = "Allow"
              Action   = local.object_actions[role]
              Resource = "${var.bucket_arn}/${root}*"
            },
          ],
          [for key_arn in compact([var.kms_key_arn]) : {
            Sid       = "KeyThroughS3"
            Effect    = "Allow"
            Action    = local.key_actions[role]
            Resource  = key_arn
            Condition = { StringEquals = { "kms:ViaService" = var.s3_service } }
          }],
        )
      })
    }
  }
}

output "agent" {
  description = "Each store's policy with read and write access."
  value       = local.policies.agent
}

output "reader" {
  description = "Each store's policy with read access."
  value       = local.policies.reader
}
