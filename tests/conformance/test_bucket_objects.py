"""The port: further promises of our own buckets, and the objects that they leave behind."""

from __future__ import annotations

from functools import partial

import pytest

from both_sides import at_once
from conformance.conftest import Opener
from conformance.locations import AZURITE, FILE
from sessionbucket import Bucket, IfMatch, PreconditionFailedError, md5_version


@pytest.fixture
def key(opener: Opener) -> str:
    return opener.location.key("folder/object.json")


def test_a_version_is_the_md5_of_the_body_in_quotes(bucket: Bucket, opener: Opener, key: str):
    if opener.location.kind == AZURITE:
        pytest.skip("a version of Azure's does not depend on the body")
    for body in (b"one", b"two", b""):
        assert bucket.put(key, body) == md5_version(body)
    bucket.close()  # SeaweedFS does not respond to a PUT of boto3 that follows an empty one on the same connection


def test_a_content_type_that_matches_the_name_comes_back_from_every_kind(bucket: Bucket, key: str):
    bucket.put(key, b"x", content_type="application/json")
    head = bucket.head(key)
    assert head is not None
    assert head.content_type == "application/json"


def test_a_folder_keeps_no_metadata(bucket: Bucket, opener: Opener, key: str):
    bucket.put(key, b"x", metadata={"writes": "a b c"})
    head = bucket.head(key)
    assert head is not None
    assert dict(head.metadata) == ({} if opener.location.kind == FILE else {"writes": "a b c"})


def test_a_failed_condition_leaves_nothing_behind(bucket: Bucket, opener: Opener, key: str):
    with pytest.raises(PreconditionFailedError):
        bucket.put(key, b"x", condition=IfMatch(md5_version(b"y")))
    assert opener.names() == []


def test_a_delete_takes_the_named_keys_and_no_others(bucket: Bucket, opener: Opener, key: str):
    bucket.put(key, b"x")
    bucket.put(key + ".near", b"x")
    bucket.put(key + "2/below", b"x")
    bucket.delete([key])
    assert opener.names() == ["folder/object.json.near", "folder/object.json2/below"]


def test_puts_and_deletes_in_one_folder_leave_nothing_behind(opener: Opener):
    """A delete may remove the emptied folder that a put is about to use."""
    bucket = opener.bucket()

    def come_and_go(number: int) -> None:
        key = opener.location.key(f"a/b/c{number % 2}/{number}")
        for _ in range(10):
            bucket.put(key, b"x")
            bucket.delete([key])

    assert at_once([partial(come_and_go, number) for number in range(4)]) == [None] * 4
    assert opener.names() == []
