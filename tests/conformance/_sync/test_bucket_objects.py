"""The port: one object."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from conformance._sync.conftest import Opener
from conformance.locations import MEMORY, MOTO, SEAWEEDFS
from conformance.running._sync import at_once
from sessionbucket import Absent, Anything, Bucket, Match, PreconditionFailedError, SessionTooLargeError
from sessionbucket.objects import version_of

LIMIT = 1 << 20


@pytest.fixture
def key(opener: Opener) -> str:
    return opener.location.key("folder/object.json")


def body_of(bucket: Bucket, key: str) -> bytes | None:
    found = bucket.get(key, max_bytes=LIMIT)
    return found.body if found else None


@pytest.mark.parametrize("body", [b"", b"x", bytes(range(256)), "é😀\r\n".encode()])
def test_what_was_put_is_what_get_gives(bucket: Bucket, key: str, body: bytes):
    bucket.put(key, body)
    assert body_of(bucket, key) == body


def test_a_missing_key_is_none(bucket: Bucket, key: str):
    assert bucket.get(key, max_bytes=LIMIT) is None
    assert bucket.head(key) is None
    assert bucket.get_stream(key) is None


def test_a_key_in_the_place_of_a_folder_is_missing(bucket: Bucket, key: str):
    bucket.put(key, b"x")
    assert bucket.head(key.removesuffix("/object.json")) is None
    assert bucket.get(key + "/below", max_bytes=LIMIT) is None


def test_get_and_head_describe_the_object_alike(bucket: Bucket, key: str):
    before = datetime.now(UTC) - timedelta(seconds=2)
    version = bucket.put(key, b"twelve bytes", content_type="application/json")
    found, head = bucket.get(key, max_bytes=LIMIT), bucket.head(key)
    assert found is not None
    assert found.info == head
    assert head.key == key
    assert head.size == 12
    assert head.version == version
    assert head.content_type == "application/json"
    assert before < head.updated_at < datetime.now(UTC) + timedelta(seconds=2)


def test_a_version_is_the_md5_of_the_body_in_quotes(bucket: Bucket, key: str):
    for body in (b"one", b"two", b""):  # an empty one last: SeaweedFS is slow to replace it
        assert bucket.put(key, body) == version_of(body)


def test_metadata_is_kept_where_the_backend_keeps_any(bucket: Bucket, opener: Opener, key: str):
    bucket.put(key, b"x", metadata={"chain": "a b c"})
    head = bucket.head(key)
    assert head is not None
    keeps = opener.location.kind in (MEMORY, MOTO, SEAWEEDFS)
    assert dict(head.metadata) == ({"chain": "a b c"} if keeps else {})


def test_a_body_over_the_limit_is_refused_with_its_size(bucket: Bucket, key: str):
    bucket.put(key, b"0123456789")
    assert (bucket.get(key, max_bytes=10)) is not None
    with pytest.raises(SessionTooLargeError) as caught:
        bucket.get(key, max_bytes=9)
    assert (caught.value.key, caught.value.size, caught.value.limit) == (key, 10, 9)
    assert body_of(bucket, key) == b"0123456789"


def test_absent_puts_a_new_key_only(bucket: Bucket, key: str):
    bucket.put(key, b"first", condition=Absent())
    with pytest.raises(PreconditionFailedError):
        bucket.put(key, b"second", condition=Absent())
    assert body_of(bucket, key) == b"first"


def test_match_replaces_that_version_only(bucket: Bucket, key: str):
    first = bucket.put(key, b"first")
    second = bucket.put(key, b"second", condition=Match(first))
    with pytest.raises(PreconditionFailedError) as caught:
        bucket.put(key, b"third", condition=Match(first))
    assert not caught.value.retried
    assert caught.value.key == key
    assert body_of(bucket, key) == b"second"
    bucket.put(key, b"third", condition=Match(second))
    assert body_of(bucket, key) == b"third"


def test_match_on_a_missing_key_puts_nothing(bucket: Bucket, key: str):
    version = bucket.put(key, b"first")
    bucket.delete([key])
    with pytest.raises(PreconditionFailedError):
        bucket.put(key, b"second", condition=Match(version))
    assert bucket.head(key) is None


def test_absent_holds_again_after_a_delete(bucket: Bucket, key: str):
    bucket.put(key, b"first", condition=Absent())
    bucket.delete([key])
    bucket.put(key, b"second", condition=Absent())
    assert body_of(bucket, key) == b"second"


def test_anything_puts_in_any_case(bucket: Bucket, key: str):
    bucket.put(key, b"first", condition=Anything())
    bucket.put(key, b"second", condition=Anything())
    assert body_of(bucket, key) == b"second"


def test_a_failed_condition_leaves_nothing_behind(bucket: Bucket, opener: Opener, key: str):
    with pytest.raises(PreconditionFailedError):
        bucket.put(key, b"x", condition=Match(version_of(b"y")))
    assert opener.names() == []


def test_of_racing_creates_one_wins(opener: Opener, key: str):
    buckets = [opener.bucket() for _ in range(4)]
    bodies = [f"writer {number}".encode() for number in range(4)]
    answers = at_once(
        *(
            partial(bucket.put, key, body, condition=Absent())
            for bucket, body in zip(buckets, bodies, strict=True)
        )
    )
    won = [body for body, answer in zip(bodies, answers, strict=True) if isinstance(answer, str)]
    assert len(won) == 1, answers
    assert sum(isinstance(answer, PreconditionFailedError) for answer in answers) == 3
    assert body_of(buckets[0], key) == won[0]


def test_of_racing_replacements_of_one_version_one_wins(opener: Opener, key: str):
    buckets = [opener.bucket() for _ in range(4)]
    version = buckets[0].put(key, b"base")
    bodies = [f"writer {number}".encode() for number in range(4)]
    answers = at_once(
        *(
            partial(bucket.put, key, body, condition=Match(version))
            for bucket, body in zip(buckets, bodies, strict=True)
        )
    )
    won = [body for body, answer in zip(bodies, answers, strict=True) if isinstance(answer, str)]
    assert len(won) == 1, answers
    assert body_of(buckets[0], key) == won[0]


def test_two_bucket_objects_of_one_location_see_the_same_objects(opener: Opener, key: str):
    one, other = opener.bucket(), opener.bucket()
    assert one.location == other.location
    one.put(key, b"x")
    assert body_of(other, key) == b"x"


def test_a_closed_bucket_may_be_used_again(bucket: Bucket, key: str):
    bucket.put(key, b"x")
    bucket.close()
    bucket.close()
    assert body_of(bucket, key) == b"x"


def test_a_delete_of_what_is_not_there_is_fine(bucket: Bucket, key: str):
    bucket.delete([])
    bucket.delete([key])
    bucket.put(key, b"x")
    bucket.delete([key, key + ".other"])
    bucket.delete([key])
    assert bucket.head(key) is None


def test_a_delete_takes_the_named_keys_and_no_others(bucket: Bucket, opener: Opener, key: str):
    bucket.put(key, b"x")
    bucket.put(key + ".near", b"x")
    bucket.put(key + "2/below", b"x")
    bucket.delete([key])
    assert opener.names() == ["folder/object.json.near", "folder/object.json2/below"]


def test_puts_and_deletes_in_one_folder_do_not_disturb_each_other(opener: Opener):
    """A folder that a delete has emptied may go away while a put is about to use it."""
    bucket = opener.bucket()

    def come_and_go(number: int) -> None:
        key = opener.location.key(f"a/b/c{number % 2}/{number}")
        for _ in range(10):
            bucket.put(key, b"x")
            bucket.delete([key])

    assert at_once(*(partial(come_and_go, number) for number in range(4))) == [None] * 4
    assert opener.names() == []
