locals {
  reads  = ["s3:GetObject"]
  writes = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]

  # The requests for one object, by role. The eraser reads locks, to report what it cannot erase.
  object_actions = {
    agent     = concat(local.reads, local.writes)
    reader    = local.reads
    historian = concat(local.reads, ["s3:GetObjectVersion"])
    eraser = concat(local.reads, local.writes, [
      "s3:GetObjectVersion", "s3:DeleteObjectVersion", "s3:GetObjectRetention", "s3:GetObjectLegalHold",
    ])
  }

  list_actions = {
    agent     = ["s3:ListBucket"]
    reader    = ["s3:ListBucket"]
    historian = ["s3:ListBucket", "s3:ListBucketVersions"]
    eraser    = ["s3:ListBucket", "s3:ListBucketVersions"]
  }

  # S3 checks these without a key, so they cannot be limited to the prefix.
  bucket_actions = {
    agent     = []
    reader    = []
    historian = ["s3:GetBucketVersioning"]
    eraser    = ["s3:GetBucketVersioning", "s3:ListBucketMultipartUploads"]
  }

  # A reader that lists summaries writes them into the catalog, which counts only where it agrees with the listing.
  written_folders = {
    agent     = []
    reader    = [".sessionbucket/catalog/"]
    historian = []
    eraser    = []
  }

  key_actions = {
    agent     = ["kms:GenerateDataKey", "kms:Decrypt"]
    reader    = ["kms:Decrypt"]
    historian = ["kms:Decrypt"]
    eraser    = ["kms:GenerateDataKey", "kms:Decrypt"]
  }

  policies = {
    for role in ["agent", "reader", "historian", "eraser"] : role => {
      for name, root in var.roots : name => jsonencode({
        Version = "2012-10-17"
        Statement = concat(
          [
            {
              Sid      = "ListUnderThePrefix"
              Effect   = "Allow"
              Action   = local.list_actions[role]
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
          [for folder in local.written_folders[role] : {
            Sid      = "WriteTheCatalog"
            Effect   = "Allow"
            Action   = "s3:PutObject"
            Resource = "${var.bucket_arn}/${root}${folder}*"
          }],
          [for actions in [local.bucket_actions[role]] : {
            Sid      = "SettingsOfTheBucket"
            Effect   = "Allow"
            Action   = actions
            Resource = var.bucket_arn
          } if length(actions) > 0],
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

output "historian" {
  description = "Each store's policy to read the versions that the bucket keeps."
  value       = local.policies.historian
}

output "eraser" {
  description = "Each store's policy to erase sessions with all their versions."
  value       = local.policies.eraser
}
