"""The requests to S3: their number, keys, bodies and headers."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import aioboto3
import boto3
import pytest

from conformance.locations import Location
from conformance.samples import artifacts_of, event_of, report_of, say, session_of
from sessionbucket import AsyncS3Bucket, AsyncSessionStore, S3Bucket, SessionStore
from sessionbucket._backends.s3 import requests

OWNER = "123456789012"


def counting(client: Any) -> Counter[str]:
    """A counter of the client's requests by operation, with all retries, from botocore's events."""
    count: Counter[str] = Counter()

    def sent(operation_name: str, **_: Any) -> None:
        count[operation_name] += 1

    client.meta.events.register("request-created.s3", sent)
    return count


@pytest.fixture
def client(moto: Location) -> Iterator[Any]:
    client = boto3.client("s3", endpoint_url=moto.endpoint_url)
    yield client
    client.close()


def test_keys_bodies_and_metadata_are_those_of_the_format(moto: Location, client: Any):
    store = SessionStore(S3Bucket(moto.bucket, client=client), "team/a")
    session = session_of("user/1", "é")
    store.save(session)
    store.save_artifacts("user/1", artifacts_of("x"))
    store.save_trace_events("user/1", [event_of("x")])
    store.save_verification_reports("user/1", [report_of("x")])
    store.put_file("user/1", "image.png", b"png")
    assert moto.names() == [
        "team/a/artifacts/user%2F1/artifacts.json",
        "team/a/artifacts/user%2F1/files/image.png",
        "team/a/traces/user%2F1.json",
        "team/a/user%2F1.json",
        "team/a/verification/user%2F1.json",
    ]
    for name in moto.names():
        head = client.head_object(Bucket=moto.bucket, Key=name)
        assert head["ContentType"] == ("image/png" if name.endswith(".png") else "application/json")
        assert head["ETag"] == f'"{hashlib.md5(moto.read(name), usedforsecurity=False).hexdigest()}"'
    assert '"text": "é"'.encode() in moto.read("team/a/user%2F1.json")
    metadata = client.head_object(Bucket=moto.bucket, Key="team/a/user%2F1.json")["Metadata"]
    assert set(metadata) == {"writes", "printed", "crc32", "summary"}, (
        "no separators: some servers change them"
    )


def test_the_options_of_writes_are_sent(moto: Location, client: Any):
    sent: list[tuple[str, dict[str, Any]]] = []
    client.meta.events.register(
        "before-call.s3", lambda model, params, **_: sent.append((model.name, params["headers"]))
    )
    bucket = S3Bucket(
        moto.bucket,
        client=client,
        sse="aws:kms",
        sse_kms_key_id="key-1",
        storage_class="STANDARD_IA",
        tagging="team=a b&env=prod",
        expected_bucket_owner=OWNER,
    )
    store = SessionStore(bucket)
    store.save(session_of("s"))
    store.put_file("s", "large", [b"x" * (9 << 20)])
    store.put_file("s", "small", b"x")
    store.load("s")
    store.exists("s")
    store.list()
    store.health_check()
    with store.open_file("s", "large") as file:
        file.read()
    store.delete("s")
    store.save_trace_events("t", [event_of("x")])
    assert {name for name, _ in sent} >= {
        "PutObject",
        "GetObject",
        "HeadObject",
        "ListObjectsV2",
        "DeleteObject",
        "DeleteObjects",
        "CreateMultipartUpload",
        "UploadPart",
        "CompleteMultipartUpload",
    }
    for name, headers in sent:
        assert headers["x-amz-expected-bucket-owner"] == OWNER, name
        if name in ("PutObject", "CreateMultipartUpload"):
            assert headers["x-amz-server-side-encryption"] == "aws:kms"
            assert headers["x-amz-server-side-encryption-aws-kms-key-id"] == "key-1"
            assert headers["x-amz-storage-class"] == "STANDARD_IA"
            assert headers["x-amz-tagging"] == "team=a+b&env=prod"
    head = client.head_object(Bucket=moto.bucket, Key="traces/t.json")
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", "key-1")
    assert head["StorageClass"] == "STANDARD_IA"
    bucket.copy("traces/t.json", "copy.json")
    tags = client.get_object_tagging(Bucket=moto.bucket, Key="copy.json")["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"team": "a b", "env": "prod"}


def test_every_put_carries_a_checksum_and_its_condition(moto: Location, client: Any):
    sent: list[dict[str, Any]] = []
    client.meta.events.register(
        "before-call.s3.PutObject", lambda params, **_: sent.append(params["headers"])
    )
    store = SessionStore(S3Bucket(moto.bucket, client=client))
    store.probe_conditional_writes()
    del sent[:]
    session = session_of("s")
    store.save(session)
    first = client.head_object(Bucket=moto.bucket, Key="s.json")["ETag"]
    say(session, "more")
    store.save(session)
    second = client.head_object(Bucket=moto.bucket, Key="s.json")["ETag"]
    store.save(session_of("s"), overwrite=True)
    conditions = [
        {name: headers[name] for name in headers if name.lower().startswith("if-")} for headers in sent
    ]
    assert conditions == [{"If-None-Match": "*"}, {"If-Match": first}, {"If-Match": second}]
    assert all("x-amz-checksum-crc32" in headers for headers in sent)


def test_each_operation_sends_the_documented_number_of_requests(moto: Location, client: Any):
    store = SessionStore(S3Bucket(moto.bucket, client=client))
    store.probe_conditional_writes()
    moto.fill([f"s{number:05d}.json" for number in range(3_000)])
    count = counting(client)
    session = session_of("s")

    def requests_since() -> dict[str, int]:
        """The requests since the last call."""
        sent = dict(count)
        count.clear()
        return sent

    store.save(session)
    assert requests_since() == {"PutObject": 1}
    say(session, "more")
    store.save(session)
    assert requests_since() == {"PutObject": 1}
    assert store.load("s") is not None
    assert requests_since() == {"GetObject": 1}
    assert store.load("missing") is None  # a3s-code may have it in a snapshot
    assert requests_since() == {"GetObject": 1, "ListObjectsV2": 1}
    assert store.load("missing") is None
    assert requests_since() == {"GetObject": 1}
    assert store.exists("s")
    assert requests_since() == {"HeadObject": 1}
    store.update("s", lambda session: say(session, "again"))
    assert requests_since() == {"GetObject": 1, "PutObject": 1}
    store.update("s", lambda session: None)
    assert requests_since() == {"GetObject": 1}
    store.list_page(limit=10)
    assert requests_since() == {"ListObjectsV2": 1}
    store.list_page(limit=1000)
    assert requests_since() == {"ListObjectsV2": 1}
    assert len(store.list()) == 3_001
    assert requests_since()["ListObjectsV2"] <= 4


@pytest.mark.slow
async def test_the_async_side_sends_the_same_number_of_requests(moto: Location):
    moto.fill([f"s{number:05d}.json" for number in range(3_000)])
    async with aioboto3.Session().client("s3", endpoint_url=moto.endpoint_url) as client:
        store = AsyncSessionStore(AsyncS3Bucket(moto.bucket, client=client))
        await store.probe_conditional_writes()
        count = counting(client)
        session = session_of("s")
        await store.save(session)
        say(session, "more")
        await store.save(session)
        assert await store.load("s") is not None
        assert await store.exists("s")
        assert dict(count) == {"PutObject": 2, "GetObject": 1, "HeadObject": 1}
        count.clear()
        assert len(await store.list()) == 3_001
        assert count["ListObjectsV2"] <= 5  # one looks for snapshots of a3s-code
        assert sum(count.values()) == count["ListObjectsV2"]


def test_a_delete_sends_one_request_for_each_thousand_keys(moto: Location, client: Any):
    names = [f"artifacts/s/files/{number:05d}" for number in range(2500)]
    moto.fill(["s.json", *names])
    store = SessionStore(S3Bucket(moto.bucket, client=client))
    store.probe_conditional_writes()
    count = counting(client)
    store.delete("s")
    assert moto.names() == []
    assert count["DeleteObjects"] == 3
    assert count["DeleteObject"] == 1


def test_a_listing_that_continues_after_a_folder_starts_after_all_its_keys():
    """Otherwise AWS lists the folder again. moto and SeaweedFS do not, so the test checks the request itself."""
    assert requests.start_after("a/", "/") == {"StartAfter": "a/\U0010ffff"}
    assert requests.start_after("a/", "") == {"StartAfter": "a/"}
    assert requests.start_after("a", "/") == {"StartAfter": "a"}
    assert requests.start_after("", "/") == {}


def test_a_page_whose_folders_are_before_its_start_is_not_the_last():
    response = {"CommonPrefixes": [{"Prefix": "a/"}], "IsTruncated": True}
    page = requests.listed(response, "a/b", "/", "s3://bucket")
    assert (page.objects, page.folders, page.next_start_after) == ([], [], "a/")


@pytest.mark.parametrize(
    ("size", "expected"),
    [(None, 8 << 20), (0, 8 << 20), (80_000 << 20, 8 << 20), (5 << 40, (5 << 40) // 10_000 + 1)],
)
def test_an_upload_has_at_most_ten_thousand_parts(size: int | None, expected: int):
    assert requests.part_size(size) == expected
    assert size is None or expected * requests.MAX_PARTS >= size
