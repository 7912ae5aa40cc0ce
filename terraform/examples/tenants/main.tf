# Several stores in one bucket, encrypted with your own key, each with a role that reaches only its prefix.

variable "bucket_name" {
  type        = string
  description = "The bucket's name, which must be globally unique."
}

variable "principals" {
  type        = map(string)
  description = "The ARN of the principal that may assume each tenant's role, by the tenant's name: support and research."
}

resource "aws_kms_key" "sessions" {
  description         = "Agents' sessions in ${var.bucket_name}"
  enable_key_rotation = true
}

module "sessions" {
  source = "../.."

  bucket_name                = var.bucket_name
  kms_key_arn                = aws_kms_key.sessions.arn
  enforce_conditional_writes = true

  tenants = {
    support = {
      prefix                    = "support/prod"
      artifacts_expiration_days = 90
      traces_expiration_days    = 30
    }
    research = {
      prefix                   = "research"
      sessions_expiration_days = 365
    }
  }
}

resource "aws_iam_role" "agent" {
  for_each = module.sessions.agent_policy_arns

  name = "${var.bucket_name}-${each.key}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = var.principals[each.key] }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "agent" {
  for_each = module.sessions.agent_policy_arns

  role       = aws_iam_role.agent[each.key].name
  policy_arn = each.value
}

output "store_urls" {
  description = "The URL of each tenant's store."
  value       = module.sessions.store_urls
}

output "role_arns" {
  description = "The role of each tenant's agent."
  value       = { for name, role in aws_iam_role.agent : name => role.arn }
}
