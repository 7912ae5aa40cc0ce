mock_resource "aws_s3_bucket" {
  defaults = {
    id     = "acme-sessions"
    arn    = "arn:aws:s3:::acme-sessions"
    region = "eu-central-1"
  }
}

mock_data "aws_partition" {
  defaults = {
    partition  = "aws"
    dns_suffix = "amazonaws.com"
  }
}
