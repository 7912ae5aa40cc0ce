"""A long-term memory of LangGraph: each item is one object, ``<label>/<label>/%~/<key>``."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from langgraph.store.base import (
    BaseStore,
    GetOp,
    Item,
    ListNamespacesOp,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
    validate_op_namespace,
)

from sessionbucket import (
    UNSEEN,
    Document,
    InvalidArgumentError,
    decode_frame,
    encode_frame,
    encode_segment,
)
from sessionbucket.integrations.langgraph.documents import OnDocuments, Recent, blocking

if TYPE_CHECKING:
    from sessionbucket.integrations.langgraph.documents import UrlOrStore

_WINDOW = 1000
_END = "%~"  # after the labels of a namespace; a label is never empty


class BucketStore(BaseStore, OnDocuments):
    """Long-term memory in a bucket or a folder, without vectors: ``query`` and ``index`` have no effect, and ``ttl`` is refused.

    An item is one object, and values are JSON. Of two processes that put one item, the later one wins.
    """

    def __init__(self, url_or_store: UrlOrStore) -> None:
        """``url_or_store`` is a URL of ``open_store``, or a store. With an async store, only async methods work.

        Raises ``InvalidArgumentError`` for another type.
        """
        self._open(url_or_store, "langgraph-store")
        # The versions of items without their bodies, and when each was created.
        self._seen = Recent[str, tuple[Document, str]]()

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Run operations. Reads come first, and of several puts of one item only the last is done.

        Raises ``InvalidArgumentError`` for a value that JSON cannot hold.
        """
        operations = [*ops]
        results: list[Result] = [None] * len(operations)
        gets: dict[int, str] = {}
        puts: dict[str, PutOp] = {}
        for number, op in enumerate(operations):
            validate_op_namespace(op)
            if isinstance(op, GetOp):
                gets[number] = _item_key(op.namespace, op.key)
            elif isinstance(op, PutOp):
                puts[_item_key(op.namespace, op.key)] = op
            elif isinstance(op, SearchOp):
                results[number] = await self._search(op)
            else:
                results[number] = await self._list_namespaces(op)
        for number, item in zip(gets, await self._items([*gets.values()]), strict=True):
            results[number] = item
        await self._put(puts)
        return results

    batch = blocking(abatch)

    async def _put(self, puts: Mapping[str, PutOp]) -> None:
        if gone := [key for key, op in puts.items() if op.value is None]:
            await self._documents.delete(gone)
        changes = [
            partial(
                self._documents.update, key, self._change(key, op), seen=self._seen.get(key, (UNSEEN,))[0]
            )
            for key, op in puts.items()
            if op.value is not None
        ]
        for document in await self._at_once(changes):
            if document:
                self._note(document)

    def _change(self, key: str, op: PutOp) -> Callable[[Document | None], bytes]:
        def change(found: Document | None) -> bytes:
            now = datetime.now(UTC).isoformat()
            created = now
            if found:
                created = (
                    decode_frame(found.body, key).header["created_at"] if found.body else self._seen[key][1]
                )
            item = {"namespace": op.namespace, "key": op.key, "created_at": created, "updated_at": now}
            return encode_frame({**item, "value": op.value}, {})

        return change

    def _note(self, document: Document) -> dict[str, Any]:
        """Decode an item, and remember its version."""
        item: dict[str, Any] = decode_frame(document.body, document.key).header
        self._seen[document.key] = document._replace(body=b"", size=0), item["created_at"]
        return item

    async def _items(self, keys: Sequence[str], kind: type[Item] = Item) -> list[Any]:
        found = await self._documents.get_many(keys) if keys else []
        items = [self._note(document) if document else None for document in found]
        return [item and kind(**{**item, "namespace": tuple(item["namespace"])}) for item in items]

    async def _search(self, op: SearchOp) -> list[SearchItem]:
        rows = await self._rows("".join(f"{encode_segment(label)}/" for label in op.namespace_prefix))
        keys = [row.key for row in sorted(rows, key=lambda row: row.updated_at, reverse=True)]
        end = op.offset + op.limit
        if not op.filter:
            return [item for item in await self._items(keys[op.offset : end], SearchItem) if item]
        wanted: list[SearchItem] = []
        while keys and len(wanted) < end:
            window, keys = keys[:_WINDOW], keys[_WINDOW:]
            found = await self._items(window, SearchItem)
            wanted += [item for item in found if item and _matches(item.value, op.filter)]
        return wanted[op.offset : end]

    async def _list_namespaces(self, op: ListNamespacesOp) -> list[tuple[str, ...]]:
        folders = {row.key.rpartition(f"/{_END}/")[0]: row.key for row in await self._rows()}
        hashed = [key for folder, key in folders.items() if _END in folder]  # only the item has the labels
        spelled = {item.namespace for item in await self._items(hashed) if item}
        spelled |= {tuple(map(unquote, folder.split("/"))) for folder in folders if _END not in folder}
        found = {
            namespace[: op.max_depth]
            for namespace in spelled
            if all(_has(namespace, each.match_type, each.path) for each in op.match_conditions or ())
        }
        return sorted(found)[op.offset : op.offset + op.limit]


def _item_key(namespace: tuple[str, ...], key: str) -> str:
    return "/".join([*map(encode_segment, namespace), _END, encode_segment(key)])


def _has(namespace: tuple[str, ...], kind: str, path: tuple[str, ...]) -> bool:
    part = namespace[: len(path)] if kind == "prefix" else namespace[len(namespace) - len(path) :]
    return len(namespace) >= len(path) and all(
        want in ("*", label) for want, label in zip(path, part, strict=True)
    )


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": operator.eq,
    "$ne": operator.ne,
    "$gt": lambda value, other: float(value) > float(other),
    "$gte": lambda value, other: float(value) >= float(other),
    "$lt": lambda value, other: float(value) < float(other),
    "$lte": lambda value, other: float(value) <= float(other),
}


def _matches(value: Any, wanted: Any) -> bool:
    """Whether a value fits a filter. Raises ``InvalidArgumentError`` for an unknown comparison."""
    if not isinstance(wanted, dict):
        return bool(value == (list(wanted) if isinstance(wanted, tuple) else wanted))
    if any(name.startswith("$") for name in wanted):
        if unknown := wanted.keys() - _COMPARISONS.keys():
            raise InvalidArgumentError(
                f"filter {sorted(unknown)} is refused: it must be one of {', '.join(_COMPARISONS)}"
            )
        return all(_COMPARISONS[name](value, other) for name, other in wanted.items())
    return isinstance(value, dict) and all(_matches(value.get(name), other) for name, other in wanted.items())
