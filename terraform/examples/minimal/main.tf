# One store in its own bucket, and the URL to open it.

variable "bucket_name" {
  type        = string
  description = "The bucket's name, which must be globally unique."
}

module "sessions" {
  source = "../.."

  bucket_name = var.bucket_name
  tenants     = { agent = { prefix = "agents/prod" } }
}

output "store_url" {
  description = "The value of SESSIONBUCKET_URL."
  value       = module.sessions.store_urls["agent"]
}

output "agent_policy_arn" {
  description = "The policy to attach to the agent's role."
  value       = module.sessions.agent_policy_arns["agent"]
}
