"""Conditions: a put that may only replace what its writer has seen."""

from __future__ import annotations

import pytest

from sessionbucket import Always, Condition, IfAbsent, IfMatch, PreconditionFailedError
from sessionbucket.testing._async.conformance.bucket_case import AsyncBucketCase


class AsyncConditionTests(AsyncBucketCase):
    """``put`` with ``IfAbsent``, ``IfMatch`` and ``Always``, one writer after the other."""

    async def refused(self, body: bytes, condition: Condition, why: str) -> None:
        """Put, and fail with ``why`` unless it is refused as it must be."""
        try:
            await self.bucket.put(self.key(), body, condition=condition)
        except PreconditionFailedError as error:
            assert error.key == self.key(), "PreconditionFailedError must have the key"
            assert not error.retried, "`retried` is for a put that was sent twice"
        else:
            pytest.fail(f"the condition was ignored: {why} must raise PreconditionFailedError")

    async def test_if_absent_puts_a_new_key_only(self) -> None:
        await self.bucket.put(self.key(), b"first", condition=IfAbsent())
        await self.refused(b"second", IfAbsent(), "put with IfAbsent() over an existing object")
        assert await self.body_of(self.key()) == b"first", "a refused put must change nothing"

    async def test_if_match_replaces_that_version_only(self) -> None:
        first = await self.bucket.put(self.key(), b"first")
        second = await self.bucket.put(self.key(), b"second", condition=IfMatch(first))
        await self.refused(b"third", IfMatch(first), "put with IfMatch() of a version that was replaced")
        assert await self.body_of(self.key()) == b"second", "a refused put must change nothing"
        await self.bucket.put(self.key(), b"third", condition=IfMatch(second))
        assert await self.body_of(self.key()) == b"third", "a put whose condition holds must be done"

    async def test_if_match_accepts_the_version_of_get_and_head(self) -> None:
        await self.bucket.put(self.key(), b"first")
        head = await self.bucket.head(self.key())
        assert head is not None, "head does not find the object that was just put"
        await self.bucket.put(self.key(), b"second", condition=IfMatch(head.version or ""))
        found = await self.bucket.get(self.key(), max_bytes=100)
        assert found is not None, "get does not find the object that was just put"
        await self.bucket.put(self.key(), b"third", condition=IfMatch(found.info.version or ""))
        assert await self.body_of(self.key()) == b"third", "a put whose condition holds must be done"

    async def test_if_match_on_a_missing_key_puts_nothing(self) -> None:
        version = await self.bucket.put(self.key(), b"first")
        await self.bucket.delete([self.key()])
        await self.refused(b"second", IfMatch(version), "put with IfMatch() on a key that was deleted")
        assert await self.bucket.head(self.key()) is None, "a refused put must change nothing"

    async def test_a_refused_put_of_a_new_key_leaves_nothing_behind(self) -> None:
        await self.refused(b"x", IfMatch('"no such version"'), "put with IfMatch() on a key that never was")
        page = await self.bucket.list_page(self.prefix)
        assert not page.objects, "a refused put must leave nothing behind"

    async def test_if_absent_holds_again_after_a_delete(self) -> None:
        await self.bucket.put(self.key(), b"first", condition=IfAbsent())
        await self.bucket.delete([self.key()])
        await self.bucket.put(self.key(), b"second", condition=IfAbsent())
        assert await self.body_of(self.key()) == b"second", "IfAbsent() must hold again after a delete"

    async def test_an_unconditional_put_always_succeeds(self) -> None:
        await self.bucket.put(self.key(), b"first", condition=Always())
        await self.bucket.put(self.key(), b"second", condition=Always())
        assert await self.body_of(self.key()) == b"second", "put with Always() must replace the object"

    async def test_a_condition_is_about_one_key(self) -> None:
        await self.bucket.put(self.key("folder/object.json2"), b"near")
        await self.bucket.put(self.key("folder2"), b"above", condition=IfAbsent())
        await self.bucket.put(self.key(), b"first", condition=IfAbsent())
        assert await self.body_of(self.key()) == b"first", "IfAbsent() must not look at other keys"
