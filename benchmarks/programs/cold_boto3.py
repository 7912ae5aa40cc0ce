"""A cold start up to the first session, with boto3 and json. Arguments: endpoint, bucket, key."""

import json
import sys

import boto3

client = boto3.client("s3", endpoint_url=sys.argv[1])
document = json.loads(client.get_object(Bucket=sys.argv[2], Key=sys.argv[3])["Body"].read())
assert document["messages"]
