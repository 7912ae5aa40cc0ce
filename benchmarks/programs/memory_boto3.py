"""The memory of a load and a save in a fresh process, with boto3 and json. Arguments: endpoint, bucket, small key, large key."""

import json
import sys

import boto3
from memory import report

client = boto3.client("s3", endpoint_url=sys.argv[1])
bucket = sys.argv[2]


def load(key):
    return json.loads(client.get_object(Bucket=bucket, Key=key)["Body"].read())


def save(document):
    client.put_object(Bucket=bucket, Key="saved", Body=json.dumps(document).encode())


report(load, save, sys.argv[3], sys.argv[4])
