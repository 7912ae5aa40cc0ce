"""What the S3 buckets of both sides share: options, requests, and what errors mean."""
