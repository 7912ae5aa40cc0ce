variable "bucket_arn" {
  type        = string
  description = "The bucket's ARN."
}

variable "roots" {
  type        = map(string)
  description = "What every key of a store begins with (\"\", or a prefix and a slash), by the store's name."
}

variable "enforce_conditional_writes" {
  type        = bool
  description = "Whether the bucket's policy refuses writes of sessions that carry no condition."
}

variable "kms_key_arn" {
  type        = string
  description = "The key that encrypts the objects, or null where S3's own keys do."
}

variable "s3_service" {
  type        = string
  description = "The host name of S3 in the bucket's region, through which alone the key may be used."
}
