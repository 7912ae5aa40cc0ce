"""One object: reads return what a put stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sessionbucket.errors import ObjectTooLargeError
from sessionbucket.testing._async.conformance.bucket_case import LIMIT, AsyncBucketCase

CLOCK_SKEW = timedelta(minutes=5)
ODD_NAMES = (
    "a b",
    "a+b=c,@~",
    "100%",
    "%2F",
    "é",
    "\U0001f600",
    "a'b\"c",
    "a&b<c>",
    ".hidden",
    "a.",
    "-",
    "A",
    "*[x]?",
)


class AsyncObjectTests(AsyncBucketCase):
    """``get``, ``head``, ``put``, ``copy``, ``delete``, ``location`` and ``close``."""

    async def test_get_returns_what_was_put(self) -> None:
        for body in (b"", b"x", bytes(range(256)), "é😀\r\n".encode()):
            await self.bucket.put(self.key(), body)
            assert await self.body_of(self.key()) == body, "get must return exactly the bytes that were put"

    async def test_a_missing_key_is_none(self) -> None:
        assert await self.bucket.get(self.key(), max_bytes=LIMIT) is None, (
            "get of a missing key must return None"
        )
        assert await self.bucket.head(self.key()) is None, "head of a missing key must return None"
        assert await self.bucket.get_stream(self.key()) is None, (
            "get_stream of a missing key must return None"
        )

    async def test_a_key_in_the_place_of_a_folder_is_missing(self) -> None:
        await self.bucket.put(self.key("folder/object"), b"x")
        assert await self.bucket.head(self.key("folder")) is None, (
            "an object at 'folder/object' does not make one at 'folder'"
        )
        assert await self.body_of(self.key("folder/object/below")) is None, (
            "an object at 'folder/object' does not make one below it"
        )

    async def test_an_odd_key_is_a_key_like_any_other(self) -> None:
        for key in [self.key(name) for odd in ODD_NAMES for name in (f"leaf/{odd}", f"{odd}/below")]:
            await self.bucket.put(key, key.encode())
            assert await self.body_of(key) == key.encode(), f"the object at {key!r} is missing"
            page = await self.bucket.list_page(key)
            assert [info.key for info in page.objects] == [key], (
                f"a listing must return the key {key!r} as it is"
            )

    async def test_a_key_may_have_1024_bytes(self) -> None:
        key = self.key("/".join(["k" * 99] * 11))[:1024].rstrip("/")
        await self.bucket.put(key, b"long")
        assert await self.body_of(key) == b"long", "keys of up to 1,024 UTF-8 bytes must work"

    async def test_put_get_head_and_a_listing_agree_on_the_version_after_every_put(self) -> None:
        versions = []
        for body in (b"first", b"the second", b""):
            version = await self.bucket.put(self.key(), body)
            versions.append(version)
            found, head = (
                await self.bucket.get(self.key(), max_bytes=LIMIT),
                await self.bucket.head(self.key()),
            )
            assert found is not None, "get does not find the object that was just put"
            assert head is not None, "head does not find the object that was just put"
            assert found.info.version == version, (
                f"get returned a stale version: put returned {version!r}, and get {found.info.version!r}"
            )
            assert head.version == version, (
                f"head returned a stale version: put returned {version!r}, and head {head.version!r}"
            )
            listed = (await self.bucket.list_page(self.key())).objects[0]
            assert listed.version in (None, version), (
                f"list_page returned a stale version: put returned {version!r}, and the listing {listed.version!r} "
                "(a listing without versions returns None)"
            )
            assert found.info.size == head.size == listed.size, "get, head and a listing must have one size"
            if self.bucket.capabilities.lists_body_sizes:
                assert head.size == len(body), "the size must be that of the body"
        assert all(versions), "a version must not be empty"
        assert len(set(versions)) == len(versions), "a put of another body must return another version"

    async def test_get_and_head_describe_an_object_alike(self) -> None:
        await self.bucket.put(
            self.key(), b"twelve bytes", content_type="application/json", metadata={"a": "b"}
        )
        found, head = await self.bucket.get(self.key(), max_bytes=LIMIT), await self.bucket.head(self.key())
        assert found is not None, "get does not find the object that was just put"
        assert head is not None, "head does not find the object that was just put"
        assert found.info == head, "get and head must describe an object alike"
        assert head.key == self.key(), "an object's description must have its key"
        assert head.updated_at.tzinfo is not None, "updated_at must have a time zone"
        assert abs(head.updated_at - datetime.now(UTC)) < CLOCK_SKEW, (
            f"updated_at must be the time of the put, not {head.updated_at}"
        )

    async def test_the_content_type_comes_back_where_the_bucket_keeps_any(self) -> None:
        for wanted in ("application/json", "text/x-conformance; charset=utf-8"):
            await self.bucket.put(self.key(), wanted.encode(), content_type=wanted)
            head = await self.bucket.head(self.key())
            assert head is not None, "head does not find the object that was just put"
            if self.bucket.capabilities.keeps_metadata:
                assert head.content_type == wanted, (
                    f"the content type was lost: put sent {wanted!r}, and head {head.content_type!r}; a bucket "
                    "that keeps none has keeps_metadata=False in its capabilities"
                )

    async def test_metadata_comes_back_where_the_bucket_keeps_any_and_goes_with_the_next_put(self) -> None:
        wanted = {"writes": "a b c"}
        await self.bucket.put(self.key(), b"x", metadata=wanted)
        head = await self.bucket.head(self.key())
        assert head is not None, "head does not find the object that was just put"
        if self.bucket.capabilities.keeps_metadata:
            assert dict(head.metadata) == wanted, (
                f"the metadata was lost: put sent {wanted!r}, and head {dict(head.metadata)!r}; a bucket that keeps "
                "none has keeps_metadata=False in its capabilities"
            )
        await self.bucket.put(self.key(), b"y")
        head = await self.bucket.head(self.key())
        assert head is not None, "head does not find the object that was just put"
        assert not head.metadata, "a put without metadata must leave none of the object before"

    async def test_a_body_over_the_limit_is_refused_with_its_size(self) -> None:
        await self.bucket.put(self.key(), b"0123456789")
        found = await self.bucket.get(self.key(), max_bytes=10)
        assert found is not None, "a body of exactly max_bytes must be given"
        try:
            await self.bucket.get(self.key(), max_bytes=9)
        except ObjectTooLargeError as error:
            assert (error.key, error.size, error.limit) == (self.key(), 10, 9), (
                "ObjectTooLargeError must have the key, the size of the body and the limit"
            )
        else:
            pytest.fail("max_bytes is ignored: a body of 10 bytes was given to a get with max_bytes=9")

    async def test_the_first_bytes_come_alone_and_with_the_whole_size(self) -> None:
        await self.bucket.put(self.key(), b"0123456789")
        for first, body in ((1, b"0"), (4, b"0123"), (10, b"0123456789"), (11, b"0123456789")):
            found = await self.bucket.get(self.key(), max_bytes=10, first=first)
            assert found is not None, "get with `first` does not find the object that was just put"
            assert found.body == body, f"get with first={first} must return {body!r}, not {found.body!r}"
            if self.bucket.capabilities.lists_body_sizes:
                assert found.info.size == 10, "get with `first` must return the size of the whole object"
        few = await self.bucket.get(self.key(), max_bytes=4, first=4)
        assert few is not None, "with `first`, max_bytes is a limit of the bytes to return"
        try:
            await self.bucket.get(self.key(), max_bytes=3, first=4)
        except ObjectTooLargeError as error:
            assert (error.key, error.limit) == (self.key(), 3), "ObjectTooLargeError must have key and limit"
        else:
            pytest.fail("max_bytes is ignored: 4 bytes were given to a get with max_bytes=3 and first=4")

    async def test_many_first_bytes_come_whole(self) -> None:
        body = bytes(range(256)) * 2000
        await self.bucket.put(self.key(), body)
        for first in (200_001, len(body) - 1):
            found = await self.bucket.get(self.key(), max_bytes=LIMIT, first=first)
            assert found is not None, "get with `first` does not find the object that was just put"
            assert found.body == body[:first], (
                f"get with first={first} must return {first} bytes, not {len(found.body)}"
            )

    async def test_the_first_bytes_of_an_empty_object_and_of_a_missing_key(self) -> None:
        await self.bucket.put(self.key("empty"), b"")
        found = await self.bucket.get(self.key("empty"), max_bytes=LIMIT, first=5)
        assert found is not None, "get with `first` must return an empty object"
        assert found.body == b"", "an empty object has no first bytes"
        missing = await self.bucket.get(self.key("missing"), max_bytes=LIMIT, first=5)
        assert missing is None, "get of a missing key must return None"

    async def test_a_copy_replaces_the_target_and_keeps_the_source(self) -> None:
        for source, target in (("a b/é%+.json", "folder/target"), ("folder/target", "folder/target 2")):
            await self.bucket.put(
                self.key(source), source.encode(), content_type="application/json", metadata={"a": "b"}
            )
            await self.bucket.put(self.key(target), b"replaced", metadata={"replaced": "x"})
            copied = await self.bucket.copy(self.key(source), self.key(target))
            assert copied is True, "copy of an object must return True"
            for key in (source, target):
                assert await self.body_of(self.key(key)) == source.encode(), (
                    "copy must write the source's bytes at the target, and leave the source"
                )
            one, other = await self.bucket.head(self.key(source)), await self.bucket.head(self.key(target))
            assert one is not None, "head does not find the source of a copy"
            assert other is not None, "head does not find the target of a copy"
            if self.bucket.capabilities.keeps_metadata:
                assert (other.content_type, dict(other.metadata)) == (one.content_type, dict(one.metadata)), (
                    "a copy must have the content type and the metadata of its source"
                )

    async def test_a_copy_to_itself_leaves_the_object(self) -> None:
        await self.bucket.put(self.key(), b"body", metadata={"a": "b"})
        assert await self.bucket.copy(self.key(), self.key()) is True, (
            "copy of an object to itself must return True"
        )
        assert await self.body_of(self.key()) == b"body", "copy of an object to itself must leave its body"
        assert await self.bucket.copy(self.key("missing"), self.key("missing")) is False, (
            "copy of a missing key must return False"
        )

    async def test_a_copy_of_a_missing_key_changes_nothing(self) -> None:
        await self.bucket.put(self.key("target"), b"stays")
        copied = await self.bucket.copy(self.key("missing"), self.key("target"))
        assert copied is False, "copy of a missing key must return False"
        assert await self.body_of(self.key("target")) == b"stays", (
            "copy of a missing key must leave the target"
        )

    async def test_another_bucket_object_sees_every_change_at_once(self) -> None:
        one, other = self.open(), self.open()
        assert one.location == other.location, "bucket objects at one location must have one `location`"
        for body in (b"first", b"second"):
            version = await one.put(self.key(), body)
            assert await self.body_of(self.key(), other) == body, "a get after a put must return the new body"
            head = await other.head(self.key())
            assert head is not None, "a head after a put must find it"
            assert head.version == version, (
                "a head after a put must return its version for every bucket object"
            )
        await one.delete([self.key()])
        assert await self.body_of(self.key(), other) is None, "a get after a delete must return None"
        assert await other.head(self.key()) is None, "a head after a delete must return None"
        page = await other.list_page(self.key())
        assert not page.objects, "a listing after a delete must not have the key"

    async def test_a_delete_of_a_missing_key_succeeds(self) -> None:
        await self.bucket.delete([])
        await self.bucket.delete([self.key()])
        await self.bucket.put(self.key(), b"x")
        await self.bucket.delete([self.key(), self.key("missing")])
        assert await self.bucket.head(self.key()) is None, (
            "delete left a key that it was given with a missing one"
        )

    async def test_a_delete_takes_the_named_keys_and_no_others(self) -> None:
        near = [self.key(name) for name in ("a.json.b", "a.jsonb", "a", "b/a.json")]
        for key in (self.key("a.json"), *near):
            await self.bucket.put(key, b"x")
        await self.bucket.delete([self.key("a.json")])
        left = [key for key in near if await self.bucket.head(key)]
        assert left == near, f"delete of 'a.json' took others with it: {sorted(set(near) - set(left))}"

    async def test_a_closed_bucket_may_be_used_again(self) -> None:
        await self.bucket.put(self.key(), b"x")
        await self.bucket.close()
        await self.bucket.close()
        assert await self.body_of(self.key()) == b"x", "a bucket must be usable after close"

    async def test_a_bucket_has_a_name_and_a_location(self) -> None:
        assert self.bucket.name, "a bucket must have a `name`"
        assert self.bucket.location, "a bucket must have a `location`"
        assert self.bucket.capabilities.page_limit >= 1000, "`capabilities.page_limit` must be at least 1,000"
        assert await self.bucket.temporary_objects(self.prefix) == [], (
            "a bucket without running writes must have no temporary objects"
        )
