"""LangGraph: checkpoints and long-term memory in a bucket or a folder.

A thread is a folder. Its checkpoints and writes are objects that are written once, and the newest come first in a listing::

    langgraph/<thread>/<namespace>/<checkpoint>.c.<run>.<parent>   a checkpoint: its metadata, and its channels below 256 KiB
    langgraph/<thread>/<namespace>/<checkpoint>.w.<task>           the writes of one task on it
    langgraph/<thread>/%values/<sha256>                            a larger channel value, which checkpoints name
    langgraph-store/<label>/<label>/%~/<key>                       an item of the store

Each operation is written once, as a generator of calls of a document store. The calls block in ``put`` and are awaited in ``aput``.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import operator
import os
import random
from collections import OrderedDict
from collections.abc import (
    AsyncIterator,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, wraps
from itertools import groupby
from operator import methodcaller
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec, TypeVar
from urllib.parse import unquote
from uuid import uuid4

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
    PendingWrite,
    get_checkpoint_id,
    get_checkpoint_metadata,
    writes_sort_key,
)
from langgraph.checkpoint.serde.base import SerializerProtocol
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
    AsyncDocumentStore,
    Document,
    DocumentInfo,
    DocumentStore,
    Frame,
    InvalidArgumentError,
    SessionCorruptedError,
    decode_frame,
    encode_frame,
    encode_segment,
    newest_first,
    open_async_documents,
    open_documents,
)

if TYPE_CHECKING:
    from sessionbucket import AsyncSessionStore, SessionStore

    UrlOrStore = str | os.PathLike[str] | SessionStore[Any] | AsyncSessionStore[Any]

logger = logging.getLogger(__name__)

T = TypeVar("T")
P = ParamSpec("P")
Tuples = list[CheckpointTuple]  # inside the class, ``list`` is the method
Writes = list[PendingWrite]
Call = Callable[[Any], Any]
Steps = Generator[list[Call], list[Any], T]

_LARGE_VALUE = 256 * 1024
_AT_ONCE = 16
_FIRST_PAGE = 50
_PAGE = 1000
_REMEMBERED = 4096
_TIME_OF_A_PUT = timedelta(minutes=10)
_VALUES = "%values"  # no text is encoded to a segment with '%' before a small letter
_NONE = "-"
_END = "%~"  # after the labels of a namespace; a label is never empty


class _Documents:
    """One folder of documents, for blocking callers and for event loops."""

    def __init__(self, url_or_store: UrlOrStore, name: str) -> None:
        self._source, self._name = url_or_store, name
        if url_or_store == "memory://":
            self._source = f"memory://{uuid4().hex}"  # both sides need one store

    @cached_property
    def _blocking(self) -> DocumentStore | None:
        if isinstance(self._source, str | os.PathLike):
            return open_documents(self._source, self._name, integration=True)
        documents = self._source.documents(self._name, integration=True)
        return documents if isinstance(documents, DocumentStore) else None

    @cached_property
    def _awaited(self) -> AsyncDocumentStore | None:
        if isinstance(self._source, str | os.PathLike):
            return open_async_documents(self._source, self._name, integration=True)
        documents = self._source.documents(self._name, integration=True)
        return documents if isinstance(documents, AsyncDocumentStore) else None

    def run(self, steps: Steps[T]) -> T:
        """Run an operation. Raises ``InvalidArgumentError`` when the store given is an async one."""
        if self._blocking is None:
            raise InvalidArgumentError(
                f"a blocking call is refused: {self._source!r} is an async store; use the async method, or pass a URL"
            )
        results: list[Any] | None = None
        while True:
            try:
                calls = steps.send(results)  # type: ignore[arg-type]
            except StopIteration as end:
                return end.value
            results = self._at_once(calls)

    def _at_once(self, calls: list[Call]) -> list[Any]:
        def call(each: Call) -> Any:
            result = each(self._blocking)
            return list(result) if isinstance(result, Iterator) else result

        if len(calls) == 1:
            return [call(calls[0])]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(call, calls))

    async def arun(self, steps: Steps[T]) -> T:
        """Run an operation in the event loop; on a blocking store, in threads."""
        results: list[Any] | None = None
        while True:
            try:
                calls = steps.send(results)  # type: ignore[arg-type]
            except StopIteration as end:
                return end.value
            if self._awaited is None:
                results = await asyncio.to_thread(self._at_once, calls)
            else:
                results = []
                for start in range(0, len(calls), _AT_ONCE):
                    window = calls[start : start + _AT_ONCE]
                    pending = (_result(call(self._awaited)) for call in window)
                    results += await asyncio.gather(*pending, return_exceptions=True)
                if failures := [each for each in results if isinstance(each, BaseException)]:
                    raise failures[0]  # after all requests have ended

    def close(self) -> None:
        if "_blocking" in self.__dict__ and self._blocking:
            self._blocking.close()

    async def aclose(self) -> None:
        if "_awaited" in self.__dict__ and self._awaited:
            await self._awaited.close()
        self.close()


class _Closing:
    _documents: _Documents

    def close(self) -> None:
        """Close the connections of blocking calls. Further calls open new ones."""
        self._documents.close()

    async def aclose(self) -> None:
        """Close the connections of this event loop and those of blocking calls. Further calls open new ones."""
        await self._documents.aclose()


async def _result(pending: Any) -> Any:
    return [each async for each in pending] if hasattr(pending, "__aiter__") else await pending


def _both(
    steps: Callable[Concatenate[Any, P], Steps[T]],
) -> tuple[Callable[Concatenate[Any, P], T], Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]]:
    """The blocking and the async method of an operation."""

    @wraps(steps)
    def run(self: Any, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._documents.run(steps(self, *args, **kwargs))

    @wraps(steps)
    async def arun(self: Any, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._documents.arun(steps(self, *args, **kwargs))

    return run, arun  # type: ignore[return-value]


def _rows(prefix: str, start_after: str = "", limit: int | None = None) -> Steps[list[DocumentInfo]]:
    return (yield [methodcaller("list", prefix, start_after=start_after, limit=limit)])[0]


def _frames(keys: Sequence[str]) -> Steps[dict[str, Frame]]:
    """The documents that exist, decoded, by key."""
    if not keys:
        return {}
    found = (yield [methodcaller("get_many", keys)])[0]
    return {each.key: decode_frame(each.body, each.key) for each in found if each}


def _write(key: str, body: bytes) -> Call:
    """Write a document that probably does not exist, over any that does."""
    return methodcaller("update", key, lambda _: body, seen=None)


def _delete(keys: list[str]) -> Steps[None]:
    if keys:
        yield [methodcaller("delete", keys)]


def _remember(memory: OrderedDict[Any, Any], key: object, value: object) -> None:
    memory[key] = value
    if len(memory) > _REMEMBERED:
        memory.popitem(last=False)


class _Group(NamedTuple):
    """The objects of one checkpoint, as a listing shows them. ``checkpoint`` is empty where only writes exist, and for a value."""

    folder: str
    id: str
    checkpoint: str
    parent: str
    run: str
    writes: list[str]
    rows: list[DocumentInfo]


def _grouped(rows: Iterable[DocumentInfo]) -> list[_Group]:
    groups = []
    for (folder, id), found in groupby(rows, lambda row: _split(row.key)[:2]):
        own = list(found)
        checkpoint = parent = run = ""
        for row in own:
            _, _, kind, rest = _split(row.key)
            if kind == "c":
                checkpoint, (run, _, parent) = row.key, rest.partition(".")
        writes = [row.key for row in own if _split(row.key)[2] == "w"]
        groups.append(_Group(folder, id, checkpoint, parent, run, writes, own))
    return groups


def _split(key: str) -> tuple[str, str, str, str]:
    """The folder, checkpoint, kind and rest of a key."""
    folder, _, name = key.rpartition("/")
    id, kind, rest = [*name.split(".", 2), "", ""][:3]
    return folder, id, kind, rest


def _page(prefix: str, start_after: str, limit: int) -> Steps[tuple[list[_Group], str | None]]:
    """The next groups of a listing, each whole, and the key after which the rest starts, or None at the end."""
    rows = yield from _rows(prefix, start_after=start_after, limit=limit)
    groups = _grouped(rows)
    if len(rows) < limit:
        return groups, None
    if len(groups) == 1:
        return (yield from _page(prefix, start_after, limit * 20))
    groups.pop()  # the page may have only a part of it
    return groups, groups[-1].rows[-1].key


def _ancestors(group: _Group, known: dict[tuple[str, str], _Group]) -> list[_Group]:
    left, chain = dict(known), []
    while parent := left.pop((group.folder, group.parent), None):
        chain.append(group := parent)
    return chain


def _stored(frame: Frame) -> set[str]:
    """The channels that have a value in a checkpoint."""
    return {name[1:] for name in frame.blobs if name[0] == "="} | frame.header["large"].keys()


def _folders(config: RunnableConfig) -> tuple[str, str, str, str]:
    """The thread and namespace of a config, and the folders of both."""
    thread = str(config["configurable"]["thread_id"])
    namespace = config["configurable"].get("checkpoint_ns") or ""
    folder = f"{encode_segment(thread)}/"
    return thread, namespace, folder, f"{folder}{encode_segment(namespace)}/"


def _config(thread: str, namespace: str, id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread, "checkpoint_ns": namespace, "checkpoint_id": id}}


def _run_mark(run_id: object) -> str:
    return hashlib.sha256(str(run_id).encode()).hexdigest()[:8] if run_id else _NONE


_Groups = list[_Group]


class _Listing:
    """The progress of one list: the checkpoints that a listing has shown and nobody has read, and where it goes on."""

    def __init__(
        self, config: RunnableConfig | None, before: RunnableConfig | None, limit: int | None
    ) -> None:
        self.prefix = _folders(config)[2] if config else ""
        if config and config["configurable"].get("checkpoint_ns") is not None:
            self.prefix = _folders(config)[3]
        id, end = (get_checkpoint_id(each) if each else None for each in (config, before))
        self.id = newest_first(id) if id else None
        self.end = newest_first(end) if end else ""
        self.limit = limit
        self.groups: list[_Group] = []
        self.after: str | None = ""

    def has(self, group: _Group) -> bool:
        return bool(group.checkpoint) and self.id in (None, group.id) and self.end < group.id

    def is_open(self) -> bool:
        return (self.limit is None or self.limit > 0) and (bool(self.groups) or self.after is not None)


class BucketSaver(_Closing, BaseCheckpointSaver[str]):
    """A checkpointer in a bucket or a folder, for blocking and for async graphs.

    Several processes may use one thread at once: no checkpoint and no write is lost. A turn needs the same requests whatever the
    length of its thread. Methods raise ``StoreUnavailableError``, ``AccessDeniedError`` and the other errors of ``sessionbucket``;
    ``SessionCorruptedError`` names a damaged or missing object.

    Example::

        graph = builder.compile(checkpointer=BucketSaver("s3://my-bucket/agents"))
    """

    def __init__(
        self, url_or_store: UrlOrStore, *, keep: int | None = None, serde: SerializerProtocol | None = None
    ) -> None:
        """``url_or_store`` is a URL of ``open_store``, or a store. With an async store, only async methods work.

        With ``keep``, older checkpoints are deleted from time to time, so that a thread has at most about ``2 * keep`` and those that
        their delta channels need. Raises ``InvalidArgumentError`` for a ``keep`` below 1.
        """
        super().__init__(serde=serde)
        if keep is not None and keep < 1:
            raise InvalidArgumentError(f"keep {keep} is refused: it must be at least 1")
        self._documents = _Documents(url_or_store, "langgraph")
        self._keep = keep
        self._puts: OrderedDict[str, int] = OrderedDict()  # by thread, since its last removal
        self._written: OrderedDict[str, None] = OrderedDict()  # keys of writes that exist
        # The versions and names of large values, by thread, namespace and checkpoint.
        self._large: OrderedDict[tuple[str, str, str | None], dict[str, list[Any]]] = OrderedDict()

    def _get_tuple(self, config: RunnableConfig) -> Steps[CheckpointTuple | None]:
        """Get the checkpoint that the config names, or the latest of its thread and namespace."""
        folder = _folders(config)[3]
        id = get_checkpoint_id(config)
        prefix = f"{folder}{newest_first(id)}." if id else folder
        after: str | None = ""
        while after is not None:
            groups, after = yield from _page(prefix, after, _FIRST_PAGE)
            if group := next((group for group in groups if group.checkpoint), None):
                return next(iter((yield from self._load([group]))), None)
        return None

    get_tuple, aget_tuple = _both(_get_tuple)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """List checkpoints of a namespace, a thread, or with ``None`` all; in each namespace the newest come first."""
        listing = _Listing(config, before, limit)
        while listing.is_open():
            yield from self._documents.run(self._list(listing, filter))

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Async version of ``list``."""
        listing = _Listing(config, before, limit)
        while listing.is_open():
            for found in await self._documents.arun(self._list(listing, filter)):
                yield found

    def _list(self, listing: _Listing, filter: dict[str, Any] | None) -> Steps[Tuples]:
        if not listing.groups and listing.after is not None:
            groups, listing.after = yield from _page(listing.prefix, listing.after, _PAGE)
            listing.groups = [group for group in groups if listing.has(group)]
        size = _AT_ONCE if filter or listing.limit is None else min(_AT_ONCE, listing.limit)
        window, listing.groups = listing.groups[:size], listing.groups[size:]
        found = (yield from self._load(window, filter))[: listing.limit]
        if listing.limit is not None:
            listing.limit -= len(found)
        return found

    def _load(self, groups: Sequence[_Group], filter: dict[str, Any] | None = None) -> Steps[Tuples]:
        """The checkpoints whose metadata match, in one round of requests; a filter or a large value takes a second one."""
        writes = [key for group in groups for key in group.writes]
        frames = yield from _frames([group.checkpoint for group in groups] + ([] if filter else writes))
        metadata = {
            group.checkpoint: self.serde.loads_typed(frames[group.checkpoint].blobs["metadata"])
            for group in groups
            if group.checkpoint in frames
        }
        found = [
            group
            for group in groups
            if group.checkpoint in metadata
            and all(metadata[group.checkpoint].get(name) == value for name, value in (filter or {}).items())
        ]
        more = [key for group in found if filter for key in group.writes]
        more += {key for group in found for key in self._value_keys(group, frames[group.checkpoint]).values()}
        frames |= yield from _frames(more)
        return [self._tuple(group, metadata[group.checkpoint], frames) for group in found]

    def _value_keys(self, group: _Group, frame: Frame) -> dict[str, str]:
        thread = group.folder.partition("/")[0]
        return {channel: f"{thread}/{_VALUES}/{name}" for channel, (_, name) in frame.header["large"].items()}

    def _tuple(self, group: _Group, metadata: Any, frames: dict[str, Frame]) -> CheckpointTuple:
        frame = frames[group.checkpoint]
        thread, namespace, id, parent = (frame.header[name] for name in ("thread", "ns", "id", "parent"))
        _remember(self._large, (thread, namespace, id), frame.header["large"])
        checkpoint = self.serde.loads_typed(frame.blobs["checkpoint"])
        checkpoint["channel_values"] = {
            channel: self._value(group, frame, channel, frames) for channel in _stored(frame)
        }
        return CheckpointTuple(
            config=_config(thread, namespace, id),
            checkpoint=checkpoint,
            metadata=metadata,
            parent_config=_config(thread, namespace, parent) if parent else None,
            pending_writes=self._pending(group, frames),
        )

    def _value(self, group: _Group, frame: Frame, channel: str, frames: dict[str, Frame]) -> Any:
        key = self._value_keys(group, frame).get(channel)
        if key is not None and key not in frames:
            raise SessionCorruptedError(
                key, f"it is missing, and checkpoint {group.checkpoint!r} needs it for channel {channel!r}"
            )
        return self.serde.loads_typed(frames[key].blobs["value"] if key else frame.blobs[f"={channel}"])

    def _pending(self, group: _Group, frames: dict[str, Frame]) -> Writes:
        """The writes on a checkpoint, in the order in which a run applies them."""
        found = []
        for key in group.writes:
            _remember(self._written, key, None)
            if frame := frames.get(key):
                for index, (channel, path) in frame.header["writes"].items():
                    order = writes_sort_key(path, frame.header["task"], int(index))
                    found.append((order, channel, frame.blobs[index]))
        found.sort(key=lambda each: each[0])
        return [(order[1], channel, self.serde.loads_typed(blob)) for order, channel, blob in found]

    def _put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> Steps[RunnableConfig]:
        """Save a checkpoint. The checkpoint that the config names becomes its parent."""
        thread, namespace, folder, place = _folders(config)
        id, parent = checkpoint["id"], get_checkpoint_id(config)
        if parent and id <= parent:
            logger.error("checkpoint %s of thread %r is not newer than its parent %s", id, thread, parent)
        metadata = get_checkpoint_metadata(config, metadata)
        inherited = self._large.get((thread, namespace, parent), {})
        large: dict[str, list[Any]] = {}
        blobs = {"metadata": self.serde.dumps_typed(metadata)}
        values = []
        for channel, value in checkpoint["channel_values"].items():
            version = checkpoint["channel_versions"].get(channel)
            if channel not in new_versions and inherited.get(channel, [None])[0] == version is not None:
                large[channel] = inherited[channel]
                continue
            kind, data = self.serde.dumps_typed(value)
            if len(data) <= _LARGE_VALUE:
                blobs[f"={channel}"] = kind, data
                continue
            name = hashlib.sha256(b"%s\0%s" % (kind.encode(), data)).hexdigest()
            if name not in {known for _, known in [*inherited.values(), *large.values()]}:
                values.append(_write(f"{folder}{_VALUES}/{name}", encode_frame({}, {"value": (kind, data)})))
            large[channel] = [version, name]
        if values:
            yield values
        kept = {name: value for name, value in checkpoint.items() if name != "channel_values"}
        blobs["checkpoint"] = self.serde.dumps_typed(kept)
        delta = (
            metadata.get("counters_since_delta_snapshot", {}).keys() & checkpoint["channel_versions"].keys()
        )
        header = {
            "thread": thread,
            "ns": namespace,
            "id": id,
            "parent": parent,
            "run": metadata.get("run_id"),
            "large": large,
            "delta": sorted(delta - checkpoint["channel_values"].keys()),
        }
        name = f"{_run_mark(metadata.get('run_id'))}.{newest_first(parent) if parent else _NONE}"
        yield [_write(f"{place}{newest_first(id)}.c.{name}", encode_frame(header, blobs))]
        _remember(self._large, (thread, namespace, id), large)
        if self._keep and not namespace:
            count = self._puts.get(thread, self._keep) + 1
            if count > self._keep:
                count = 0
                yield from self._prune(folder, self._keep)
            _remember(self._puts, thread, count)
        return _config(thread, namespace, id)

    put, aput = _both(_put)

    def _put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> Steps[None]:
        """Save writes of a task on the checkpoint that the config names. Of two writes in one place the first stays."""
        id = config["configurable"]["checkpoint_id"]
        key = f"{_folders(config)[3]}{newest_first(id)}.w.{encode_segment(task_id)}"
        new = [
            (WRITES_IDX_MAP.get(channel, index), channel, self.serde.dumps_typed(value))
            for index, (channel, value) in enumerate(writes)
        ]

        def merge(found: Document | None) -> bytes | None:
            header, blobs = (
                decode_frame(found.body, key) if found else Frame({"task": task_id, "writes": {}}, {})
            )
            for index, channel, blob in new:
                if index < 0 or str(index) not in blobs:
                    header["writes"][str(index)] = channel, task_path
                    blobs[str(index)] = blob
            body = encode_frame(header, blobs)
            return None if found and body == found.body else body

        yield [methodcaller("update", key, merge, seen=UNSEEN if key in self._written else None)]
        _remember(self._written, key, None)

    put_writes, aput_writes = _both(_put_writes)

    def _delete_thread(self, thread_id: str) -> Steps[None]:
        """Delete everything of a thread. A run that goes on meanwhile may write again."""
        for known in [known for known in [*self._large] if known[0] == str(thread_id)]:
            self._large.pop(known, None)
        yield [methodcaller("delete_prefix", f"{encode_segment(str(thread_id))}/")]

    delete_thread, adelete_thread = _both(_delete_thread)

    def _delete_for_runs(self, run_ids: Sequence[str]) -> Steps[None]:
        """Delete the checkpoints of runs with their writes. Lists the keys of all threads."""
        marks = {_run_mark(run_id) for run_id in run_ids}
        if not marks:
            return
        groups = _grouped((yield from _rows("")))
        frames = yield from _frames([group.checkpoint for group in groups if group.run in marks])
        gone = {key for key, frame in frames.items() if frame.header["run"] in set(run_ids)}
        for _, own in groupby(groups, lambda group: group.folder.partition("/")[0]):
            mine = list(own)
            kept = [group for group in mine if group.checkpoint not in gone]
            if len(kept) < len(mine):
                yield from self._remove(mine, kept)

    delete_for_runs, adelete_for_runs = _both(_delete_for_runs)

    def _copy_thread(self, source_thread_id: str, target_thread_id: str) -> Steps[None]:
        """Copy all checkpoints and writes of a thread to another thread."""
        old, new = (f"{encode_segment(str(thread))}/" for thread in (source_thread_id, target_thread_id))
        rows = yield from _rows(old)
        checkpoints = [group.checkpoint for group in _grouped(rows) if group.checkpoint][::-1]
        others = [row.key for row in rows if row.key not in set(checkpoints)]
        if others:
            yield [methodcaller("copy", key, new + key.removeprefix(old)) for key in others]
        for start in range(0, len(checkpoints), _AT_ONCE):  # parents first
            frames = yield from _frames(checkpoints[start : start + _AT_ONCE])
            yield [
                _write(
                    new + key.removeprefix(old),
                    encode_frame({**header, "thread": str(target_thread_id)}, blobs),
                )
                for key, (header, blobs) in frames.items()
            ]

    copy_thread, acopy_thread = _both(_copy_thread)

    def _prune_threads(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> Steps[None]:
        """Delete everything, or all but the latest checkpoint of each namespace and the older ones that its delta channels need.

        Large values of the last ten minutes stay until a later call. Do not prune a thread while a run goes on in a fork of an older
        checkpoint.
        """
        if strategy not in ("keep_latest", "delete"):
            raise InvalidArgumentError(
                f"strategy {strategy!r} is refused: it must be 'keep_latest' or 'delete'"
            )
        for thread_id in thread_ids:
            if strategy == "delete":
                yield from self._delete_thread(thread_id)
            else:
                yield from self._prune(f"{encode_segment(str(thread_id))}/")

    prune, aprune = _both(_prune_threads)

    def _prune(self, folder: str, keep: int | None = None) -> Steps[None]:
        """Keep the latest checkpoint of each namespace, or with ``keep`` that number.

        With ``keep``, the checkpoints that a subgraph made for one task go together with those of the root graph.
        """
        groups = _grouped((yield from _rows(folder)))
        kept: _Groups = []
        for _, own in groupby(groups, lambda group: group.folder):
            mine = list(own)
            newest = [group.id for group in mine if group.checkpoint][: keep or 1]
            kept += [group for group in mine if not newest or group.id <= newest[-1]]
        root = [group.id for group in kept if group.folder == folder + encode_segment("")]
        if keep and root:
            kept = [group for group in kept if "%3A" not in group.folder or group.id <= root[-1]]
        if len(kept) < len(groups):
            yield from self._keep_ancestors(groups, kept)
            times = [row.updated_at for group in kept if group.checkpoint for row in group.rows]
            yield from self._remove(groups, kept, max(times) - _TIME_OF_A_PUT if times else None)

    def _keep_ancestors(self, groups: _Groups, kept: _Groups) -> Steps[None]:
        """Add the ancestors to ``kept`` without which a delta channel of a kept checkpoint could not be rebuilt."""
        known = {(group.folder, group.id): group for group in groups if group.checkpoint}
        ids = {(group.folder, group.id) for group in kept}
        edge = [group for group in kept if (group.folder, group.parent) in known.keys() - ids]
        frames = yield from _frames([group.checkpoint for group in edge])
        for group in edge:
            needed = set(frames[group.checkpoint].header["delta"]) if group.checkpoint in frames else set()
            chain = _ancestors(group, known)
            while needed and chain:
                window, chain = chain[:_AT_ONCE], chain[_AT_ONCE:]
                found = yield from _frames([each.checkpoint for each in window])
                for each in window:
                    if needed and each.checkpoint in found:
                        needed -= _stored(found[each.checkpoint])
                        kept.append(each)

    def _remove(self, groups: _Groups, kept: _Groups, before: datetime | None = None) -> Steps[None]:
        """Delete the groups of a thread that are not kept, and then the large values that nothing kept names.

        Values that are not older than ``before`` stay: another process may be about to write the checkpoint that names them.
        """
        stay = {(group.folder, group.id) for group in kept if not group.folder.endswith(_VALUES)}
        values = [group.rows[0] for group in groups if group.folder.endswith(_VALUES)]
        yield from _delete(
            [
                row.key
                for group in groups
                if (group.folder, group.id) not in stay and not group.folder.endswith(_VALUES)
                for row in group.rows
            ]
        )
        if values:
            frames = yield from _frames([group.checkpoint for group in kept if group.checkpoint])
            named = {name for frame in frames.values() for _, name in frame.header["large"].values()}
            yield from _delete(
                [
                    row.key
                    for row in values
                    if _split(row.key)[1] not in named and (before is None or row.updated_at < before)
                ]
            )

    def _history(
        self, config: RunnableConfig, channels: Sequence[str]
    ) -> Steps[Mapping[str, DeltaChannelHistory]]:
        """Collect the writes of delta channels, back to the nearest ancestor that has a value."""
        history: dict[str, DeltaChannelHistory] = {channel: {"writes": []} for channel in channels}
        folder = _folders(config)[3]
        id = get_checkpoint_id(config)
        known: dict[tuple[str, str], _Group] = {}
        chain: _Groups = []
        after: str | None = ""
        done = 1  # the first of the chain is the checkpoint itself
        left = set(channels)
        while left and (after is not None or done < len(chain)):
            if done >= len(chain) and after is not None:
                groups, after = yield from _page(folder, after, _PAGE)
                known |= {(group.folder, group.id): group for group in groups if group.checkpoint}
                start = newest_first(id) if id else min((key[1] for key in known), default="")
                if first := known.get((folder[:-1], start)):
                    chain = [first, *_ancestors(first, known)]
                continue
            window = chain[done : done + _AT_ONCE]
            done += len(window)
            frames = yield from _frames([key for each in window for key in (each.checkpoint, *each.writes)])
            for group in window:
                write: PendingWrite
                for write in reversed(self._pending(group, frames)):
                    if write[1] in left:
                        history[write[1]]["writes"].insert(0, write)
                frame = frames.get(group.checkpoint)
                ends = left & _stored(frame) if frame else set()
                if frame and ends:
                    frames |= yield from _frames([*self._value_keys(group, frame).values()])
                    for channel in ends:
                        history[channel]["seed"] = self._value(group, frame, channel, frames)
                left -= ends
        return history

    get_delta_channel_history, aget_delta_channel_history = _both(_history)

    def get_next_version(self, current: str | int | None, channel: None) -> str:
        """The next version of a channel. A random part makes the versions of two forks differ."""
        number = int(str(current).partition(".")[0]) if current else 0
        return f"{number + 1:032}.{random.random():016}"  # noqa: S311


class BucketStore(_Closing, BaseStore):
    """Long-term memory in a bucket or a folder, without vectors: ``query`` and ``index`` have no effect, and ``ttl`` is refused.

    An item is one object, and values are JSON. Of two processes that put one item, the later one wins.
    """

    def __init__(self, url_or_store: UrlOrStore) -> None:
        """``url_or_store`` is a URL of ``open_store``, or a store. With an async store, only async methods work."""
        self._documents = _Documents(url_or_store, "langgraph-store")
        # The versions of items without their bodies, and when each was created.
        self._seen: OrderedDict[str, tuple[Document, str]] = OrderedDict()

    def _batch(self, ops: Iterable[Op]) -> Steps[list[Result]]:
        """Run operations. Reads come first, and of several puts of one item only the last is done.

        Raises ``InvalidArgumentError`` for a value that JSON cannot hold.
        """
        operations = [*ops]
        results: list[Result] = [None] * len(operations)
        puts = {}
        gets = {}
        for number, op in enumerate(operations):
            validate_op_namespace(op)
            if isinstance(op, GetOp):
                gets[number] = _item_key(op.namespace, op.key)
            elif isinstance(op, PutOp):
                puts[_item_key(op.namespace, op.key)] = op
            elif isinstance(op, SearchOp):
                results[number] = yield from self._search(op)
            else:
                results[number] = yield from self._list_namespaces(op)
        if gets:
            results_by_number = dict(zip(gets, (yield from self._items([*gets.values()])), strict=True))
            results = [results_by_number.get(number, result) for number, result in enumerate(results)]
        yield from _delete([key for key, op in puts.items() if op.value is None])
        writes = {key: self._change(key, op) for key, op in puts.items() if op.value is not None}
        if writes:
            done = yield [
                methodcaller("update", key, change, seen=self._seen.get(key, (UNSEEN,))[0])
                for key, change in writes.items()
            ]
            for document in done:
                self._note(document)
        return results

    batch, abatch = _both(_batch)

    def _note(self, document: Document) -> dict[str, Any]:
        """Decode an item, and remember its version."""
        item: dict[str, Any] = decode_frame(document.body, document.key).header
        _remember(self._seen, document.key, (replace(document, body=b"", size=0), item["created_at"]))
        return item

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

    def _items(self, keys: Sequence[str], kind: type[Item] = Item) -> Steps[list[Any]]:
        found = (yield [methodcaller("get_many", keys)])[0]
        items = [self._note(document) if document else None for document in found]
        return [item and kind(**{**item, "namespace": tuple(item["namespace"])}) for item in items]

    def _search(self, op: SearchOp) -> Steps[list[SearchItem]]:
        rows = yield from _rows("".join(f"{encode_segment(label)}/" for label in op.namespace_prefix))
        keys = [row.key for row in sorted(rows, key=lambda row: row.updated_at, reverse=True)]
        if not op.filter:
            found = yield from self._items(keys[op.offset : op.offset + op.limit], SearchItem)
            return [item for item in found if item]
        wanted: list[SearchItem] = []
        while keys and len(wanted) < op.offset + op.limit:
            window, keys = keys[:_PAGE], keys[_PAGE:]
            found = yield from self._items(window, SearchItem)
            wanted += [item for item in found if item and _matches(item.value, op.filter)]
        return wanted[op.offset : op.offset + op.limit]

    def _list_namespaces(self, op: ListNamespacesOp) -> Steps[list[tuple[str, ...]]]:
        folders = {row.key.rpartition(f"/{_END}/")[0]: row.key for row in (yield from _rows(""))}
        long = [
            key for folder, key in folders.items() if _END in folder
        ]  # a hash, so the item has the labels
        spelled = {item.namespace for item in (yield from self._items(long)) if item}
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
