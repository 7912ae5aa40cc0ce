"""Presigned URLs of files. Signing sends no request, so the tests cover many regions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, urlsplit

import pytest
from store.own_stores import DictStore

from sessionbucket import AccessDeniedError, NotSupportedError, open_async_store, open_store
from testing.sqlite_store import SqliteStore

HOUR = timedelta(hours=1)
Signer = Callable[[str], Awaitable[SplitResult]]


async def presign(url: str) -> SplitResult:
    with open_store(url) as store:
        return urlsplit(store.presign_file("s", "x.txt", HOUR))


async def presign_async(url: str) -> SplitResult:
    async with open_async_store(url) as store:
        return urlsplit(await store.presign_file("s", "x.txt", HOUR))


@pytest.fixture(params=[presign, presign_async])
def sign(request: pytest.FixtureRequest) -> Signer:
    return request.param


@pytest.mark.parametrize(
    ("options", "host"),
    [
        ("region=us-east-1", "my-bucket.s3.amazonaws.com"),
        ("region=eu-west-1", "my-bucket.s3.eu-west-1.amazonaws.com"),
        ("region=eu-central-1", "my-bucket.s3.eu-central-1.amazonaws.com"),
        ("region=cn-north-1", "my-bucket.s3.cn-north-1.amazonaws.com.cn"),
        ("region=eu-west-1&addressing_style=path", "s3.eu-west-1.amazonaws.com"),
    ],
)
async def test_a_presigned_url_has_the_buckets_region_and_signature_version_4(
    sign: Signer, options: str, host: str
):
    """By default, botocore uses version 2 in older regions, and the global endpoint in all."""
    parts = await sign(f"s3://my-bucket/p?{options}")
    assert parts.hostname == host
    query = parse_qs(parts.query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    region = options.split("&", maxsplit=1)[0].removeprefix("region=")
    assert f"/{region}/s3/aws4_request" in query["X-Amz-Credential"][0]


async def test_a_presigned_url_requires_no_header(sign: Signer):
    options = "sse=aws:kms&sse_kms_key_id=key-1&expected_bucket_owner=123456789012"
    query = parse_qs((await sign(f"s3://my-bucket?{options}")).query)
    assert query["X-Amz-SignedHeaders"] == ["host"]


async def test_a_presigned_url_contains_the_token_of_temporary_credentials(
    sign: Signer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_SESSION_TOKEN", "the-token")
    assert parse_qs((await sign("s3://my-bucket")).query)["X-Amz-Security-Token"] == ["the-token"]


async def test_signing_without_credentials_is_an_error(sign: Signer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(AccessDeniedError, match="credentials"):
        await sign("s3://my-bucket")


async def test_a_store_without_a_bucket_has_no_presigned_urls(tmp_path: Path):
    with pytest.raises(NotSupportedError, match="no presigned URLs"):
        SqliteStore(tmp_path / "sessions.db").presign_file("s", "x", HOUR)
    with pytest.raises(NotSupportedError, match="no presigned URLs"):
        await DictStore().presign_file("s", "x", HOUR)
