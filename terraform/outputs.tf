output "bucket_name" {
  description = "The bucket's name."
  value       = aws_s3_bucket.sessions.id
}

output "bucket_arn" {
  description = "The bucket's ARN."
  value       = aws_s3_bucket.sessions.arn
}

output "bucket_region" {
  description = "The bucket's region."
  value       = aws_s3_bucket.sessions.region
}

output "bucket_policy_json" {
  description = "The bucket's policy."
  value       = aws_s3_bucket_policy.sessions.policy
}

output "store_urls" {
  description = "The URL of each tenant's store, for SESSIONBUCKET_URL, with the bucket's region."
  value = {
    for name, tenant in var.tenants : name =>
    "s3://${join("/", compact([aws_s3_bucket.sessions.id, tenant.prefix]))}?region=${aws_s3_bucket.sessions.region}"
  }

  # A store must not be opened before the bucket is complete.
  depends_on = [
    aws_s3_bucket_lifecycle_configuration.sessions,
    aws_s3_bucket_ownership_controls.sessions,
    aws_s3_bucket_policy.sessions,
    aws_s3_bucket_server_side_encryption_configuration.sessions,
    aws_s3_bucket_versioning.sessions,
  ]
}

output "agent_policy_arns" {
  description = "The ARN of each tenant's policy to read and write its store."
  value       = { for name, policy in aws_iam_policy.agent : name => policy.arn }
}

output "agent_policy_json" {
  description = "Each tenant's policy to read and write its store, for roles that take it inline."
  value       = module.policies.agent
}

output "reader_policy_arns" {
  description = "The ARN of each tenant's policy to read its store."
  value       = { for name, policy in aws_iam_policy.reader : name => policy.arn }
}

output "reader_policy_json" {
  description = "Each tenant's policy to read its store, for roles that take it inline."
  value       = module.policies.reader
}

output "historian_policy_arns" {
  description = "With \"historian\" in extra_roles, the ARN of each tenant's policy to read old versions."
  value       = { for name, policy in aws_iam_policy.historian : name => policy.arn }
}

output "eraser_policy_arns" {
  description = "With \"eraser\" in extra_roles, the ARN of each tenant's policy to erase sessions with all their versions."
  value       = { for name, policy in aws_iam_policy.eraser : name => policy.arn }
}
