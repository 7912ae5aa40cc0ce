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
from sessionbucket._core.results import IntegrationInfo
from sessionbucket._sync.documents import DocumentStore
from sessionbucket._sync.second_listing import SecondListing

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


def list_items(documents: DocumentStore, folder: Folder) -> Generator[IntegrationInfo, None, None]:
    """List the items of a folder in the order of their keys, in little memory for any number.

    Sends a LIST for each 1,000 objects; in a folder of append logs one more, and another one for subagents. An item with a name
    that keys have only in part costs a GET of 16 KiB.
    """
    items = _grouped(documents, folder, folder.item)
    for pattern in folder.others:
        items = _joined(items, _placed(_grouped(documents, folder, pattern)))
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


def _grouped(documents: DocumentStore, folder: Folder, pattern: str) -> Generator[_Item, None, None]:
    """The items to whose keys the pattern applies."""
    item: _Item | None = None
    for row in documents.list():
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
        IntegrationInfo(names, item.objects, item.size, item.updated_at)
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
