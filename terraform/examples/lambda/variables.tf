variable "bucket_name" {
  type        = string
  description = "The bucket's name, which must be globally unique."
}

variable "function_name" {
  type        = string
  default     = "sessionbucket-agent"
  description = "The name of the function and of its role."
}

variable "architecture" {
  type        = string
  default     = "x86_64"
  description = "The processor architecture of the function: x86_64 or arm64."

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture must be x86_64 or arm64."
  }
}

variable "package" {
  type        = string
  default     = null
  description = "The path of the deployment package. By default dist/lambda-x86_64.zip or dist/lambda-arm64.zip, according to the architecture."
}

variable "handler" {
  type        = string
  default     = "handler.handler"
  description = "The module and function to call: handler.handler, or async_handler.handler."
}
