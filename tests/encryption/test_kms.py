"""Keys from KMS, on moto: data keys, their cache, and the errors of KMS."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.stub import Stubber

from both_sides import SyncSide
from sessionbucket import (
    AccessDeniedError,
    EncryptionContext,
    InvalidArgumentError,
    KmsKeyring,
    MemoryBucket,
    SessionCorruptedError,
    SessionData,
    StoreUnavailableError,
)

CONTEXT = EncryptionContext("s.json")


class Requests:
    """Counts the requests of a client of KMS."""

    def __init__(self, client: Any) -> None:
        self.operations: list[str] = []
        client.meta.events.register("before-call.kms", self.note)

    def note(self, model: Any, **arguments: Any) -> None:
        self.operations.append(model.name)


@pytest.fixture(scope="module")
def kms(moto_url: str) -> Iterator[Any]:
    client = boto3.client("kms", region_name="us-east-1", endpoint_url=moto_url)
    yield client
    client.close()


@pytest.fixture
def requests(kms: Any) -> Requests:
    return Requests(kms)


@pytest.fixture
def arn(kms: Any) -> str:
    return kms.create_key()["KeyMetadata"]["Arn"]


def test_a_data_key_is_requested_once_and_travels_with_the_object(
    kms: Any, arn: str, requests: Requests, side: SyncSide
):
    url = f"memory://{uuid4().hex}"
    store = side.make("open_store", url, encryption=KmsKeyring(arn, client=kms))
    for number in range(5):
        store.save(SessionData(id=f"s{number}"))
        assert store.load(f"s{number}").id == f"s{number}"
    assert requests.operations == ["GenerateDataKey"]
    other = side.make("open_store", url, encryption=KmsKeyring(arn, client=kms))
    assert [other.load(f"s{number}").id for number in range(5)] == [f"s{number}" for number in range(5)]
    assert requests.operations == ["GenerateDataKey", "Decrypt"]
    stored = MemoryBucket(url.removeprefix("memory://")).get("s0.json", max_bytes=1 << 20)
    assert stored is not None
    assert arn.encode() in stored.body[:512]


def test_a_new_data_key_is_requested_when_the_cache_ends(kms: Any, arn: str, requests: Requests):
    keys = KmsKeyring(arn, client=kms, cache=timedelta(0))
    one, two = keys.key_for_write(CONTEXT), keys.key_for_write(CONTEXT)
    assert one.key != two.key
    assert keys.key(arn, one.wrapped, CONTEXT) == one.key
    assert requests.operations == ["GenerateDataKey", "GenerateDataKey", "Decrypt"]


def test_a_new_data_key_is_requested_after_a_thousand_writes(kms: Any, arn: str, requests: Requests):
    keys = KmsKeyring(arn, client=kms)
    made = {keys.key_for_write(CONTEXT) for _ in range(1001)}
    assert len(made) == 2
    assert all(keys.key(arn, each.wrapped, CONTEXT) == each.key for each in made)
    assert requests.operations == ["GenerateDataKey", "GenerateDataKey"]


def test_an_older_key_decrypts_and_an_unknown_one_is_never_asked_for(kms: Any, arn: str, requests: Requests):
    old = KmsKeyring(arn, client=kms).key_for_write(CONTEXT)
    new = kms.create_key()["KeyMetadata"]["Arn"]
    requests.operations.clear()
    assert KmsKeyring(new, client=kms).key(arn, old.wrapped, CONTEXT) is None
    assert requests.operations == []
    assert KmsKeyring(new, older=[arn], client=kms).key(arn, old.wrapped, CONTEXT) == old.key


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("InvalidCiphertextException", 400, SessionCorruptedError),
        ("IncorrectKeyException", 400, SessionCorruptedError),
        ("DisabledException", 400, AccessDeniedError),
        ("KMSInvalidStateException", 400, AccessDeniedError),
        ("AccessDeniedException", 400, AccessDeniedError),
        ("NotFoundException", 400, AccessDeniedError),
        ("ThrottlingException", 400, StoreUnavailableError),
        ("DependencyTimeoutException", 503, StoreUnavailableError),
        ("KMSInternalException", 500, StoreUnavailableError),
    ],
)
def test_an_error_of_kms_is_one_of_ours(arn: str, code: str, status: int, kind: type[Exception]):
    """moto has none of these errors, so botocore's own stub responds."""
    client = boto3.client("kms", region_name="us-east-1")
    keys = KmsKeyring(arn, client=client)
    with Stubber(client) as stub:
        stub.add_client_error("decrypt", code, http_status_code=status)
        with pytest.raises(kind, match=code):
            keys.key(arn, b"wrapped", CONTEXT)


def test_kms_out_of_reach_is_an_unavailable_store(arn: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:9")
    with pytest.raises(StoreUnavailableError, match="EndpointConnectionError"):
        KmsKeyring(arn).key_for_write(CONTEXT)


def test_a_client_is_made_for_the_region_of_the_key(arn: str, moto_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", moto_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    keys = KmsKeyring(arn)
    made = keys.key_for_write(CONTEXT)
    assert KmsKeyring(arn).key(arn, made.wrapped, CONTEXT) == made.key


@pytest.mark.parametrize("arn", ["alias/key", "arn:aws:kms:us-east-1:123456789012:alias/key", "", 5])
def test_anything_but_the_arn_of_a_key_is_refused(arn: Any):
    with pytest.raises(InvalidArgumentError, match=r"key_arn .*is refused"):
        KmsKeyring(arn)


@pytest.mark.parametrize("cache", [timedelta(-1), timedelta(days=2), 5])
def test_a_bad_time_is_refused(cache: Any):
    with pytest.raises(InvalidArgumentError, match="cache is refused"):
        KmsKeyring("arn:aws:kms:us-east-1:123456789012:key/a", cache=cache)
