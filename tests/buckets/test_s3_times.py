"""The times of objects, read in a short way where that is the same way."""

from __future__ import annotations

from datetime import UTC

import pytest
from botocore.utils import parse_timestamp

from sessionbucket import AsyncS3Bucket, S3Bucket
from sessionbucket._backends.s3 import client_settings as timestamps
from sessionbucket._backends.s3.client_settings import read_time


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T07:15:02.123Z",
        "2026-11-23T07:15:02Z",
        "2026-11-23T07:15:02.123456789Z",
        "2026-11-23T07:15:02+01:00",
        "2026-11-23T07:15:02.1Z",
        "Mon, 23 Nov 2026 07:15:02 GMT",
        "20261123T071502Z",
        "1700000000",
        1700000000,
    ],
)
def test_a_time_is_read_as_botocore_reads_it(text):
    assert read_time(text) == parse_timestamp(text)


def test_what_is_no_time_is_an_error():
    with pytest.raises(ValueError, match="nonsense"):
        read_time("2026-11-23Tnonsense")


async def test_buckets_of_both_sides_read_times_so(moto, monkeypatch):
    read = []
    monkeypatch.setattr(timestamps, "read_time", lambda text: read.append(text) or read_time(text))
    moto.write("s.json", b"{}")
    bucket = S3Bucket(moto.bucket, endpoint_url=moto.endpoint_url)
    async_bucket = AsyncS3Bucket(moto.bucket, endpoint_url=moto.endpoint_url)
    [mine], [theirs] = bucket.list_page("").objects, (await async_bucket.list_page("")).objects
    bucket.close()
    await async_bucket.close()
    assert mine == theirs
    assert mine.updated_at.tzinfo is UTC
    assert len(read) == 2
