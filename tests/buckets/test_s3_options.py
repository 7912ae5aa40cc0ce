"""The options of an S3 bucket, and the caller's own clients and sessions."""

from __future__ import annotations

from typing import Any

import aioboto3
import boto3
import pytest
from aiobotocore.session import get_session

from conformance.locations import Location
from conformance.samples import session_of
from sessionbucket import (
    AsyncObstoreBucket,
    AsyncS3Bucket,
    AsyncSessionStore,
    InvalidArgumentError,
    ObstoreBucket,
    S3Bucket,
    SessionStore,
    open_async_store,
    open_store,
)

SECRET = "TopSecretValue"


@pytest.mark.parametrize("kind", [S3Bucket, AsyncS3Bucket])
@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"endpont_url": "http://x"}, "endpoint_url"),
        ({"region_name": SECRET}, "region"),
        ({"aws_secret_access_key": SECRET}, "aws_secret_access_key"),
        ({"endpoint_url": f"http://user:{SECRET}@localhost:1"}, "credentials"),
        ({"endpoint_url": SECRET}, "endpoint_url"),
        ({"sse": SECRET}, "sse"),
        ({"sse_kms_key_id": SECRET}, "sse_kms_key_id"),
        ({"sse": "AES256", "sse_kms_key_id": SECRET}, "sse_kms_key_id"),
        ({"expected_bucket_owner": SECRET}, "expected_bucket_owner"),
        ({"read_timeout": 0}, "read_timeout"),
        ({"max_attempts": "0"}, "max_attempts"),
        ({"addressing_style": SECRET}, "addressing_style"),
        ({"storage_class": ""}, "storage_class"),
        ({"tagging": SECRET}, "tagging"),
        ({"tagging": "a=1&a=2"}, "tagging"),
        ({"tagging": "&".join(f"t{number}=" for number in range(11))}, "tagging"),
    ],
)
def test_the_error_for_a_bad_option_names_it_without_its_value(
    kind: Any, options: dict[str, Any], named: str
):
    with pytest.raises(InvalidArgumentError, match=named) as caught:
        kind("bucket", **options)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("bucket", ["", "a/b"])
def test_a_bad_bucket_name_is_rejected(bucket: str):
    with pytest.raises(InvalidArgumentError, match="bucket"):
        S3Bucket(bucket)


@pytest.mark.parametrize("open_any", [open_store, open_async_store])
@pytest.mark.parametrize(
    "url",
    [
        f"s3://user:{SECRET}@bucket/prefix",
        f"s3://bucket/prefix?endpoint_url=http://user:{SECRET}@localhost:1",
        f"s3://bucket?aws_secret_access_key={SECRET}",
        f"s3://bucket?endpoint_url=http://a&endpoint_url=http://{SECRET}",
        f"s3://bucket#{SECRET}",
        f"s3://bucket?engine={SECRET}",
        f"s3://bucket?region=&{SECRET}=1",
        f"{SECRET}://bucket",
        f"{SECRET}",
        f"s3:///{SECRET}",
        f"file://{SECRET}/x",
        f"file:///x?fsync={SECRET}",
        f"memory://name?{SECRET}=1",
        f"memory://{SECRET} x",
        f"memory:///{SECRET}",
        f"s3://[{SECRET}",
        "",
    ],
)
def test_the_error_for_a_bad_url_does_not_repeat_it(open_any: Any, url: str):
    with pytest.raises(InvalidArgumentError) as caught:
        open_any(url)
    message = str(caught.value)
    if f"engine={SECRET}" in url or f"&{SECRET}=" in url:
        return  # the names of options and engines are no secrets
    assert SECRET not in message


