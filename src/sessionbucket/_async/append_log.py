"""Append logs: lists that grow at their end, each in one document, whose older entries are sealed in segments."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

from sessionbucket._async.documents import AsyncDocumentStore
from sessionbucket._concurrency.asyncio_ import awaited, gather
from sessionbucket._core.append_logs import (
    HEAD_BYTES,
    SEAL_BYTES,
    SUFFIX,
    LogState,
    Metadata,
    Segment,
    decode_each_line,
    decode_lines,
    decode_log,
    decode_metadata,
    decode_segment_body,
    decode_segment_range,
    encode_line,
    encode_lines,
    encode_segment_body,
    first_segment,
    log_key,
    new_segment_id,
    segment_folder,
    split_lines,
    unique_hashes,
)
from sessionbucket._core.arguments import check_integer
from sessionbucket._core.log_results import Log, LogDraft, LogHead, LogInfo
from sessionbucket._core.pagination import check_limit
from sessionbucket._core.results import UNSEEN, Document, Unseen
from sessionbucket.errors import (
    ConflictError,
    InvalidArgumentError,
    SessionBucketError,
    SessionCorruptedError,
    StoreUnavailableError,
)

logger = logging.getLogger(__name__)

_SEGMENTS_AT_ONCE = 64

Change = Callable[[LogState | None], Awaitable[LogState | None]]
Fold = Callable[[Metadata, list[Any]], Metadata]

# Inside the class, ``list`` is the method.
Entries = list[Any]
Lines = list[bytes]
ManyMetadata = list[Metadata | None]


class AsyncAppendLog:
    """Lists of JSON values that grow at their end, under free names in one document store.

    A log is one document with its metadata and its newest entries. When these have more than 256 KiB, the older half goes to an
    immutable segment in the sibling folder ``sealed/``. So an append sends one PUT of at most about 256 KiB, and a read sends one GET, and one
    GET for each segment, all at once. The order of entries is the order of commits.

    A name is the key of the document without ``.log``, so the rules of document keys hold. Any number of tasks, processes and hosts
    may change one log: every change is a conditional write over exactly the version that it was made for, repeated after a
    conflict, up to ``attempts`` times, and a lost response neither doubles nor loses an entry.

    Every method may raise the errors of a document store, and ``SessionCorruptedError`` for a log that is damaged, or in a format
    that this release does not read. A method that changes a log also raises ``ConflictError`` after ``attempts`` conflicts or when its
    outcome is unknown, and ``InvalidArgumentError`` for a value that JSON cannot hold. After an error whose outcome is not
    ``"unknown"``, the log is unchanged, unless the method says otherwise.
    """

    def __init__(self, documents: AsyncDocumentStore, *, unique: str | None = None) -> None:
        """``documents`` holds the logs. ``unique`` names a member of entries that identifies them.

        With ``unique``, an append drops an entry whose member equals that of an entry in the document, in the newest segment,
        or earlier in the same append: so an append may be repeated. Entries without the member are never dropped.
        """
        self.documents = documents
        self._unique = unique

    async def read(self, name: str, *, last: int | None = None) -> Log | None:
        """Return the log, or None when it does not exist; with ``last``, only its last entries, at most that many.

        Sends one GET, and then one GET for each needed segment, at most 64 at once.
        """
        key = log_key(name)
        _check_last(last)
        missing: set[str] = set()
        while True:
            document = await self.documents.get(key)
            if document is None:
                return None
            state = decode_log(document, self.documents.full_key(key))
            segments = state.segments_of_last(last)
            try:
                lines = await self._load_again(name, segments, missing)
            except ConflictError:
                continue
            entries = self._entries(name, segments, lines, state.tail)
            start = 0 if last is None else max(0, len(entries) - last)
            return Log(_head(name, state, document), entries[start:])

    async def read_range(self, name: str, start: int, stop: int) -> Log | None:
        """Return the log with its entries from position ``start`` to before ``stop``, as far as it has them, or None as ``read``.

        An entry that cannot be read is a ``SessionCorruptedError`` in its place, so a tool can show the others. Sends one GET, and then
        one GET for each segment that has some of these entries. Raises ``SessionCorruptedError`` for a damaged head line.
        """
        key = log_key(name)
        check_integer("start", start, 0)
        check_integer("stop", stop, 0)
        missing: set[str] = set()
        while True:
            document = await self.documents.get(key)
            if document is None:
                return None
            state = decode_log(document, self.documents.full_key(key))
            parts = state.segments_of_range(start, stop)
            keys = [segment_folder(name) + segment.id for segment, _, _ in parts]
            found = await self.documents.get_many(keys, concurrency=_SEGMENTS_AT_ONCE)
            gone = {each for each, body in zip(keys, found, strict=True) if body is None}
            if gone <= missing:
                break
            missing |= gone  # another writer may have replaced them since the document was read
        entries: Entries = []
        for each, (segment, first, end), body in zip(keys, parts, found, strict=True):
            full = self.documents.full_key(each)
            entries += decode_segment_range(body.body if body else None, segment, full, first, end)
        sealed = state.sealed_entries
        tail = split_lines(state.tail)[max(0, start - sealed) : max(0, stop - sealed)]
        entries += decode_each_line(tail, self.documents.full_key(key), max(0, start - sealed))
        return Log(_head(name, state, document), entries)

    async def read_metadata(self, names: Iterable[str], *, concurrency: int = 32) -> ManyMetadata:
        """Return the metadata of the logs in the order of the names, None for each that does not exist.

        Sends one GET of the first 16 KiB for each log, at most ``concurrency`` at a time, and another GET for longer metadata.
        """
        keys = [log_key(name) for name in names]
        found = await self.documents.get_many(keys, concurrency=concurrency, first=HEAD_BYTES)
        metadata = [
            decode_metadata(document, self.documents.full_key(key)) if document else None
            for key, document in zip(keys, found, strict=True)
        ]
        long = [number for number, document in enumerate(found) if document and metadata[number] is None]
        again = await self.documents.get_many([keys[number] for number in long], concurrency=concurrency)
        for number, document in zip(long, again, strict=True):
            metadata[number] = (
                decode_metadata(document, self.documents.full_key(keys[number])) if document else None
            )
        return metadata

    async def append(
        self,
        name: str,
        entries: Sequence[Any],
        *,
        fold: Fold | None = None,
        seen: LogHead | Unseen | None = UNSEEN,
        attempts: int = 10,
    ) -> LogHead:
        """Append the entries, in one write, and return the new head. A log that does not exist is created.

        ``fold`` gets the metadata and the entries to append, and returns the new metadata, which the same write stores. It may run up
        to ``attempts`` times, and may change the metadata in place. What it raises reaches the caller, and nothing is
        written.

        ``seen`` spares the read: pass the head of an earlier call, or None when the log probably does not exist. Then an append
        is one PUT, and if ``seen`` is outdated one GET and one PUT more. Nothing but a write relies on ``seen``. When the entries pass 256 KiB, one PUT more for
        each new segment.
        """
        added = [*entries]
        lines = b"".join(encode_lines(added))

        async def change(current: LogState | None) -> LogState | None:
            state = current or LogState({})
            new, new_lines = added, lines
            if self._unique is not None:
                key = self.documents.full_key(log_key(name))
                new = state.without_repeated(added, self._unique, key)
                new_lines = b"".join(encode_lines(new)) if len(new) < len(added) else lines
            if fold is not None:
                state = state.with_metadata(fold(state.metadata, [*new]))
            elif not new and current is not None:
                return None
            return replace(state, tail=state.tail + new_lines)

        # This change creates a log that does not exist, so there is a head.
        return cast("LogHead", await self._change(name, change, seen, attempts))

    async def edit(
        self,
        name: str,
        change: Callable[[LogDraft], object],
        *,
        last: int | None = 0,
        seen: LogHead | Unseen | None = UNSEEN,
        attempts: int = 10,
    ) -> LogHead | None:
        """Change the metadata and the last entries of a log, in one write, and return the new head.

        ``change`` gets a draft, with at least the ``last`` entries of the log (all of them, if None), and changes it in place. It may run
        up to ``attempts`` times. What it raises reaches the caller, and nothing is written. If it changes nothing, nothing is
        written, and the result is the head as read, or None for a log that does not exist. ``seen`` is that of ``append``.

        Segments with changed entries are replaced, and deleted after the write, so a removed text remains nowhere. When a delete
        fails, its error reaches the caller and the change is done. A killed process can leave such a segment, which
        ``delete`` removes.
        """
        _check_last(last)
        missing: set[str] = set()

        async def apply(current: LogState | None) -> LogState | None:
            state = current or LogState({})
            segments = state.segments_of_last(last)
            loaded = await self._load_again(name, segments, missing)
            entries = self._entries(name, segments, loaded, state.tail)
            draft = LogDraft(state.metadata, entries, state.length - len(entries), current is not None)
            before = encode_lines(draft.entries)
            metadata = encode_line(draft.metadata, "the metadata of a log")
            await awaited(change(draft))
            after = encode_lines(draft.entries)
            if before == after and metadata == encode_line(draft.metadata, "the metadata of a log"):
                return None
            state = state.with_metadata(draft.metadata)
            return (
                state
                if before == after
                else await changes.replace_last(state, segments, loaded, before, after)
            )

        changes = _SegmentChanges(self.documents, name, self._unique)
        return await self._change(name, apply, seen, attempts, changes)

    async def pop(
        self, name: str, *, seen: LogHead | Unseen | None = UNSEEN, attempts: int = 10
    ) -> Any | None:
        """Remove the last entry and return it, or None when there is none. ``seen`` is that of ``append``."""
        popped: list[Any] = []

        def take(draft: LogDraft) -> None:
            popped.clear()
            if draft.entries:
                popped.append(draft.entries.pop())

        await self.edit(name, take, last=1, seen=seen, attempts=attempts)
        return popped[0] if popped else None

    async def replace(
        self,
        name: str,
        index: int,
        entry: Any,
        *,
        seen: LogHead | Unseen | None = UNSEEN,
        attempts: int = 10,
    ) -> LogHead:
        """Replace the entry at a position in the whole log, which counts from the end when it is negative. Return the new head.

        Of a sealed entry, the segment is read, written again under a new name, and the old one deleted after the write, as ``edit``
        describes. ``seen`` is that of ``append``. Raises ``InvalidArgumentError`` when the log has no entry at this position.
        """
        line = encode_line(entry, "the entry")
        missing: set[str] = set()

        async def change(current: LogState | None) -> LogState:
            state = current or LogState({})
            at = index if index >= 0 else state.length + index
            if not 0 <= at < state.length:
                raise InvalidArgumentError(
                    f"index {index} is refused: log {name!r} has {state.length} entries; nothing was written"
                )
            for number, segment in enumerate(state.sealed):
                if at < segment.entries:
                    lines = (await self._load_again(name, [segment], missing))[0]
                    written = await changes.write(_with_line(lines, at, line))
                    return replace(
                        state, sealed=(*state.sealed[:number], written, *state.sealed[number + 1 :])
                    )
                at -= segment.entries
            return replace(state, tail=_with_line(state.tail, at, line))

        changes = _SegmentChanges(self.documents, name, self._unique)
        return cast("LogHead", await self._change(name, change, seen, attempts, changes))

    async def delete(self, name: str) -> None:
        """Delete the log with all its segments, those of interrupted changes too. A missing log counts as deleted.

        Sends one LIST, and one DELETE for each 1,000 objects. An append of another writer at the same time may create the log again,
        with its own entries only. Raises ``DeleteIncompleteError`` with the remaining keys.
        """
        key = log_key(name)
        found = [
            info.key
            async for info in self.documents.list(segment_folder(name), recursive=False)
            if not info.key.endswith(SUFFIX)
        ]
        await self.documents.delete([key, *found])

    async def list(
        self, prefix: str = "", *, start_after: str = "", limit: int | None = None
    ) -> AsyncGenerator[LogInfo, None]:
        """List the logs whose names start with ``prefix`` and have no ``/`` after it, in the order of their keys; at most ``limit``.

        ``start_after`` is a name. Sends one LIST for each 1,000 logs. ``documents.list_folders`` lists the folders.
        """
        if limit is not None:
            check_limit(limit)
        after = log_key(start_after) if start_after else ""
        left = limit
        async for info in self.documents.list(prefix, start_after=after, recursive=False):
            if not info.key.endswith(SUFFIX):
                continue
            yield LogInfo(info.key.removesuffix(SUFFIX), info.size, info.updated_at, info.version)
            left = None if left is None else left - 1
            if left == 0:
                return

    async def _change(
        self,
        name: str,
        change: Change,
        seen: LogHead | Unseen | None,
        attempts: int,
        changes: _SegmentChanges | None = None,
    ) -> LogHead | None:
        """Make a change in one write, seal what is too much, and delete the segments that the log does not name any more."""
        key = log_key(name)
        changes = changes or _SegmentChanges(self.documents, name, self._unique)
        before = after = LogState({})

        async def change_once(document: Document | None) -> bytes | None:
            nonlocal before, after
            current = decode_log(document, self.documents.full_key(key)) if document else None
            before = after = current or LogState({})
            changed = await change(current)
            if changed is None:
                return None
            after = await changes.seal(changed)
            return after.body()

        self.documents.full_key(
            segment_folder(name) + new_segment_id()
        )  # which is longer than the key of the document
        try:
            document = await self.documents.update(
                key, change_once, seen=_remembered(name, seen), attempts=attempts
            )
        except SessionBucketError as error:
            if getattr(error, "outcome", "not written") == "not written":
                await changes.discard()
            raise
        await changes.delete_unnamed(before, after)
        return _head(name, after, document) if document else None

    async def _load(self, name: str, segments: Sequence[Segment]) -> Lines:
        """The lines of the segments. Raises ``SessionCorruptedError`` also for one that does not exist."""
        folder = segment_folder(name)
        keys = [folder + segment.id for segment in segments]
        found = await self.documents.get_many(keys, concurrency=_SEGMENTS_AT_ONCE)
        lines = []
        for key, segment, document in zip(keys, segments, found, strict=True):
            full = self.documents.full_key(key)
            if document is None:
                raise SessionCorruptedError(full, "it does not exist, and its log names it")
            lines.append(decode_segment_body(document.body, segment, full))
        return lines

    async def _load_again(self, name: str, segments: Sequence[Segment], missing: set[str]) -> Lines:
        """The same. ``missing`` has the keys that earlier attempts have missed.

        Raises ``ConflictError`` when a segment is missing for the first time: another writer may have replaced it since the
        document was read.
        """
        try:
            return await self._load(name, segments)
        except SessionCorruptedError as error:
            if error.key in missing:
                raise
            missing.add(error.key)
            raise ConflictError(error.key, location=self.documents.location) from error

    def _entries(
        self, name: str, segments: Sequence[Segment], loaded: Sequence[bytes], tail: bytes
    ) -> Entries:
        folder = segment_folder(name)
        entries = [
            entry
            for segment, lines in zip(segments, loaded, strict=True)
            for entry in decode_lines(lines, self.documents.full_key(folder + segment.id))
        ]
        return entries + decode_lines(tail, self.documents.full_key(log_key(name)))


class _SegmentChanges:
    """The segments that one change of a log writes. Attempts that seal the same lines use the same segment."""

    def __init__(self, documents: AsyncDocumentStore, name: str, unique: str | None) -> None:
        self._documents = documents
        self._name = name
        self._folder = segment_folder(name)
        self._unique = unique
        self._written: dict[bytes, Segment] = {}

    async def write(self, lines: bytes) -> Segment:
        """Write a segment. When it fails, the log is unchanged, whatever the outcome of this write."""
        segment = self._written.get(lines)
        if segment is None:
            segment = Segment(new_segment_id(), lines.count(b"\n"))
            self._written[lines] = segment
            try:
                await self._documents.put(
                    self._folder + segment.id, encode_segment_body(lines), if_absent=True
                )
            except StoreUnavailableError as error:
                raise error.with_outcome("not written") from error.__cause__
        return segment

    async def _write_all(self, lines: bytes) -> tuple[list[Segment], bytes]:
        """Write the lines in segments. Return also the lines of the last one."""
        parts = []
        while lines:
            parts.append(first_segment(lines))
            lines = lines[len(parts[-1]) :]
        writes = [partial(self.write, part) for part in parts]
        return await gather(writes, limit=_SEGMENTS_AT_ONCE), b"".join(parts[-1:])

    async def seal(self, state: LogState) -> LogState:
        """The state with its older lines in new segments, when there are too many."""
        keep = state.tail
        while len(keep) > SEAL_BYTES:
            keep = keep[len(first_segment(keep)) :]
        if len(keep) == len(state.tail):
            return state
        segments, last = await self._write_all(state.tail[: len(state.tail) - len(keep)])
        recent: tuple[str, ...] = ()
        if self._unique is not None:
            entries = decode_lines(last, self._documents.full_key(log_key(self._name)))
            recent = tuple(sorted(unique_hashes(entries, self._unique)))
        return replace(state, sealed=(*state.sealed, *segments), recent=recent, tail=keep)

    async def replace_last(
        self,
        state: LogState,
        segments: Sequence[Segment],
        loaded: Sequence[bytes],
        before: Sequence[bytes],
        after: Sequence[bytes],
    ) -> LogState:
        """The state with ``after`` in the place of its last lines.

        ``before`` are these lines as they would be written now; the segments and the tail have them as they were written. Segments whose
        entries are the same at the beginning and at the end stay.
        """
        raw = [line for lines in (*loaded, state.tail) for line in split_lines(lines)]
        same = _common(before, after)
        same_end = min(_common(before[::-1], after[::-1]), min(len(before), len(after)) - same)
        changed = [*raw[:same], *after[same : len(after) - same_end], *raw[len(raw) - same_end :]]
        older = state.sealed[: len(state.sealed) - len(segments)]
        first = start = 0
        while first < len(segments) and start + segments[first].entries <= same:
            start += segments[first].entries
            first += 1
        tail_lines = state.tail.count(b"\n")
        end, stop = len(segments), len(raw) - tail_lines
        while end > first and len(raw) - stop + segments[end - 1].entries <= same_end:
            end -= 1
            stop -= segments[end].entries
        if end == len(segments) and (same_end < tail_lines or not tail_lines):
            recent = state.recent if first == len(segments) else ()
            return replace(
                state, sealed=(*older, *segments[:first]), recent=recent, tail=b"".join(changed[start:])
            )
        middle, _ = await self._write_all(b"".join(changed[start : stop + len(after) - len(before)]))
        recent = state.recent if end < len(segments) else ()
        return replace(state, sealed=(*older, *segments[:first], *middle, *segments[end:]), recent=recent)

    async def discard(self) -> None:
        """Delete the segments of a change that was not made, as far as that works now."""
        try:
            await self._documents.delete([self._folder + segment.id for segment in self._written.values()])
        except SessionBucketError as error:
            logger.warning("segments of a change that was not made remain in %s: %s", self._folder, error)

    async def delete_unnamed(self, before: LogState, after: LogState) -> None:
        """Delete the segments that were named before the change, or written for it, and are not named after it."""
        named = {*after.sealed}
        unnamed = [segment for segment in (*before.sealed, *self._written.values()) if segment not in named]
        if unnamed:
            await self._documents.delete([self._folder + segment.id for segment in unnamed])


def _common(one: Sequence[bytes], other: Sequence[bytes]) -> int:
    """The number of equal lines at the beginning."""
    shorter = min(len(one), len(other))
    return next((at for at in range(shorter) if one[at] != other[at]), shorter)


def _with_line(lines: bytes, at: int, line: bytes) -> bytes:
    split = split_lines(lines)
    split[at] = line
    return b"".join(split)


def _head(name: str, state: LogState, document: Document) -> LogHead:
    return LogHead(name, state.metadata, state.length, document)


def _remembered(name: str, seen: LogHead | Unseen | None) -> Document | Unseen | None:
    if not isinstance(seen, LogHead):
        return seen
    if seen.name != name:
        raise InvalidArgumentError(f"seen is refused: it is the head of log {seen.name!r}, not of {name!r}")
    return seen.document


def _check_last(last: int | None) -> None:
    if last is not None and last < 0:
        raise InvalidArgumentError(f"last {last} is refused: it must be at least 0")
