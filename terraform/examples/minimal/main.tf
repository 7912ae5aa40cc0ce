# One store in a bucket of its own, and the URL to open it with.

variable "bucket_name" {
  type        = string
  description = "A name that no bucket in the world has yet."
}

module "sessions" {
  source = "../.."

  bucket_name = var.bucket_name
  tenants     = { agent = { prefix = "agents/prod" } }
}

output "store_url" {
  description = "export SESSIONBUCKET_URL with this."
  value       = module.sessions.store_urls["agent"]
}

output "agent_policy_arn" {
  description = "The policy to attach to the agent's role."
  value       = module.sessions.agent_policy_arns["agent"]
}
