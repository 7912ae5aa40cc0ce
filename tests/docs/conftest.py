"""The environment in which the code of the pages runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sessionbucket.testing import SeaweedServer

BUCKET = "my-bucket"
VERSIONED_BUCKET = "my-versioned-bucket"


@pytest.fixture
def environment(seaweed: SeaweedServer, tmp_path: Path) -> dict[str, str]:
    """The environment of a machine whose AWS is the server, with an empty bucket."""
    client = seaweed.client()
    seaweed.ensure_bucket(BUCKET)
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for entry in page.get("Contents", []):
            client.delete_object(Bucket=BUCKET, Key=entry["Key"])
    seaweed.ensure_bucket(VERSIONED_BUCKET)
    client.put_bucket_versioning(Bucket=VERSIONED_BUCKET, VersioningConfiguration={"Status": "Enabled"})
    client.close()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return (
        kept
        | seaweed.environment()
        | {
            "AWS_ENDPOINT_URL_S3": seaweed.endpoint_url,
            "AWS_REGION": "us-east-1",
            "HOME": str(tmp_path),
            "SESSIONBUCKET_URL": f"s3://{BUCKET}/agents/prod",
        }
    )
