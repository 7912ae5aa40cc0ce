"""Conditions: a put that may only replace what its writer has seen."""

from __future__ import annotations

import pytest

from sessionbucket._core.objects import Absent, Anything, Condition, Match, PreconditionFailedError
from sessionbucket.testing._sync.conformance.bucket_case import BucketCase


class ConditionTests(BucketCase):
    """``put`` with ``Absent``, ``Match`` and ``Anything``, one writer after the other."""

    def refused(self, body: bytes, condition: Condition, why: str) -> None:
        """Put, and fail with ``why`` unless it is refused as it must be."""
        try:
            self.bucket.put(self.key(), body, condition=condition)
        except PreconditionFailedError as error:
            assert error.key == self.key(), "PreconditionFailedError must have the key"
            assert not error.retried, "`retried` is for a put that was sent twice"
        else:
            pytest.fail(f"the condition was ignored: {why} must raise PreconditionFailedError")

    def test_absent_puts_a_new_key_only(self) -> None:
        self.bucket.put(self.key(), b"first", condition=Absent())
        self.refused(b"second", Absent(), "put with Absent() over an object that is there")
        assert self.body_of(self.key()) == b"first", "a refused put must change nothing"

    def test_match_replaces_that_version_only(self) -> None:
        first = self.bucket.put(self.key(), b"first")
        second = self.bucket.put(self.key(), b"second", condition=Match(first))
        self.refused(b"third", Match(first), "put with Match() of a version that was replaced")
        assert self.body_of(self.key()) == b"second", "a refused put must change nothing"
        self.bucket.put(self.key(), b"third", condition=Match(second))
        assert self.body_of(self.key()) == b"third", "a put whose condition holds must be done"

    def test_match_takes_the_version_that_get_and_head_give(self) -> None:
        self.bucket.put(self.key(), b"first")
        head = self.bucket.head(self.key())
        assert head is not None, "head does not find what was just put"
        self.bucket.put(self.key(), b"second", condition=Match(head.version or ""))
        found = self.bucket.get(self.key(), max_bytes=100)
        assert found is not None, "get does not find what was just put"
        self.bucket.put(self.key(), b"third", condition=Match(found.info.version or ""))
        assert self.body_of(self.key()) == b"third", "a put whose condition holds must be done"

    def test_match_on_a_missing_key_puts_nothing(self) -> None:
        version = self.bucket.put(self.key(), b"first")
        self.bucket.delete([self.key()])
        self.refused(b"second", Match(version), "put with Match() on a key that was deleted")
        assert self.bucket.head(self.key()) is None, "a refused put must change nothing"

    def test_a_refused_put_of_a_new_key_leaves_nothing_behind(self) -> None:
        self.refused(b"x", Match('"no such version"'), "put with Match() on a key that never was")
        page = self.bucket.list_page(self.prefix)
        assert not page.objects, "a refused put must leave nothing behind"

    def test_absent_holds_again_after_a_delete(self) -> None:
        self.bucket.put(self.key(), b"first", condition=Absent())
        self.bucket.delete([self.key()])
        self.bucket.put(self.key(), b"second", condition=Absent())
        assert self.body_of(self.key()) == b"second", "Absent() must hold again after a delete"

    def test_anything_puts_in_any_case(self) -> None:
        self.bucket.put(self.key(), b"first", condition=Anything())
        self.bucket.put(self.key(), b"second", condition=Anything())
        assert self.body_of(self.key()) == b"second", "put with Anything() must replace what is there"

    def test_a_condition_is_about_one_key(self) -> None:
        self.bucket.put(self.key("folder/object.json2"), b"near")
        self.bucket.put(self.key("folder2"), b"above", condition=Absent())
        self.bucket.put(self.key(), b"first", condition=Absent())
        assert self.body_of(self.key()) == b"first", "Absent() must not look at other keys"
