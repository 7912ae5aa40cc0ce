"""The environment of a test with a local server: without the AWS settings of the machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sessionbucket.testing.seaweedfs import ACCESS_KEY, SECRET_KEY

REGION = "us-east-1"


@contextmanager
def local_aws_environment() -> Iterator[None]:
    """Hide the machine's AWS credentials, profiles and endpoints from this process, and restore them at the end.

    In their place are credentials that every server of this kit accepts, and a region; requests to this machine use no
    proxy. boto3's default session, if it exists, keeps the credentials that it has found before.
    """
    before = dict(os.environ)
    for name in before:
        if name.startswith("AWS_"):
            del os.environ[name]
    unproxied = ",".join(
        filter(None, (before.get("no_proxy") or before.get("NO_PROXY"), "127.0.0.1,localhost"))
    )
    os.environ.update(
        AWS_ACCESS_KEY_ID=ACCESS_KEY,
        AWS_SECRET_ACCESS_KEY=SECRET_KEY,
        AWS_DEFAULT_REGION=REGION,
        AWS_REGION=REGION,
        AWS_EC2_METADATA_DISABLED="true",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        no_proxy=unproxied,
        NO_PROXY=unproxied,
    )
    changed = {name for name in {*before, *os.environ} if before.get(name) != os.environ.get(name)}
    try:
        yield
    finally:
        for name in changed:
            if name in before:
                os.environ[name] = before[name]
            else:
                os.environ.pop(name, None)
