variable "bucket_name" {
  type        = string
  description = "A name that no bucket in the world has yet."
}

variable "function_name" {
  type        = string
  default     = "sessionbucket-agent"
  description = "The name of the function and of its role."
}

variable "architecture" {
  type        = string
  default     = "x86_64"
  description = "The processor the function runs on: x86_64 or arm64."

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture must be x86_64 or arm64."
  }
}

variable "package" {
  type        = string
  default     = null
  description = "The path of the deployment package; dist/lambda-x86_64.zip or dist/lambda-arm64.zip, after the architecture, if not given."
}

variable "handler" {
  type        = string
  default     = "handler.handler"
  description = "The module and function to call: handler.handler, or async_handler.handler."
}
