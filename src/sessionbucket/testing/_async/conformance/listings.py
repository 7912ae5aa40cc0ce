"""Listings, held against the rules of ListObjectsV2, computed here from the keys."""

from __future__ import annotations

from itertools import pairwise, product

import pytest

from sessionbucket.testing._async.conformance.bucket_case import AsyncBucketCase

NAMES = (
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
)
"""Names whose order differs by bytes, by UTF-16, by case, by language, and with folders sorted without their slash."""

PREFIXES = ("", "a", "artifacts", "artifacts/", "artifacts/s", "z/1", "b%", "é", "none", "none/")


class AsyncListingTests(AsyncBucketCase):
    """``list_page``."""

    async def put_all(self) -> None:
        await self.fill([self.key(name) for name in reversed(NAMES)])

    def expected(self, prefix: str, delimiter: str, start_after: str = "") -> list[str]:
        """The rows that S3 has, in the order of their UTF-8 bytes."""
        rows = set()
        for key in map(self.key, NAMES):
            if key.startswith(prefix):
                cut = key.find(delimiter, len(prefix)) if delimiter else -1
                rows.add(key if cut < 0 else key[: cut + 1])
        return sorted((row for row in rows if row.encode() > start_after.encode()), key=str.encode)

    async def pages(
        self, prefix: str, delimiter: str = "", *, limit: int = 1000, start_after: str = ""
    ) -> list[list[str]]:
        """The rows of every page: objects and folders together, sorted."""
        found: list[list[str]] = []
        after: str | None = start_after
        while after is not None:
            page = await self.bucket.list_page(prefix, delimiter=delimiter, start_after=after, limit=limit)
            rows = sorted([*(info.key for info in page.objects), *page.folders], key=str.encode)
            assert len(rows) <= limit, f"a page of limit={limit} has {len(rows)} rows; a folder is one row"
            assert page.next_start_after is None or page.next_start_after.encode() > after.encode(), (
                f"next_start_after {page.next_start_after!r} does not lie behind {after!r}, where the page began"
            )
            found.append(rows)
            after = page.next_start_after
        return found

    def compare(self, listed: list[list[str]], expected: list[str]) -> None:
        rows = [row for page in listed for row in page]
        twice = {row for row in rows if rows.count(row) > 1}
        missing, surplus = set(expected) - set(rows), set(rows) - set(expected)
        assert not missing, f"the listing lacks {sorted(missing)}"
        assert not surplus, f"the listing has {sorted(surplus)}, which should not be there"
        assert not twice, f"the listing has {sorted(twice)} more than once"

    @pytest.mark.parametrize("delimiter", ["", "/"])
    async def test_a_listing_has_the_keys_under_the_prefix_or_their_folders(self, delimiter: str) -> None:
        await self.put_all()
        for prefix in map(self.key, PREFIXES):
            self.compare(await self.pages(prefix, delimiter), self.expected(prefix, delimiter))

    @pytest.mark.parametrize("delimiter", ["", "/"])
    async def test_rows_come_in_the_order_of_their_utf8_bytes(self, delimiter: str) -> None:
        await self.put_all()
        page = await self.bucket.list_page(self.prefix, delimiter=delimiter)
        for rows in ([info.key for info in page.objects], page.folders):
            for one, next_ in pairwise(rows):
                assert one.encode() < next_.encode(), (
                    f"list_page is not sorted: it returned {one!r} before {next_!r}; rows must come in the order of their UTF-8 bytes"
                )

    @pytest.mark.parametrize("delimiter", ["", "/"])
    async def test_pages_of_any_size_have_every_row_once_and_in_order(self, delimiter: str) -> None:
        await self.put_all()
        expected = self.expected(self.prefix, delimiter)
        for limit in (1, 2, 3, 7):
            listed = await self.pages(self.prefix, delimiter, limit=limit)
            self.compare(listed, expected)
            assert [row for page in listed for row in page] == expected, (
                f"pages of limit={limit} are not sorted: a row of a later page lies before one of an earlier"
            )

    @pytest.mark.parametrize("delimiter", ["", "/"])
    async def test_a_listing_starts_after_any_row_or_key(self, delimiter: str) -> None:
        await self.put_all()
        starts = (
            "artifacts/",
            "artifacts/s/",
            "artifacts/s/artifacts.json",
            "b",
            "traces/s.json",
            "z/1",
            "zzz",
        )
        for start in [*self.expected(self.prefix, delimiter), *map(self.key, starts)]:
            page = await self.bucket.list_page(self.prefix, delimiter=delimiter, start_after=start)
            rows = [*(info.key for info in page.objects), *page.folders]
            expected = self.expected(self.prefix, delimiter, start)
            assert sorted(rows, key=str.encode) == expected, (
                f"start_after={start!r} must leave out the rows up to and including it, and no others"
            )

    async def test_a_folder_that_ends_at_or_before_the_start_is_not_a_row(self) -> None:
        await self.put_all()
        starts = map(self.key, ("artifacts/s/", "artifacts/s/artifacts.json", "z/1", "traces/s.json"))
        for start, limit in product(starts, (1, 2, 1000)):
            listed = await self.pages(self.prefix, "/", limit=limit, start_after=start)
            rows = [row for page in listed for row in page]
            assert rows == self.expected(self.prefix, "/", start), (
                f"start_after={start!r} must leave out the rows up to and including it, and no others: a folder is a row "
                "where its own name lies behind the start"
            )

    async def test_a_start_that_ends_in_a_slash_is_before_every_key_of_that_folder(self) -> None:
        names = ("d/a.x", "d/a/1", "d/a/2/3", "d/a/b", "d/ab", "d/b/1", "e")
        await self.fill([self.key(name) for name in names])
        for prefix, start in product(("", "d/", "d/a", "d/a/"), ("d/a/", "d/a/2/", "d/b/", "d/none/")):
            page = await self.bucket.list_page(self.key(prefix), start_after=self.key(start))
            rows = sorted(info.key.removeprefix(self.prefix) for info in page.objects)
            expected = [name for name in names if name.startswith(prefix) and name > start]
            assert rows == expected, (
                f"start_after={start!r} under the prefix {prefix!r} must give {expected}, not {rows}: a start that ends in a "
                "slash leaves out no key below it"
            )

    async def test_a_listing_has_sizes_and_times(self) -> None:
        await self.bucket.put(self.key("a"), b"12345")
        head = await self.bucket.head(self.key("a"))
        page = await self.bucket.list_page(self.prefix)
        assert head is not None, "head does not find the object that was just put"
        if self.bucket.capabilities.lists_body_sizes:
            assert [info.size for info in page.objects] == [5], "a listing must have the sizes in bytes"
        difference = page.objects[0].updated_at - head.updated_at
        assert abs(difference.total_seconds()) < 1, "a listing must have the same updated_at as head"

    async def test_an_empty_place_lists_as_one_empty_page(self) -> None:
        page = await self.bucket.list_page(self.key("nothing/"))
        assert (page.objects, page.folders, page.next_start_after) == ([], [], None), (
            "a listing of nothing must be one empty page, and the last"
        )

    async def test_more_than_a_thousand_keys_are_listed_and_deleted(self) -> None:
        keys = [self.key(f"many/{number:05d}") for number in range(1101)]
        await self.fill(keys)
        self.compare(await self.pages(self.key("many/")), keys)
        await self.bucket.delete([*keys, self.key("many/none")])
        left = await self.bucket.list_page(self.key("many/"))
        assert not left.objects, f"a delete of {len(keys)} keys left {len(left.objects)} or more"
