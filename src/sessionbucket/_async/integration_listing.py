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
from sessionbucket._core.results import IntegrationInfo

_BATCH = 256
_CONCURRENCY = 32


@dataclass(slots=True)
class _Item:
    """The objects of one item so far. ``names`` are encoded, as in ``key``; ``named_by`` is an object that has them whole."""

    names: Names
    key: str
    updated_at: datetime
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
    items = _grouped(documents, folder, folder.item)
    for pattern in folder.others:
        items = _joined(items, _placed(_grouped(documents, folder, pattern)))
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


async def _grouped(
    documents: AsyncDocumentStore, folder: Folder, pattern: str
) -> AsyncGenerator[_Item, None]:
    """The items to whose keys the pattern applies."""
    item: _Item | None = None
    async for row in documents.list():
        names = folder.encoded_names(pattern, row.key)
        if names is None:
            continue
        if item is None or item.names != names:
            if item is not None:
                yield item
            item = _Item(names, row.key, row.updated_at)
        item.add(1, row.size, row.updated_at)
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
        IntegrationInfo(names, item.objects, item.size, item.updated_at)
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
