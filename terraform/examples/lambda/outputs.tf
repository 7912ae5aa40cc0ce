output "function_name" {
  description = "The function to invoke."
  value       = aws_lambda_function.agent.function_name
}

output "store_url" {
  description = "The URL of the store, to open it from elsewhere."
  value       = module.sessions.store_urls["agent"]
}
