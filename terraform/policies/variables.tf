variable "bucket_arn" {
  type        = string
  description = "The bucket's ARN."
}

variable "roots" {
  type        = map(string)
  description = "The start of every key of a store (\"\", or a prefix and a slash), by the store's name."
}

variable "enforce_conditional_writes" {
  type        = bool
  description = "Whether the bucket's policy refuses unconditional writes of sessions."
}

variable "kms_key_arn" {
  type        = string
  description = "The ARN of the key that encrypts the objects, or null when S3's own keys do."
}

variable "s3_service" {
  type        = string
  description = "The host name of S3 in the bucket's region, the only service that may use the key."
}
