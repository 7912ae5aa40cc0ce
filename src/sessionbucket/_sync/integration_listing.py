# Generated from sessionbucket/_async/integration_listing.py by scripts/generate_sync.py: do not edit.
"""Listing the threads, sessions and conversations of an integration, from the keys of its folder."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sessionbucket._concurrency.threads import closing, gather
from sessionbucket._core.append_logs import HEAD_BYTES
from sessionbucket._core.integration_folders import Folder, Names
from sessionbucket._core.objects import PAGE_LIMIT
from sessionbucket._core.pagination import check_limit, decode_cursor, encode_cursor
from sessionbucket._core.results import DocumentInfo, IntegrationInfo, IntegrationPage
from sessionbucket._sync.documents import DocumentStore
from sessionbucket._sync.second_listing import SecondListing
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


def list_items(documents: DocumentStore, folder: Folder) -> Generator[IntegrationInfo, None, None]:
    """List the items of a folder in the order of their keys, in little memory for any number.

    Sends a LIST for each 1,000 objects; in a folder of append logs one more, and another one for subagents. An item with a name
    that keys have only in part costs a GET of 16 KiB.
    """
    items = _grouped(documents.list(), folder, folder.item)
    for pattern in folder.others:
        items = _joined(items, _placed(_grouped(documents.list(), folder, pattern)))
    batch: list[_Item] = []
    with closing(items) as all_items:
        for item in all_items:
            batch.append(item)
            if len(batch) == _BATCH:
                for info in _described(documents, folder, batch):
                    yield info
                batch.clear()
    for info in _described(documents, folder, batch):
        yield info


def list_item_page(
    documents: DocumentStore, folder: Folder, limit: int, cursor: str | None
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
    with closing(rows), closing(_grouped(rows, folder, folder.item)) as items:
        for item in items:
            if len(page) == limit or objects >= _MOST_OBJECTS:
                next_cursor = encode_cursor(page[-1].last)
                break
            page.append(item)
            objects += item.objects
    additions = [
        partial(_add_others, documents, parent, items) for parent, items in _wanted(folder, page).items()
    ]
    gather(additions, limit=_CONCURRENCY)
    return IntegrationPage(_described(documents, folder, page), next_cursor)


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


def _add_others(documents: DocumentStore, parent: str, items: dict[str, _Item]) -> None:
    """Add the objects in the folders of the items, which have their names. Reads no more of the listing than these folders span.

    S3 lists in the order of the keys' bytes, and SeaweedFS in that of their segments. The start is before all in both orders, and so
    is the end after all.
    """
    before = parent + min(items)[:-1]
    last, last_folder = max(items), max(f"{name}/" for name in items)
    with closing(documents.list(parent, start_after=before.rstrip("/"))) as rows:
        for row in rows:
            name = row.key[len(parent) :].partition("/")[0]
            if name in items:
                items[name].add(1, row.size, row.updated_at)
            elif name > last and f"{name}/" > last_folder:
                break


def _rows_of_items(
    documents: DocumentStore, folder: Folder, after: str
) -> Generator[DocumentInfo, None, None]:
    """The listing after a key, without most of those objects of append logs that come in between."""
    is_at_end = False
    while not is_at_end:
        is_at_end, passed = True, 0
        with closing(documents.list(start_after=after)) as rows:
            for row in rows:
                yield row
                others = folder.folder_of_others(row.key)
                passed = passed + 1 if others else 0
                if others and passed >= PAGE_LIMIT:
                    after, is_at_end = others + _LAST_CHARACTER, False
                    break


def _grouped(
    rows: Generator[DocumentInfo, None, None], folder: Folder, pattern: str
) -> Generator[_Item, None, None]:
    """The items to whose keys the pattern applies."""
    item: _Item | None = None
    for row in rows:
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


def _joined(
    items: Generator[_Item, None, None], others: Generator[tuple[str, _Item], None, None]
) -> Generator[_Item, None, None]:
    """The items, each with its other objects."""
    with closing(items) as all_items, closing(others) as all_others:
        second = SecondListing(all_others)
        for item in all_items:
            other = second.take(item.place)
            if other is not None:
                item.add(other.objects, other.size, other.updated_at)
            yield item


def _placed(items: Generator[_Item, None, None]) -> Generator[tuple[str, _Item], None, None]:
    with closing(items) as all_items:
        for item in all_items:
            yield item.place, item


def _described(documents: DocumentStore, folder: Folder, items: list[_Item]) -> list[IntegrationInfo]:
    named = gather([partial(_names, documents, folder, item) for item in items], limit=_CONCURRENCY)
    return [
        IntegrationInfo(names, item.objects, item.size, item.updated_at, "/".join(item.names))
        for names, item in zip(named, items, strict=True)
    ]


def _names(documents: DocumentStore, folder: Folder, item: _Item) -> Names:
    """The names of an item. One that nothing has whole stays encoded."""
    decoded, are_complete = folder.decode(item.names, item.key)
    if are_complete or not item.named_by:
        return decoded
    for first in (HEAD_BYTES, None):
        document = documents.get(item.named_by, first=first)
        names = folder.names_in(document.body) if document else None
        if names is not None:
            return names
    return decoded
