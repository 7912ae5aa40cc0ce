"""The port: further promises of our own buckets' listings."""

from __future__ import annotations

from conformance.conftest import Opener
from conformance.locations import FILE
from sessionbucket import Bucket


def test_every_page_but_the_last_is_full(bucket: Bucket, opener: Opener):
    at = opener.location.key
    names = [f"{folder}/{number}" for folder in "abc" for number in range(3)]
    opener.fill([*names, "d", "e"])
    for delimiter, limit, sizes in (("", 4, [4, 4, 3]), ("/", 2, [2, 2, 1])):
        found, after = [], ""
        while after is not None:
            page = bucket.list_page(at(""), delimiter=delimiter, start_after=after, limit=limit)
            found.append(len(page.objects) + len(page.folders))
            after = page.next_start_after
        assert found == sizes


def test_more_than_a_thousand_rows_take_pages_of_a_thousand(bucket: Bucket, opener: Opener):
    opener.fill([f"many/{number:05d}" for number in range(1101)])
    first = bucket.list_page(opener.location.key("many/"))
    assert first.next_start_after is not None
    second = bucket.list_page(opener.location.key("many/"), start_after=first.next_start_after)
    assert (len(first.objects), len(second.objects), second.next_start_after) == (1000, 101, None)


def test_a_listing_has_versions_except_in_a_folder(bucket: Bucket, opener: Opener):
    version = bucket.put(opener.location.key("a"), b"x")
    page = bucket.list_page(opener.location.key(""))
    assert [info.version for info in page.objects] == [None if opener.location.kind == FILE else version]
