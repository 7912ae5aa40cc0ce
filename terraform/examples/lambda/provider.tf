terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "region" {
  type        = string
  default     = "eu-central-1"
  description = "The region of the bucket and the function."
}

provider "aws" {
  region = var.region
}
