variable "bucket_name" {
  type        = string
  nullable    = false
  description = "The bucket's name: 3 to 63 lower-case letters, digits and hyphens. It may have no dots, because no TLS certificate covers the host name of such a bucket."

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name must have 3 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends and no dots."
  }
}

variable "tenants" {
  type = map(object({
    prefix                    = string
    artifacts_expiration_days = optional(number)
    traces_expiration_days    = optional(number)
    sessions_expiration_days  = optional(number)
  }))
  nullable    = false
  description = "The stores in this bucket, by a name that becomes part of the names of their policies. Each has its own prefix (\"\" is the bucket's root, for a bucket with one store). Its artifacts, its traces, or everything under its prefix can expire a number of days after the last write."

  validation {
    condition     = length(var.tenants) > 0
    error_message = "tenants must name at least one store."
  }

  validation {
    condition     = alltrue([for name in keys(var.tenants) : can(regex("^[A-Za-z0-9_-]{1,40}$", name))])
    error_message = "The names of tenants must have 1 to 40 letters, digits, hyphens and underscores."
  }

  validation {
    condition     = length(distinct([for name in keys(var.tenants) : lower(name)])) == length(var.tenants)
    error_message = "The names of tenants must differ in more than case, because IAM takes two policies whose names differ in case alone for one."
  }

  validation {
    condition     = alltrue([for tenant in values(var.tenants) : can(regex("^[A-Za-z0-9_.~@+=,/-]{0,512}$", tenant.prefix))])
    error_message = "A tenant's prefix must have at most 512 characters of A-Z a-z 0-9 - _ . ~ @ + = , and /, because others have a meaning in policies or URLs."
  }

  validation {
    condition = alltrue([
      for tenant in values(var.tenants) :
      tenant.prefix == "" || !anytrue([for segment in split("/", tenant.prefix) : contains(["", ".", ".."], segment)])
    ])
    error_message = "A tenant's prefix must have no slash at its ends, and no segment that is empty, \".\" or \"..\"."
  }

  validation {
    condition = alltrue(flatten([
      for name, tenant in var.tenants : [
        for other_name, other in var.tenants :
        name == other_name || (tenant.prefix != "" && !startswith("${other.prefix}/", "${tenant.prefix}/"))
      ]
    ]))
    error_message = "No tenant's prefix may be another's or lie under it, because the agent of the outer one could read and write the sessions of the inner one. The root (\"\") holds every other prefix."
  }

  validation {
    condition = alltrue(flatten([
      for tenant in values(var.tenants) : [
        for days in [tenant.artifacts_expiration_days, tenant.traces_expiration_days, tenant.sessions_expiration_days] :
        days == null ? true : days >= 1 && floor(days) == days
      ]
    ]))
    error_message = "Expirations must be whole days, 1 or more."
  }

  validation {
    condition = alltrue(flatten([
      for tenant in values(var.tenants) : [
        for days in [tenant.artifacts_expiration_days, tenant.traces_expiration_days] :
        days == null || tenant.sessions_expiration_days == null ? true : days <= tenant.sessions_expiration_days
      ]
    ]))
    error_message = "Artifacts and traces cannot outlive sessions_expiration_days, which expires everything under the prefix: S3 applies the shorter time."
  }
}

variable "kms_key_arn" {
  type        = string
  default     = null
  description = "The ARN of the KMS key that encrypts the objects. Without one, S3's own keys encrypt them (AES256)."

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key (arn:aws:kms:REGION:ACCOUNT:key/ID); an alias cannot be granted by a policy."
  }
}

variable "enforce_conditional_writes" {
  type        = bool
  default     = false
  nullable    = false
  description = "Make S3 refuse every unconditional write of a session, from any client. It then also refuses stores with conditional_writes=off, aws s3 cp and CopyObject."
}

variable "extra_roles" {
  type        = set(string)
  default     = []
  nullable    = false
  description = "Further policies for each tenant: \"historian\" reads old versions, and \"eraser\" erases sessions with all their versions. Keep the eraser's from every agent: without it, an agent gone wrong can be undone."

  validation {
    condition     = length(setsubtract(var.extra_roles, ["historian", "eraser"])) == 0
    error_message = "extra_roles may have \"historian\" and \"eraser\"."
  }
}

variable "noncurrent_version_expiration_days" {
  type        = number
  default     = 30
  nullable    = false
  description = "Days until S3 permanently removes a version that was replaced or deleted. Each save of a session leaves one."

  validation {
    condition     = var.noncurrent_version_expiration_days >= 1 && floor(var.noncurrent_version_expiration_days) == var.noncurrent_version_expiration_days
    error_message = "noncurrent_version_expiration_days must be whole days, 1 or more."
  }
}

variable "abort_incomplete_multipart_upload_days" {
  type        = number
  default     = 1
  nullable    = false
  description = "Days until S3 removes the parts of an upload that was never completed."

  validation {
    condition     = var.abort_incomplete_multipart_upload_days >= 1 && floor(var.abort_incomplete_multipart_upload_days) == var.abort_incomplete_multipart_upload_days
    error_message = "abort_incomplete_multipart_upload_days must be whole days, 1 or more."
  }
}

variable "force_destroy" {
  type        = bool
  default     = false
  nullable    = false
  description = "Allow terraform destroy to remove the bucket with all its sessions and all their versions."
}

variable "tags" {
  type        = map(string)
  default     = {}
  nullable    = false
  description = "Tags of the bucket and the policies."
}
