# Generated from sessionbucket/testing/_async/conformance/conditions.py by scripts/generate_sync.py: do not edit.
"""Conditions: a put that may only replace what its writer has seen."""

from __future__ import annotations

import pytest

from sessionbucket import Always, Condition, IfAbsent, IfMatch, PreconditionFailedError
from sessionbucket.testing._sync.conformance.bucket_case import BucketCase


class ConditionTests(BucketCase):
    """``put`` with ``IfAbsent``, ``IfMatch`` and ``Always``, one writer after the other."""

    def refused(self, body: bytes, condition: Condition, why: str) -> None:
        """Put, and fail with ``why`` unless it is refused as it must be."""
        try:
            self.bucket.put(self.key(), body, condition=condition)
        except PreconditionFailedError as error:
            assert error.key == self.key(), "PreconditionFailedError must have the key"
            assert not error.retried, "`retried` is for a put that was sent twice"
        else:
            pytest.fail(f"the condition was ignored: {why} must raise PreconditionFailedError")

    def test_if_absent_puts_a_new_key_only(self) -> None:
        self.bucket.put(self.key(), b"first", condition=IfAbsent())
        self.refused(b"second", IfAbsent(), "put with IfAbsent() over an existing object")
        assert self.body_of(self.key()) == b"first", "a refused put must change nothing"

    def test_if_match_replaces_that_version_only(self) -> None:
        first = self.bucket.put(self.key(), b"first")
        second = self.bucket.put(self.key(), b"second", condition=IfMatch(first))
        self.refused(b"third", IfMatch(first), "put with IfMatch() of a version that was replaced")
        assert self.body_of(self.key()) == b"second", "a refused put must change nothing"
        self.bucket.put(self.key(), b"third", condition=IfMatch(second))
        assert self.body_of(self.key()) == b"third", "a put whose condition holds must be done"

    def test_if_match_accepts_the_version_of_get_and_head(self) -> None:
        self.bucket.put(self.key(), b"first")
        head = self.bucket.head(self.key())
        assert head is not None, "head does not find the object that was just put"
        self.bucket.put(self.key(), b"second", condition=IfMatch(head.version or ""))
        found = self.bucket.get(self.key(), max_bytes=100)
        assert found is not None, "get does not find the object that was just put"
        self.bucket.put(self.key(), b"third", condition=IfMatch(found.info.version or ""))
        assert self.body_of(self.key()) == b"third", "a put whose condition holds must be done"

    def test_if_match_on_a_missing_key_puts_nothing(self) -> None:
        version = self.bucket.put(self.key(), b"first")
        self.bucket.delete([self.key()])
        self.refused(b"second", IfMatch(version), "put with IfMatch() on a key that was deleted")
        assert self.bucket.head(self.key()) is None, "a refused put must change nothing"

    def test_a_refused_put_of_a_new_key_leaves_nothing_behind(self) -> None:
        self.refused(b"x", IfMatch('"no such version"'), "put with IfMatch() on a key that never was")
        page = self.bucket.list_page(self.prefix)
        assert not page.objects, "a refused put must leave nothing behind"

    def test_if_absent_holds_again_after_a_delete(self) -> None:
        self.bucket.put(self.key(), b"first", condition=IfAbsent())
        self.bucket.delete([self.key()])
        self.bucket.put(self.key(), b"second", condition=IfAbsent())
        assert self.body_of(self.key()) == b"second", "IfAbsent() must hold again after a delete"

    def test_an_unconditional_put_always_succeeds(self) -> None:
        self.bucket.put(self.key(), b"first", condition=Always())
        self.bucket.put(self.key(), b"second", condition=Always())
        assert self.body_of(self.key()) == b"second", "put with Always() must replace the object"

    def test_a_condition_is_about_one_key(self) -> None:
        self.bucket.put(self.key("folder/object.json2"), b"near")
        self.bucket.put(self.key("folder2"), b"above", condition=IfAbsent())
        self.bucket.put(self.key(), b"first", condition=IfAbsent())
        assert self.body_of(self.key()) == b"first", "IfAbsent() must not look at other keys"
