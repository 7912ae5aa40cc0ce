# Generated from sessionbucket/testing/_async/conformance/versions.py by scripts/generate_sync.py: do not edit.
"""Versions: what a versioned bucket keeps of an object that was replaced or deleted, and how it is erased."""

from __future__ import annotations

import pytest

from sessionbucket import (
    IfAbsent,
    IfMatch,
    NotSupportedError,
    ObjectTooLargeError,
    ObjectVersion,
    PreconditionFailedError,
)
from sessionbucket.testing._sync.conformance.bucket_case import LIMIT, BucketCase

Versions = list[ObjectVersion]


class VersionTests(BucketCase):
    """``keeps_versions``, ``list_versions``, ``get_version`` and ``erase``. A bucket that keeps none skips them."""

    def versions_of(self, prefix: str, limit: int = 1000) -> Versions:
        """All versions under the prefix, listed in pages."""
        found: Versions = []
        start: tuple[str, str] | None = ("", "")
        while start is not None:
            page = self.bucket.list_versions(prefix, start_after=start, limit=limit)
            assert len(page.versions) <= limit, f"a page of limit={limit} has {len(page.versions)} versions"
            found += page.versions
            assert len(found) < 1000, "a listing of versions must end"
            start = page.next_start_after
        return found

    def require_versions(self) -> None:
        try:
            keeps_versions = self.bucket.keeps_versions()
        except NotSupportedError:
            pytest.skip("the bucket cannot find out whether it keeps versions")
        if not keeps_versions:
            pytest.skip("the bucket keeps no versions")

    def body_of_version(self, version: ObjectVersion) -> bytes | None:
        found = self.bucket.get_version(version.key, version.version_id, max_bytes=LIMIT)
        return found.body if found else None

    def test_every_put_keeps_the_version_before_it(self) -> None:
        self.require_versions()
        bodies = [b"one", b"two", b"one", b"three"]
        etags = [self.bucket.put(self.key(), body, metadata={"n": body.decode()}) for body in bodies]
        found = self.versions_of(self.key())
        listed = [self.body_of_version(each) for each in found]
        assert listed == bodies[::-1], f"versions must come newest first, each with its body, not as {listed}"
        assert [each.version for each in found] == etags[::-1], "a listed version must have its own ETag"
        assert [each.is_current for each in found] == [True, False, False, False], (
            "the newest version, and no other, must be the current one"
        )
        assert [each.size for each in found] == [len(body) for body in bodies[::-1]]
        assert not any(each.is_delete for each in found), "a put must make no delete marker"
        assert len({each.version_id for each in found}) == len(bodies), "an id must name one version"
        oldest = self.bucket.get_version(self.key(), found[-1].version_id, max_bytes=LIMIT)
        assert oldest is not None, "get_version must return a listed version"
        if self.bucket.capabilities.keeps_metadata:
            assert oldest.info.metadata == {"n": "one"}, "a version must have the metadata of its own put"

    def test_a_delete_keeps_the_versions_and_erase_brings_them_back(self) -> None:
        self.require_versions()
        self.bucket.put(self.key(), b"kept")
        self.bucket.delete([self.key()])
        found = self.versions_of(self.key())
        assert sorted(each.is_delete for each in found) == [False, True], (
            "a delete must keep the version and make one delete marker"
        )
        marker = next(each for each in found if each.is_delete)
        assert marker.is_current, "the delete marker must be the current version"
        assert self.body_of_version(marker) is None, "a delete marker has no body"
        assert self.bucket.erase([marker]) == [], "erase must return the versions that it did not erase"
        assert self.body_of(self.key()) == b"kept", "without the delete marker the object must be back"

    def test_conditions_see_the_current_version_alone(self) -> None:
        self.require_versions()
        first = self.bucket.put(self.key(), b"first")
        self.bucket.delete([self.key()])
        with pytest.raises(PreconditionFailedError):
            self.bucket.put(self.key(), b"refused", condition=IfMatch(first))
        self.bucket.put(self.key(), b"second", condition=IfAbsent())
        with pytest.raises(PreconditionFailedError):
            self.bucket.put(self.key(), b"refused", condition=IfMatch(first))
        assert len(self.versions_of(self.key())) == 3, "a refused put must make no version"

    def test_erase_takes_the_named_versions_and_no_others(self) -> None:
        self.require_versions()
        for key in (self.key("a"), self.key("ab"), self.key("a/b")):
            for body in (b"1", b"2", b"3"):
                self.bucket.put(key, body)
        old = [each for each in self.versions_of(self.key("a")) if not each.is_current]
        chosen = [each for each in old if each.key == self.key("a")]
        self.bucket.erase(chosen)
        left = self.versions_of(self.key("a"))
        assert {each.key for each in left} == {self.key("a"), self.key("ab"), self.key("a/b")}
        assert [each.is_current for each in left if each.key == self.key("a")] == [True], (
            "erase must erase the named versions"
        )
        assert len(left) == 7, "erase must take no version that it was not given"
        assert [self.body_of_version(each) for each in chosen] == [None, None], (
            "get_version of an erased version must return None"
        )
        assert self.body_of(self.key("a")) == b"3", "erasing old versions must leave the object"
        assert self.bucket.erase(chosen) == [], "a missing version counts as erased"
        assert self.bucket.erase([]) == []

    def test_versions_come_in_the_order_of_their_keys(self) -> None:
        self.require_versions()
        names = ("a", "a.b", "a/b", "ab", "b c+%", "ü")
        for name in reversed(names):
            for body in (b"1", b"2"):
                self.bucket.put(self.key(name), body)
        keys = [each.key for each in self.versions_of(self.prefix)]
        assert keys == [self.key(name) for name in names for _ in range(2)], (
            f"versions must come in the order of their keys' UTF-8 bytes, not as {keys}"
        )

    def test_pages_of_versions_have_each_version_once(self) -> None:
        self.require_versions()
        names = ("a", "ab", "b")
        for name in names:
            for body in (b"1", b"2", b"3"):
                self.bucket.put(self.key(name), body)
        self.bucket.delete([self.key("ab")])
        everything = self.versions_of(self.prefix)
        assert len(everything) == 10, (
            f"3 keys have 9 versions and a delete marker, not {len(everything)} rows"
        )
        for limit in (1, 2, 5):
            paged = self.versions_of(self.prefix, limit)
            assert sorted(paged) == sorted(everything), f"pages of limit={limit} must have each version once"

    def test_a_version_over_the_limit_is_refused_with_its_size(self) -> None:
        self.require_versions()
        self.bucket.put(self.key(), b"12345")
        [version] = self.versions_of(self.key())
        try:
            self.bucket.get_version(self.key(), version.version_id, max_bytes=4)
        except ObjectTooLargeError as error:
            assert (error.size, error.limit) == (5, 4)
        else:
            pytest.fail("max_bytes is ignored: get_version must raise ObjectTooLargeError")
