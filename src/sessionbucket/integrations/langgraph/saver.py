"""A checkpointer of LangGraph. ``layout`` has the keys of its objects."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
    PendingWrite,
    get_checkpoint_id,
)
from langgraph.checkpoint.serde.base import SerializerProtocol

from sessionbucket import (
    UNSEEN,
    Document,
    DocumentInfo,
    InvalidArgumentError,
    SessionCorruptedError,
    decode_frame,
    encode_frame,
    newest_first,
)
from sessionbucket.integrations.langgraph import layout
from sessionbucket.integrations.langgraph.base import BaseBucketSaver, Frames
from sessionbucket.integrations.langgraph.documents import AT_ONCE, OnDocuments, Recent, blocking, iterate
from sessionbucket.integrations.langgraph.layout import Group, Namespace

if TYPE_CHECKING:
    from sessionbucket.integrations.langgraph.documents import UrlOrStore

logger = logging.getLogger(__name__)

Tuples = list[CheckpointTuple]  # inside the class, ``list`` is the method
Groups = list[Group]

_FIRST_PAGE = 50
_PAGE = 1000
_LOOKS = 3
_TIME_OF_A_PUT = timedelta(minutes=10)


class BucketSaver(BaseBucketSaver, OnDocuments):
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
        their delta channels need. Raises ``InvalidArgumentError`` for a ``keep`` below 1, and another type.
        """
        super().__init__(serde=serde)
        if keep is not None and keep < 1:
            raise InvalidArgumentError(f"keep {keep} is refused: it must be at least 1")
        self._open(url_or_store, "langgraph")
        self._keep = keep
        self._puts = Recent[str, int]()  # by thread, since its last removal

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Get the checkpoint that the config names, or the latest of its thread and namespace."""
        prefix = Namespace.of(config).group_prefix(get_checkpoint_id(config))
        looks = 0
        while group := await self._first(prefix):
            if found := await self._load([group]):
                return found[0]
            looks += 1  # it was deleted after the listing
            if looks == _LOOKS:
                raise SessionCorruptedError(group.checkpoint, "listings name it, and no read finds it")
        return None

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncGenerator[CheckpointTuple, None]:
        """List checkpoints of a namespace, a thread, or with ``None`` all; in each namespace the newest come first."""
        prefix = ""
        if config:
            is_one = config["configurable"].get("checkpoint_ns") is not None
            prefix = Namespace.of(config).folder if is_one else Namespace.of(config).thread_folder
        left = float("inf") if limit is None else limit
        async with aclosing(self._pages(prefix)) as pages:
            async for page in pages:
                chosen = layout.selected(page, config, before)
                while chosen and left > 0:
                    size = AT_ONCE if filter else int(min(left, AT_ONCE))
                    window, chosen = chosen[:size], chosen[size:]
                    for found in (await self._load(window, filter))[: int(min(left, size))]:
                        left -= 1
                        yield found
                if left <= 0:
                    return

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """List checkpoints of a namespace, a thread, or with ``None`` all; in each namespace the newest come first."""
        return iterate(self._on_blocking_documents().alist(config, filter=filter, before=before, limit=limit))

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Save a checkpoint. The checkpoint that the config names becomes its parent."""
        place, parent = Namespace.of(config), get_checkpoint_id(config)
        values, frame = self._dump_checkpoint(config, checkpoint, metadata, new_versions)
        await self._write({place.value_key(name): encode_frame(*value) for name, value in values.items()})
        key = place.checkpoint_key(checkpoint["id"], parent, frame.header["run"])
        await self._write({key: encode_frame(*frame)})
        self._remember_large(frame.header)
        if self._keep and not place.name:
            await self._count_put(place, self._keep)
        return layout.config_of(frame.header, checkpoint["id"])

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Save writes of a task on the checkpoint that the config names. Of two writes in one place the first stays."""
        key = Namespace.of(config).writes_key(config["configurable"]["checkpoint_id"], task_id)
        new = [(channel, self.serde.dumps_typed(value)) for channel, value in writes]

        def add(found: Document | None) -> bytes | None:
            frame = decode_frame(found.body, key) if found else None
            return layout.add_writes(frame, task_id, task_path, new)

        await self._documents.update(key, add, seen=UNSEEN if key in self._written else None)
        self._written[key] = None

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete everything of a thread. A run that goes on meanwhile may write again."""
        for known in [known for known in [*self._large] if known[0] == str(thread_id)]:
            self._large.pop(known, None)
        await self._documents.delete_prefix(layout.thread_folder(thread_id))

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints of runs with their writes. Lists the keys of all threads."""
        marks = {layout.run_mark(run_id) for run_id in run_ids}
        rows = await self._rows() if marks else []
        frames = await self._frames(
            [group.checkpoint for group in layout.grouped(rows) if group.run in marks]
        )
        gone = {key for key, frame in frames.items() if frame.header["run"] in set(run_ids)}
        changed = {layout.thread_of(key) for key in gone}
        for folder, own in groupby(rows, lambda row: layout.thread_of(row.key)):
            if folder in changed:
                mine = [*own]
                await self._remove(
                    mine, [each for each in layout.grouped(mine) if each.checkpoint not in gone]
                )

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy all checkpoints and writes of a thread to another thread."""
        old, new = layout.thread_folder(source_thread_id), layout.thread_folder(target_thread_id)
        rows = await self._rows(old)
        checkpoints = [group.checkpoint for group in layout.grouped(rows) if group.checkpoint][::-1]
        others = {row.key for row in rows} - {*checkpoints}
        await self._at_once(
            [partial(self._documents.copy, key, new + key.removeprefix(old)) for key in others]
        )
        for start in range(0, len(checkpoints), AT_ONCE):  # parents first
            frames = await self._frames(checkpoints[start : start + AT_ONCE])
            await self._write(
                {
                    new + key.removeprefix(old): encode_frame(
                        {**header, "thread": str(target_thread_id)}, blobs
                    )
                    for key, (header, blobs) in frames.items()
                }
            )

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
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
                await self.adelete_thread(thread_id)
            else:
                rows = await self._rows(layout.thread_folder(thread_id))
                await self._prune(rows, layout.newest(layout.grouped(rows), 1))

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Collect the writes of delta channels, back to the nearest ancestor that has a value."""
        history: dict[str, DeltaChannelHistory] = {channel: {"writes": []} for channel in channels}
        left = set(channels)
        folder, id = Namespace.of(config).folder, get_checkpoint_id(config)
        known: dict[tuple[str, str], Group] = {}
        last: Group | None = None
        async with aclosing(self._pages(folder)) as pages:
            async for page in pages:
                known |= layout.by_id(page)
                last = last or known.get((folder, newest_first(id)) if id else min(known, default=("", "")))
                chain = layout.ancestors(last, known) if last else []
                while chain and left:
                    window, chain = chain[:AT_ONCE], chain[AT_ONCE:]
                    frames = await self._frames(
                        [key for group in window for key in (group.checkpoint, *group.writes)]
                    )
                    for last in window:
                        left -= await self._collect(last, frames, left, history)
                if not left:
                    break
        return history

    get_tuple = blocking(aget_tuple)
    put = blocking(aput)
    put_writes = blocking(aput_writes)
    delete_thread = blocking(adelete_thread)
    delete_for_runs = blocking(adelete_for_runs)
    copy_thread = blocking(acopy_thread)
    prune = blocking(aprune)
    get_delta_channel_history = blocking(aget_delta_channel_history)

    async def _pages(self, prefix: str, size: int = _PAGE) -> AsyncGenerator[Groups, None]:
        """The groups under a prefix, each whole, page by page as they are needed."""
        rows: list[DocumentInfo] = []
        after = ""
        while True:
            page = await self._rows(prefix, start_after=after, limit=size)
            groups = layout.grouped([*rows, *page])
            if len(page) < size:
                break
            after = page[-1].key
            rows = groups.pop().rows if groups else []  # the next page may have more of it
            yield groups
            size = _PAGE
        yield groups

    async def _first(self, prefix: str) -> Group | None:
        """The first group under a prefix that has a checkpoint."""
        async with aclosing(self._pages(prefix, _FIRST_PAGE)) as pages:
            async for page in pages:
                if group := next((group for group in page if group.checkpoint), None):
                    return group
        return None

    async def _frames(self, keys: Sequence[str]) -> Frames:
        """The documents that exist, decoded, by key."""
        found = await self._documents.get_many(keys) if keys else []
        return {each.key: decode_frame(each.body, each.key) for each in found if each}

    async def _write(self, bodies: Mapping[str, bytes]) -> None:
        """Write documents that probably do not exist, over any that do."""

        async def write(key: str, body: bytes) -> None:
            await self._documents.update(key, lambda _: body, seen=None)

        await self._at_once([partial(write, *each) for each in bodies.items()])

    async def _load(self, groups: Groups, filter: dict[str, Any] | None = None) -> Tuples:
        """The checkpoints whose metadata match, in one round of requests; a filter or a large value takes a second one."""
        writes = [key for group in groups for key in group.writes]
        frames = await self._frames([group.checkpoint for group in groups] + ([] if filter else writes))
        found = []
        more: list[str] = []
        for group in groups:
            if frame := frames.get(group.checkpoint):
                metadata = self.serde.loads_typed(frame.blobs["metadata"])
                if all(metadata.get(name) == value for name, value in (filter or {}).items()):
                    found.append((group, metadata))
                    more += [
                        *layout.value_keys(group.checkpoint, frame).values(),
                        *(group.writes if filter else ()),
                    ]
        frames |= await self._frames([*dict.fromkeys(more)])
        return [self._load_tuple(group, metadata, frames) for group, metadata in found]

    async def _collect(
        self, group: Group, frames: Frames, channels: set[str], history: Mapping[str, DeltaChannelHistory]
    ) -> set[str]:
        """Add the writes on an ancestor to a history, and the values at which it ends. Returns the channels of these values."""
        write: PendingWrite
        for write in reversed(self._load_writes(group, frames)):
            if write[1] in channels:
                history[write[1]]["writes"].insert(0, write)
        frame = frames.get(group.checkpoint)
        ends = channels & layout.stored_channels(frame) if frame else set()
        if frame and ends:
            keys = layout.value_keys(group.checkpoint, frame)
            frames |= await self._frames([keys[channel] for channel in ends & keys.keys()])
            for channel in ends:
                history[channel]["seed"] = self._load_value(group, channel, frames)
        return ends

    async def _count_put(self, place: Namespace, keep: int) -> None:
        """Remove older checkpoints after each ``keep`` puts on a thread."""
        count = self._puts.get(place.thread, keep) + 1
        if count > keep:
            count = 0
            rows = await self._rows(place.thread_folder)
            await self._prune(rows, layout.without_ended_tasks(layout.newest(layout.grouped(rows), keep)))
        self._puts[place.thread] = count

    async def _prune(self, rows: Sequence[DocumentInfo], kept: Groups) -> None:
        """Delete the groups of a thread that are neither kept nor an ancestor without which a kept delta channel could not be rebuilt."""
        known = layout.by_id(layout.grouped(rows))
        ids = {(group.folder, group.id) for group in kept}
        if ids >= known.keys():
            return
        edge = [group for group in kept if (group.folder, group.parent) in known.keys() - ids]
        frames = await self._frames([group.checkpoint for group in edge])
        ancestors: Groups = []
        for group in edge:
            needed = set(frames[group.checkpoint].header["delta"]) if group.checkpoint in frames else set()
            chain = layout.ancestors(group, known)
            while needed and chain:
                window, chain = chain[:AT_ONCE], chain[AT_ONCE:]
                found = await self._frames([each.checkpoint for each in window])
                for each in window:
                    if needed and each.checkpoint in found:
                        needed -= layout.stored_channels(found[each.checkpoint])
                        ancestors.append(each)
        times = [row.updated_at for group in [*kept, *ancestors] if group.checkpoint for row in group.rows]
        await self._remove(rows, [*kept, *ancestors], max(times) - _TIME_OF_A_PUT if times else None)

    async def _remove(
        self, rows: Sequence[DocumentInfo], kept: Groups, before: datetime | None = None
    ) -> None:
        """Delete the groups of a thread that are not kept, and then the large values that nothing kept names.

        Values that are not older than ``before`` stay: another process may be about to write the checkpoint that names them.
        """
        stay = {row.key for group in kept for row in group.rows}
        await self._documents.delete(
            [row.key for row in rows if row.key not in stay and not layout.is_value(row.key)]
        )
        values = [row for row in rows if layout.is_value(row.key)]
        if values:
            frames = await self._frames([group.checkpoint for group in kept if group.checkpoint])
            named = {key for each, frame in frames.items() for key in layout.value_keys(each, frame).values()}
            await self._documents.delete(
                [
                    row.key
                    for row in values
                    if row.key not in named and (before is None or row.updated_at < before)
                ]
            )
