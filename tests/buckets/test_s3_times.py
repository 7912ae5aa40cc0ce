"""Times in responses are parsed like botocore parses them, but faster."""

from __future__ import annotations

from datetime import UTC

import pytest
from botocore.utils import parse_timestamp

from sessionbucket import AsyncS3Bucket, S3Bucket
from sessionbucket._backends.s3 import client_settings
from sessionbucket._backends.s3.client_settings import parse_time


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
def test_a_time_is_parsed_as_by_botocore(text):
    assert parse_time(text) == parse_timestamp(text)


def test_text_that_is_no_time_is_an_error():
    with pytest.raises(ValueError, match="nonsense"):
        parse_time("2026-11-23Tnonsense")


async def test_the_buckets_of_both_sides_parse_times_with_it(moto, monkeypatch):
    parsed = []
    monkeypatch.setattr(client_settings, "parse_time", lambda text: parsed.append(text) or parse_time(text))
    moto.write("s.json", b"{}")
    bucket = S3Bucket(moto.bucket, endpoint_url=moto.endpoint_url)
    async_bucket = AsyncS3Bucket(moto.bucket, endpoint_url=moto.endpoint_url)
    [mine], [theirs] = bucket.list_page("").objects, (await async_bucket.list_page("")).objects
    bucket.close()
    await async_bucket.close()
    assert mine == theirs
    assert mine.updated_at.tzinfo is UTC
    assert len(parsed) == 2
