"""Threads of LangGraph: their checkpoints, and what the tasks on each of them wrote.

A thread has these objects, and keys have ids so that the newest come first::

    <thread>/<namespace>/<checkpoint>.c.<run>.<parent>   a checkpoint
    <thread>/<namespace>/<checkpoint>.w.<task>           the writes of one task on it
    <thread>/%values/<sha256>                            a large value of a channel, which checkpoints name
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sessionbucket import (
    Document,
    DocumentStore,
    Frame,
    SessionCorruptedError,
    decode_frame,
    encode_segment,
    newest_first,
)
from sessionbucket.web.threads.checkpoints import (
    Checkpoint,
    Writes,
    checkpoint_step,
    decode_checkpoint,
)
from sessionbucket.web.threads.msgpack_values import decode_value
from sessionbucket.web.threads.parts import members, words
from sessionbucket.web.threads.sections import Steps, unreadable
from sessionbucket.web.transcript import Step, TextBlock

_VALUES = "%values"
_AT_ONCE = 16
"""As many checkpoints, with the writes on them, are in memory at a time."""
_MOST_VALUE_BYTES = 8 * 1024 * 1024
"""A page reads large values of this many bytes together at most."""


@dataclass(slots=True)
class _Group:
    """The objects of one checkpoint, which may be missing while writes on it exist."""

    folder: str
    id: str  # as keys have it
    checkpoint: str = ""
    parent: str = ""
    writes: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def read_thread(documents: DocumentStore, id: str, offset: int, limit: int) -> Steps | None:
    """The checkpoints of all namespaces, oldest first, each with the writes on it.

    Sends one LIST for each 1,000 objects of the thread, whose keys are held in memory, and one GET for each object of the page. A channel is
    shown where its version changed, and of a list that grew, the new items.
    """
    groups, sizes = _groups(documents, id)
    if not groups:
        return None
    return Steps(_Page(documents, id, groups, sizes).read(offset, offset + limit), len(groups))


def _groups(documents: DocumentStore, id: str) -> tuple[list[_Group], dict[str, int]]:
    """The checkpoints in the order of their ids, and the sizes of the large values."""
    groups: dict[tuple[str, str], _Group] = {}
    sizes: dict[str, int] = {}
    for info in documents.list(f"{id}/"):
        folder, _, name = info.key.rpartition("/")
        if folder == f"{id}/{_VALUES}":
            sizes[name] = info.size
            continue
        inverted, kind, rest = [*name.split(".", 2), "", ""][:3]
        group = groups.setdefault((folder, inverted), _Group(folder, inverted))
        if kind == "c":
            group.checkpoint, group.parent = info.key, rest.partition(".")[2]
        elif kind == "w":
            group.writes.append(info.key)
        else:
            group.others.append(info.key)
    return sorted(groups.values(), key=lambda group: (group.id, group.folder), reverse=True), sizes


class _Page:
    """Reads the steps of some checkpoints."""

    def __init__(
        self, documents: DocumentStore, id: str, groups: list[_Group], sizes: dict[str, int]
    ) -> None:
        self._documents = documents
        self._id = id
        self._groups = groups
        self._sizes = sizes
        self._known: dict[tuple[str, str], Checkpoint] = {}  # without values
        self._value_bytes_left = _MOST_VALUE_BYTES
        self._writes = Writes()

    def read(self, start: int, stop: int) -> list[Step]:
        page = self._groups[start:stop]
        self._read_parents(page)
        steps: list[Step] = []
        for first in range(0, len(page), _AT_ONCE):
            steps += self._batch(page[first : first + _AT_ONCE])
        self._writes.complete()
        return steps

    def _batch(self, batch: list[_Group]) -> list[Step]:
        """The steps of some checkpoints, whose objects are read at once."""
        keys = [key for group in batch for key in (group.checkpoint, *group.writes) if key]
        found = dict(zip(keys, self._documents.get_many(keys), strict=True))
        return [step for group in batch for step in self._steps(group, found)]

    def _read_parents(self, page: list[_Group]) -> None:
        """Remember the parents of the page's checkpoints that are not on the page themselves."""
        keys = {(group.folder, group.id): group.checkpoint for group in self._groups if group.checkpoint}
        shown = {(group.folder, group.id) for group in page}
        for place in {(group.folder, group.parent) for group in page} - shown:
            if place in keys:
                document = self._documents.get(keys[place])
                try:
                    checkpoint = decode_checkpoint(self._frame(keys[place], document))
                except SessionCorruptedError:
                    continue  # its own page says so
                checkpoint.forget_values()
                self._known[place] = checkpoint

    def _steps(self, group: _Group, found: Mapping[str, Document | None]) -> list[Step]:
        """The step of a checkpoint, and those of the writes on it."""
        name = f"Checkpoint {_id_of(group.id)}"
        steps = [
            unreadable(name, f"{key!r} is no object of a thread that this release knows.")
            for key in group.others
        ]
        checkpoint = None
        if group.checkpoint:
            try:
                checkpoint = decode_checkpoint(self._frame(group.checkpoint, found[group.checkpoint]))
                steps.append(self._checkpoint(group, checkpoint))
            except SessionCorruptedError as error:
                steps.append(unreadable(name, error))
        elif group.writes:
            reason = "Only the writes on it exist: it was deleted, or its writer has not written it yet."
            steps.append(Step("checkpoint", name, [TextBlock(reason)]))
        frames = []
        for key in group.writes:
            try:
                frames.append(self._frame(key, found[key]))
            except SessionCorruptedError as error:
                steps.append(unreadable("Writes of a task", error))
        if frames:
            steps += self._writes.steps(frames, self._around(checkpoint))
        if checkpoint:
            checkpoint.forget_values()
            self._known[group.folder, group.id] = checkpoint
        return steps

    def _checkpoint(self, group: _Group, checkpoint: Checkpoint) -> Step:
        """The step of a checkpoint, with its large values as far as the page may read them."""
        parent = self._known.get((group.folder, group.parent))
        unread = []
        for channel, name in checkpoint.large.items():
            if not checkpoint.has_changed(channel, parent):
                continue
            size = self._sizes.get(name)
            if size is None:  # so no other key is read than those of the listing
                checkpoint.add_value(channel, "Its object does not exist.")
                continue
            if size > self._value_bytes_left:
                unread.append((channel, size))
                continue
            self._value_bytes_left -= size
            key = f"{self._id}/{_VALUES}/{name}"
            try:
                blob = self._frame(key, self._documents.get(key)).blobs.get("value", ("null", b""))
                checkpoint.add_value(channel, decode_value(*blob))
            except SessionCorruptedError as error:
                checkpoint.add_value(channel, str(error))
        return checkpoint_step(checkpoint, parent, unread)

    def _around(self, checkpoint: Checkpoint | None) -> list[Checkpoint]:
        """A checkpoint, and those of the graphs around a subgraph that it was made in."""
        if checkpoint is None:
            return []
        outer = members(checkpoint.metadata.get("parents")).items()
        places = [(f"{self._id}/{encode_segment(name)}", newest_first(words(id))) for name, id in outer]
        return [checkpoint, *(self._known[place] for place in places if place in self._known)]

    def _frame(self, key: str, document: Document | None) -> Frame:
        """The frame of a document. Raises ``SessionCorruptedError``."""
        full = self._documents.full_key(key)
        if document is None:
            raise SessionCorruptedError(full, "it does not exist")
        return decode_frame(document.body, full)


def _id_of(encoded: str) -> str:
    """The id that keys have encoded."""
    try:
        return bytes(255 - byte for byte in bytes.fromhex(encoded.rstrip("~"))).decode()
    except ValueError:
        return encoded
