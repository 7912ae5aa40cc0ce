"""Error responses of an S3 server, and the state that they leave."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from conformance.locations import Location
from conformance.samples import artifacts_of, event_of, session_of
from sessionbucket import (
    AccessDeniedError,
    BucketNotFoundError,
    DeleteIncompleteError,
    NotSupportedError,
    S3Bucket,
    SessionStore,
    StoreUnavailableError,
    open_store,
)


class Body(BytesIO):
    """The body of a scripted response."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def respond_with(client: Any, operation: str, status: int, body: str) -> None:
    """Script the response to all requests of one operation, by botocore's hook for that."""

    def respond(request: Any, **_: Any) -> AWSResponse:
        return AWSResponse(request.url, status, {"content-type": "application/xml"}, Body(body.encode()))

    client.meta.events.register(f"before-send.s3.{operation}", respond)


def error_of(code: str) -> str:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>"


@pytest.fixture
def client(moto: Location) -> Iterator[Any]:
    client = boto3.client("s3", endpoint_url=moto.endpoint_url)
    yield client
    client.close()


@pytest.fixture
def store(moto: Location, client: Any) -> SessionStore[Any]:
    store = SessionStore(S3Bucket(moto.bucket, client=client))
    store.save(session_of("s"))
    store.save_artifacts("s", artifacts_of("x"))
    store.save_trace_events("s", [event_of("x")])
    return store


@pytest.mark.parametrize(("status", "code"), [(501, "NotImplemented"), (405, "MethodNotAllowed")])
def test_a_server_without_batch_deletes_gets_single_deletes(
    store: SessionStore[Any], moto: Location, client: Any, status: int, code: str
):
    sent: list[str] = []
    client.meta.events.register("request-created.s3", lambda operation_name, **_: sent.append(operation_name))
    respond_with(client, "DeleteObjects", status, error_of(code))
    store.delete("s")
    assert moto.names() == []
    store.put_file("t", "1", b"x")
    store.put_file("t", "2", b"x")
    store.delete("t")
    assert moto.names() == []
    assert sent.count("DeleteObjects") == 1, "one failure proves that the server has none"


def test_errors_of_single_keys_in_a_response_200_are_errors(
    store: SessionStore[Any], moto: Location, client: Any
):
    rows = "<Error><Key>traces/s.json</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
    respond_with(client, "DeleteObjects", 200, f"<?xml version='1.0'?><DeleteResult>{rows}</DeleteResult>")
    with pytest.raises(DeleteIncompleteError) as caught:
        store.delete("s")
    assert caught.value.keys == ["traces/s.json"]
    assert "AccessDenied" in caught.value.reason
    assert "s.json" in moto.names(), "the session is deleted last, so the delete can be repeated"
    assert store.exists("s")


def test_a_missing_key_in_a_response_200_counts_as_deleted(store: SessionStore[Any], client: Any):
    rows = "<Error><Key>traces/s.json</Key><Code>NoSuchKey</Code></Error>"
    respond_with(client, "DeleteObjects", 200, f"<?xml version='1.0'?><DeleteResult>{rows}</DeleteResult>")
    store.delete("s")
    assert not store.exists("s")


@pytest.mark.parametrize("operation", ["UploadPart", "CompleteMultipartUpload"])
def test_a_failed_upload_leaves_no_part_and_the_old_file(
    store: SessionStore[Any], moto: Location, client: Any, operation: str
):
    store.put_file("s", "large", b"old")
    before = moto.names()
    respond_with(client, operation, 403, error_of("AccessDenied"))
    with pytest.raises(AccessDeniedError):
        store.put_file("s", "large", [b"x" * (20 << 20)])
    assert moto.names() == before
    assert moto.read("artifacts/s/files/large") == b"old"
    assert "Uploads" not in moto.raw.list_multipart_uploads(Bucket=moto.bucket)


def test_an_upload_that_cannot_be_aborted_is_logged(
    store: SessionStore[Any], client: Any, caplog: pytest.LogCaptureFixture
):
    respond_with(client, "UploadPart", 403, error_of("AccessDenied"))
    respond_with(client, "AbortMultipartUpload", 403, error_of("AccessDenied"))
    with pytest.raises(AccessDeniedError):
        store.put_file("s", "large", [b"x" * (20 << 20)])
    assert "could not be removed" in caplog.text


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (403, "AccessDenied", AccessDeniedError),
        (403, "InvalidAccessKeyId", AccessDeniedError),
        (403, "SignatureDoesNotMatch", AccessDeniedError),
        (400, "ExpiredToken", AccessDeniedError),
        (403, "RequestTimeTooSkewed", AccessDeniedError),
        (404, "NoSuchBucket", BucketNotFoundError),
        (503, "SlowDown", StoreUnavailableError),
        (500, "InternalError", StoreUnavailableError),
        (400, "SomethingNew", NotSupportedError),
    ],
)
def test_each_error_response_becomes_the_error_that_says_what_to_do(
    moto: Location, status: int, code: str, expected: type[Exception]
):
    from botocore.config import Config

    client = boto3.client(
        "s3", endpoint_url=moto.endpoint_url, config=Config(retries={"total_max_attempts": 1})
    )
    try:
        store = SessionStore(S3Bucket(moto.bucket, client=client))
        for operation in ("GetObject", "ListObjectsV2"):
            respond_with(client, operation, status, error_of(code))
        for call in (lambda: store.load("s"), store.list):
            with pytest.raises(expected) as caught:
                call()
            assert isinstance(caught.value.__cause__, ClientError)
            assert store.location in str(caught.value)
    finally:
        client.close()


def test_a_missing_server_is_reported_as_unavailable():
    from sessionbucket.testing.server_process import free_ports

    [port] = free_ports(1)
    with (
        open_store(f"s3://bucket?endpoint_url=http://127.0.0.1:{port}&max_attempts=1") as store,
        pytest.raises(StoreUnavailableError, match="no connection"),
    ):
        store.load("s")


def test_the_error_for_missing_credentials_names_the_variables(
    moto: Location, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with open_store(moto.url()) as store, pytest.raises(AccessDeniedError, match="AWS_ACCESS_KEY_ID"):
        store.load("s")
