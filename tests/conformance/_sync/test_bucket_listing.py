"""The port: listings. Every bucket is held against the rules of ListObjectsV2, computed here from the keys."""

from __future__ import annotations

import pytest

from conformance._sync.conftest import Opener
from conformance.locations import FILE, SEAWEEDFS
from sessionbucket import Bucket

KEYS = [
    "a.json",
    "a-b.json",
    "artifacts-x.json",
    "artifacts.json",
    "artifacts/s/artifacts.json",
    "artifacts/s/files/1",
    "artifacts/s.t/artifacts.json",
    "traces/s.json",
    "B.json",
    "b c.json",
    "b%2Fc.json",
    "b+c=d,@~.json",
    "é.json",
    "\uffee.json",
    "\U0001f600.json",
    "z/1",
    "z/1.5/x",
    "z/10",
    "z~",
]


def rows_of(keys: list[str], prefix: str, delimiter: str, start_after: str) -> list[str]:
    """What S3 lists, by its documentation: objects and folders in the order of their UTF-8 bytes."""
    rows = set()
    for key in keys:
        if key.startswith(prefix):
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            rows.add(key if cut < 0 else key[: cut + 1])
    return sorted((row for row in rows if row.encode() > start_after.encode()), key=str.encode)


def pages(
    bucket: Bucket,
    prefix: str,
    delimiter: str,
    limit: int,
    start_after: str = "",
    *,
    in_order: bool = True,
) -> list[list[str]]:
    """The rows of every page, each page in the order of its rows."""
    found: list[list[str]] = []
    after: str | None = start_after
    while after is not None:
        page = bucket.list_page(prefix, delimiter=delimiter, start_after=after, limit=limit)
        keys = [info.key for info in page.objects]
        if in_order:
            assert keys == sorted(keys, key=str.encode)
            assert page.folders == sorted(page.folders, key=str.encode)
            assert page.next_start_after is None or page.next_start_after.encode() > after.encode()
        found.append(sorted([*keys, *page.folders], key=str.encode))
        after = page.next_start_after
    return found


@pytest.fixture
def full(bucket: Bucket, opener: Opener) -> Bucket:
    def put(name: str) -> None:
        bucket.put(opener.location.key(name), name.encode())

    for name in KEYS:
        put(name)
    return bucket


def in_byte_order(opener: Opener) -> None:
    if opener.location.kind == SEAWEEDFS:
        pytest.skip("SeaweedFS sorts a folder by its name without the slash, so rows differ from S3's")


@pytest.mark.parametrize("delimiter", ["", "/"])
@pytest.mark.parametrize(
    "prefix", ["", "a", "artifacts", "artifacts/", "artifacts/s", "z/1", "b%", "é", "none", "none/"]
)
def test_a_listing_has_the_rows_of_s3(full: Bucket, opener: Opener, prefix: str, delimiter: str):
    at = opener.location.key
    expected = rows_of([at(name) for name in KEYS], at(prefix), delimiter, "")
    listed = pages(full, at(prefix), delimiter, 1000, in_order=opener.location.kind != SEAWEEDFS)
    assert listed == [expected]


@pytest.mark.parametrize("delimiter", ["", "/"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_of_any_size_have_every_row_once_and_in_order(
    full: Bucket, opener: Opener, limit: int, delimiter: str
):
    in_byte_order(opener)
    at = opener.location.key
    expected = rows_of([at(name) for name in KEYS], at(""), delimiter, "")
    listed = pages(full, at(""), delimiter, limit)
    assert [row for page in listed for row in page] == expected
    assert all(len(page) == limit for page in listed[:-1])


@pytest.mark.parametrize("delimiter", ["", "/"])
def test_every_row_can_be_started_after(full: Bucket, opener: Opener, delimiter: str):
    in_byte_order(opener)
    at = opener.location.key
    keys = [at(name) for name in KEYS]
    for row in [
        *rows_of(keys, at(""), delimiter, ""),
        at("b"),
        at("zzz"),
        at("artifacts/"),
        at("artifacts/s/"),
    ]:
        expected = rows_of(keys, at(""), delimiter, row)
        listed = pages(full, at(""), delimiter, 1000, row)
        assert [each for page in listed for each in page] == expected, row


@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_a_folder_that_ends_at_or_before_the_start_is_not_a_row(full: Bucket, opener: Opener, limit: int):
    in_byte_order(opener)
    at = opener.location.key
    for start in ("artifacts/s/", "artifacts/s/artifacts.json", "z/1", "traces/s.json"):
        expected = rows_of([at(name) for name in KEYS], at(""), "/", at(start))
        listed = pages(full, at(""), "/", limit, at(start))
        assert [row for page in listed for row in page] == expected, start


def test_a_listing_knows_sizes_times_and_where_it_can_versions(full: Bucket, opener: Opener):
    at = opener.location.key
    page = full.list_page(at("a"), delimiter="/")
    by_name = {info.key: info for info in page.objects}
    for name in ("a.json", "a-b.json"):
        head = full.head(at(name))
        assert head is not None
        listed = by_name[at(name)]
        assert listed.size == head.size == len(name)
        assert abs((listed.updated_at - head.updated_at).total_seconds()) < 1
        assert listed.version == (None if opener.location.kind == FILE else head.version)


def test_an_empty_place_lists_as_one_empty_page(bucket: Bucket, opener: Opener):
    page = bucket.list_page(opener.location.key(""))
    assert (page.objects, page.folders, page.next_start_after) == ([], [], None)


def test_more_than_a_thousand_keys_are_listed_and_deleted(bucket: Bucket, opener: Opener):
    count = 1101 if opener.location.kind == SEAWEEDFS else 2101
    names = [f"many/{number:05d}" for number in range(count)]
    keys = [opener.location.key(name) for name in names]
    opener.fill(names)
    listed = pages(bucket, opener.location.key("many/"), "", 1000)
    assert [len(page) for page in listed[:-1]] == [1000] * (count // 1000)
    assert [key for page in listed for key in page] == keys
    bucket.delete([*keys, opener.location.key("many/none")])
    assert opener.names() == []
