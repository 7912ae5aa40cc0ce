"""Listing the threads, sessions and conversations of an integration, from the keys of its folder."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sessionbucket._async.documents import AsyncDocumentStore
from sessionbucket._async.second_listing import AsyncSecondListing
from sessionbucket._concurrency.asyncio_ import closing, gather
from sessionbucket._core.append_logs import HEAD_BYTES
from sessionbucket._core.integration_folders import Folder, Names
from sessionbucket._core.objects import PAGE_LIMIT
from sessionbucket._core.pagination import check_limit, decode_cursor, encode_cursor
from sessionbucket._core.results import DocumentInfo, IntegrationInfo, IntegrationPage
from sessionbucket.errors import InvalidArgumentError

_BATCH = 256
_CONCURRENCY = 32
_MOST_OBJECTS = 10_000
_LAST_CHARACTER = "\U0010ffff"


@dataclass(slots=True)
class _Item:
    """The objects of one item so far. ``names`` are encoded, as in ``key``; ``named_by`` is an object that has them whole.

    ``last`` is the last key in the order of the listing.
    """

    names: Names
    key: str
    updated_at: datetime
    last: str
    objects: int = 0
    size: int = 0
    named_by: str = ""

    @property
    def place(self) -> str:
        return "/".join(self.names) + "/"

    def add(self, objects: int, size: int, updated_at: datetime) -> None:
        self.objects += objects
        self.size += size
        self.updated_at = max(self.updated_at, updated_at)


async def list_items(documents: AsyncDocumentStore, folder: Folder) -> AsyncGenerator[IntegrationInfo, None]:
    """List the items of a folder in the order of their keys, in little memory for any number.

    Sends a LIST for each 1,000 objects; in a folder of append logs one more, and another one for subagents. An item with a name
    that keys have only in part costs a GET of 16 KiB.
    """
    items = _grouped(documents.list(), folder, folder.item)
    for pattern in folder.others:
        items = _joined(items, _placed(_grouped(documents.list(), folder, pattern)))
    batch: list[_Item] = []
    async with closing(items) as all_items:
        async for item in all_items:
            batch.append(item)
            if len(batch) == _BATCH:
                for info in await _described(documents, folder, batch):
                    yield info
                batch.clear()
    for info in await _described(documents, folder, batch):
        yield info


async def list_item_page(
    documents: AsyncDocumentStore, folder: Folder, limit: int, cursor: str | None
) -> IntegrationPage:
    """The next items: at most ``limit``, and no more than have 10,000 objects, unless it is one.

    One more is listed, which shows that there is another page.
    """
    check_limit(limit)
    after = decode_cursor(cursor) if cursor is not None else ""
    if after and folder.encoded_names(folder.item, after) is None:
        raise InvalidArgumentError(
            "the cursor is refused: it belongs to a listing of another kind; start again without a cursor"
        )
    page: list[_Item] = []
    objects = 0
    next_cursor = None
    rows = _rows_of_items(documents, folder, after)
    async with closing(rows), closing(_grouped(rows, folder, folder.item)) as items:
        async for item in items:
            if len(page) == limit or objects >= _MOST_OBJECTS:
                next_cursor = encode_cursor(page[-1].last)
                break
            page.append(item)
            objects += item.objects
    additions = [
        partial(_add_others, documents, parent, items) for parent, items in _wanted(folder, page).items()
    ]
    await gather(additions, limit=_CONCURRENCY)
    return IntegrationPage(await _described(documents, folder, page), next_cursor)


def _wanted(folder: Folder, page: list[_Item]) -> dict[str, dict[str, _Item]]:
    """The items by the folders that have more objects of them, and in each by their names there."""
    wanted: dict[str, dict[str, _Item]] = {}
    for pattern in folder.others:
        for item in page:
            place = folder.place_of(pattern, item.key)
            if place is not None:
                parent, _, name = place[:-1].rpartition("/")
                wanted.setdefault(parent + "/", {})[name] = item
    return wanted


async def _add_others(documents: AsyncDocumentStore, parent: str, items: dict[str, _Item]) -> None:
    """Add the objects in the folders of the items, which have their names. Reads no more of the listing than these folders span.

    S3 lists in the order of the keys' bytes, and SeaweedFS in that of their segments. The start is before all in both orders, and so
    is the end after all.
    """
    before = parent + min(items)[:-1]
    last, last_folder = max(items), max(f"{name}/" for name in items)
    async with closing(documents.list(parent, start_after=before.rstrip("/"))) as rows:
        async for row in rows:
            name = row.key[len(parent) :].partition("/")[0]
            if name in items:
                items[name].add(1, row.size, row.updated_at)
            elif name > last and f"{name}/" > last_folder:
                break


async def _rows_of_items(
    documents: AsyncDocumentStore, folder: Folder, after: str
) -> AsyncGenerator[DocumentInfo, None]:
    """The listing after a key, without most of those objects of append logs that come in between."""
    is_at_end = False
    while not is_at_end:
        is_at_end, passed = True, 0
        async with closing(documents.list(start_after=after)) as rows:
            async for row in rows:
                yield row
                others = folder.folder_of_others(row.key)
                passed = passed + 1 if others else 0
                if others and passed >= PAGE_LIMIT:
                    after, is_at_end = others + _LAST_CHARACTER, False
                    break


async def _grouped(
    rows: AsyncGenerator[DocumentInfo, None], folder: Folder, pattern: str
) -> AsyncGenerator[_Item, None]:
    """The items to whose keys the pattern applies."""
    item: _Item | None = None
    async for row in rows:
        names = folder.encoded_names(pattern, row.key)
        if names is None:
            continue
        if item is None or item.names != names:
            if item is not None:
                yield item
            item = _Item(names, row.key, row.updated_at, row.key)
        item.add(1, row.size, row.updated_at)
        item.last = row.key
        if not item.named_by and folder.may_name(row.key):
            item.named_by = row.key
    if item is not None:
        yield item


async def _joined(
    items: AsyncGenerator[_Item, None], others: AsyncGenerator[tuple[str, _Item], None]
) -> AsyncGenerator[_Item, None]:
    """The items, each with its other objects."""
    async with closing(items) as all_items, closing(others) as all_others:
        second = AsyncSecondListing(all_others)
        async for item in all_items:
            other = await second.take(item.place)
            if other is not None:
                item.add(other.objects, other.size, other.updated_at)
            yield item


async def _placed(items: AsyncGenerator[_Item, None]) -> AsyncGenerator[tuple[str, _Item], None]:
    async with closing(items) as all_items:
        async for item in all_items:
            yield item.place, item


async def _described(
    documents: AsyncDocumentStore, folder: Folder, items: list[_Item]
) -> list[IntegrationInfo]:
    named = await gather([partial(_names, documents, folder, item) for item in items], limit=_CONCURRENCY)
    return [
        IntegrationInfo(names, item.objects, item.size, item.updated_at, "/".join(item.names))
        for names, item in zip(named, items, strict=True)
    ]


async def _names(documents: AsyncDocumentStore, folder: Folder, item: _Item) -> Names:
    """The names of an item. One that nothing has whole stays encoded."""
    decoded, are_complete = folder.decode(item.names, item.key)
    if are_complete or not item.named_by:
        return decoded
    for first in (HEAD_BYTES, None):
        document = await documents.get(item.named_by, first=first)
        names = folder.names_in(document.body) if document else None
        if names is not None:
            return names
    return decoded