def test_without_a_url_the_store_is_that_of_the_environment(moto: Location, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(InvalidArgumentError, match="SESSIONBUCKET_URL"):
        open_store()
    monkeypatch.setenv("SESSIONBUCKET_URL", moto.url())
    with open_store() as store:
        store.save(session_of("s"))
    assert moto.names() == ["s.json"]


def test_options_that_contradict_the_callers_client_or_session_are_rejected(moto: Location):
    client, session = boto3.client("s3", endpoint_url=moto.endpoint_url), boto3.Session()
    try:
        for options, named in (
            ({"client": client, "session": session}, "session"),
            ({"client": client, "region": "eu-west-1"}, "region"),
            ({"client": client, "read_timeout": 3}, "read_timeout"),
            ({"session": session, "profile": "p"}, "profile"),
        ):
            with pytest.raises(InvalidArgumentError, match=named):
                S3Bucket(moto.bucket, **options)
    finally:
        client.close()


def test_the_callers_boto3_client_is_used_and_stays_open(moto: Location):
    client = boto3.client("s3", endpoint_url=moto.endpoint_url)
    try:
        with SessionStore(S3Bucket(moto.bucket, client=client)) as store:
            store.save(session_of("s"))
        assert client.list_objects_v2(Bucket=moto.bucket)["KeyCount"] == 1
        assert store.exists("s")
        with open_store(moto.url()) as other:
            assert other.location == store.location
    finally:
        client.close()


def test_the_credentials_are_those_of_the_callers_boto3_session(
    moto: Location, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    session = boto3.Session(aws_access_key_id="mine", aws_secret_access_key="mine", region_name="us-east-1")
    with SessionStore(S3Bucket(moto.bucket, session=session, endpoint_url=moto.endpoint_url)) as store:
        store.save(session_of("s"))
        assert store.list() == ["s"]


async def test_the_callers_aioboto3_client_is_used_and_stays_open(moto: Location):
    async with aioboto3.Session().client("s3", endpoint_url=moto.endpoint_url) as client:
        async with AsyncSessionStore(AsyncS3Bucket(moto.bucket, client=client)) as store:
            await store.save(session_of("s"))
        listing = await client.list_objects_v2(Bucket=moto.bucket)
        assert listing["KeyCount"] == 1
        assert await store.exists("s")


async def test_the_callers_aiobotocore_client_is_used(moto: Location):
    async with get_session().create_client("s3", endpoint_url=moto.endpoint_url) as client:
        store = AsyncSessionStore(AsyncS3Bucket(moto.bucket, client=client))
        await store.save(session_of("s"))
        await store.put_file("s", "large", b"x" * (9 << 20))
        async with await store.open_file("s", "large") as file:
            assert len(await file.read()) == 9 << 20
        assert await store.list() == ["s"]


async def test_the_credentials_are_those_of_the_callers_aioboto3_session(
    moto: Location, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    session = aioboto3.Session(
        aws_access_key_id="mine", aws_secret_access_key="mine", region_name="us-east-1"
    )
    bucket = AsyncS3Bucket(moto.bucket, session=session, endpoint_url=moto.endpoint_url)
    async with AsyncSessionStore(bucket) as store:
        await store.save(session_of("s"))
        assert await store.list() == ["s"]


def test_the_error_for_an_unknown_profile_names_it(moto: Location):
    with open_store(moto.url(profile="nobody")) as store, pytest.raises(Exception, match="nobody") as caught:
        store.load("s")
    assert isinstance(caught.value, InvalidArgumentError)


def test_options_of_the_url_reach_the_client(moto: Location):
    url = moto.url(
        addressing_style="path",
        max_attempts="7",
        connect_timeout="1.5",
        read_timeout="9",
        max_pool_connections="3",
    )
    with open_store(url) as store:
        store.save(session_of("s"))
        config = store.bucket._connection.client().meta.config
    assert config.s3["addressing_style"] == "path"
    assert store.bucket.capabilities.retry.attempts == 7
    assert config.retries["total_max_attempts"] == 1, "the store retries requests, and the client does not"
    assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (1.5, 9, 3)


def test_one_store_makes_one_client(moto: Location):
    made: list[Any] = []

    class Session(boto3.Session):
        def client(self, *arguments: Any, **keywords: Any) -> Any:
            made.append(super().client(*arguments, **keywords))
            return made[-1]

    with SessionStore(S3Bucket(moto.bucket, session=Session(), endpoint_url=moto.endpoint_url)) as store:
        for _ in range(3):
            store.save(session_of("s"), overwrite=True)
            store.load("s")
            store.list()
    assert len(made) == 1


@pytest.mark.parametrize("kind", [S3Bucket, AsyncS3Bucket])
async def test_a_client_that_is_none_of_s3_is_rejected(moto: Location, kind: Any):
    sync_client, other = boto3.client("s3", endpoint_url=moto.endpoint_url), boto3.client("sts")
    async with aioboto3.Session().client("s3", endpoint_url=moto.endpoint_url) as async_client:
        wrong = sync_client if kind is AsyncS3Bucket else async_client
        for client in (boto3.resource("s3", endpoint_url=moto.endpoint_url), other, wrong, object()):
            with pytest.raises(InvalidArgumentError, match="client is refused: it must be an S3 client of"):
                kind(moto.bucket, client=client)
    sync_client.close()
    other.close()


@pytest.mark.parametrize("kind", [S3Bucket, AsyncS3Bucket, ObstoreBucket, AsyncObstoreBucket])
def test_a_session_that_is_none_of_the_engine_is_rejected(kind: Any):
    wrong = boto3.Session() if kind is AsyncS3Bucket else aioboto3.Session()
    for session in (wrong, object(), "default"):
        with pytest.raises(InvalidArgumentError, match="session is refused: it must be a session of"):
            kind("bucket", session=session)
