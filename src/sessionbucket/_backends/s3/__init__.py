"""S3 by botocore, aioboto3 and aiobotocore."""
