"""The objects of a thread: their keys, and what is in their frames. Nothing here sends a request.

A checkpoint and the writes on it are objects that are written once. The newest come first::

    <thread>/<namespace>/<checkpoint>.c.<run>.<parent>   a checkpoint: its metadata, and its channels up to 256 KiB
    <thread>/<namespace>/<checkpoint>.w.<task>           the writes of one task on it
    <thread>/%values/<sha256>                            a larger channel value, which checkpoints name
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, NamedTuple

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import WRITES_IDX_MAP, get_checkpoint_id, writes_sort_key

from sessionbucket import (
    DocumentInfo,
    Frame,
    SessionCorruptedError,
    encode_frame,
    encode_segment,
    newest_first,
)

_VALUES = "%values/"  # no text is encoded to a segment with '%' before a small letter
_NONE = "-"


class Group(NamedTuple):
    """The objects of one checkpoint. ``checkpoint`` is empty where only writes exist; their checkpoint may come later."""

    folder: str
    id: str  # as newest_first encodes it
    checkpoint: str
    parent: str
    run: str
    writes: list[str]
    rows: list[DocumentInfo]


Blob = tuple[str, bytes]
Known = Mapping[tuple[str, str], Group]


class Namespace(NamedTuple):
    """A namespace of a thread, and the folders of both."""

    thread: str
    name: str
    thread_folder: str
    folder: str

    @classmethod
    def of(cls, config: RunnableConfig) -> Namespace:
        thread = str(config["configurable"]["thread_id"])
        name = config["configurable"].get("checkpoint_ns") or ""
        folder = thread_folder(thread)
        return cls(thread, name, folder, f"{folder}{encode_segment(name)}/")

    def group_prefix(self, id: str | None) -> str:
        """The start of the keys of a checkpoint and the writes on it, or of all in the namespace."""
        return f"{self.folder}{newest_first(id)}." if id else self.folder

    def checkpoint_key(self, id: str, parent: str | None, run_id: object) -> str:
        encoded_parent = newest_first(parent) if parent else _NONE
        return f"{self.folder}{newest_first(id)}.c.{run_mark(run_id)}.{encoded_parent}"

    def writes_key(self, id: str, task_id: str) -> str:
        return f"{self.folder}{newest_first(id)}.w.{encode_segment(task_id)}"

    def value_key(self, name: str) -> str:
        return f"{self.thread_folder}{_VALUES}{name}"


def thread_folder(thread_id: object) -> str:
    return f"{encode_segment(str(thread_id))}/"


def thread_of(key: str) -> str:
    """The folder of the thread of a key."""
    return key.partition("/")[0] + "/"


def run_mark(run_id: object) -> str:
    """What a key has of a run's id."""
    return hashlib.sha256(str(run_id).encode()).hexdigest()[:8] if run_id else _NONE


def config_of(header: Mapping[str, Any], id: str) -> RunnableConfig:
    """The config of a checkpoint in the namespace of a header."""
    names = {"thread_id": header["thread"], "checkpoint_ns": header["ns"], "checkpoint_id": id}
    return {"configurable": names}


def is_value(key: str) -> bool:
    """Whether a key is that of a large value."""
    return key.partition("/")[2].startswith(_VALUES)


def grouped(rows: Iterable[DocumentInfo]) -> list[Group]:
    """The groups of a listing, in its order."""
    groups = []
    objects = (row for row in rows if not is_value(row.key))
    for (folder, id), found in groupby(objects, lambda row: _split(row.key)[:2]):
        own = list(found)
        checkpoint = parent = run = ""
        writes = []
        for row in own:
            _, _, kind, rest = _split(row.key)
            if kind == "c":
                checkpoint, (run, _, parent) = row.key, rest.partition(".")
            elif kind == "w":
                writes.append(row.key)
        groups.append(Group(folder, id, checkpoint, parent, run, writes, own))
    return groups


def _split(key: str) -> tuple[str, str, str, str]:
    """The folder, checkpoint, kind and rest of a key."""
    folder, _, name = key.rpartition("/")
    id, kind, rest = [*name.split(".", 2), "", ""][:3]
    return folder + "/", id, kind, rest


def selected(
    groups: Iterable[Group], config: RunnableConfig | None, before: RunnableConfig | None
) -> list[Group]:
    """The groups whose checkpoint has the id of ``config``, if that has one, and is older than that of ``before``."""
    id, end = (get_checkpoint_id(each) if each else None for each in (config, before))
    return [
        group
        for group in groups
        if group.checkpoint
        and (not id or group.id == newest_first(id))
        and (not end or group.id > newest_first(end))
    ]


def by_id(groups: Iterable[Group]) -> dict[tuple[str, str], Group]:
    """The groups that have a checkpoint, by namespace and id."""
    return {(group.folder, group.id): group for group in groups if group.checkpoint}


def ancestors(group: Group, known: Known) -> list[Group]:
    """The known ancestors of a checkpoint, the nearest first."""
    left, chain = dict(known), []
    while parent := left.pop((group.folder, group.parent), None):
        chain.append(group := parent)
    return chain


def newest(groups: Iterable[Group], keep: int) -> list[Group]:
    """The groups of the latest checkpoints of each namespace, and later ones that have only writes yet."""
    kept: list[Group] = []
    for _, own in groupby(groups, lambda group: group.folder):
        mine = list(own)
        ids = [group.id for group in mine if group.checkpoint][:keep]
        kept += [group for group in mine if not ids or group.id <= ids[-1]]
    return kept


def without_ended_tasks(groups: list[Group]) -> list[Group]:
    """The groups without the checkpoints that a subgraph made for a task before the oldest checkpoint of the root graph."""
    root = [group.id for group in groups if group.folder.endswith(f"/{encode_segment('')}/")]
    return [group for group in groups if not root or "%3A" not in group.folder or group.id <= root[-1]]


def large_value_name(blob: Blob) -> str:
    """The name of a large value, so that equal values are one object."""
    kind, data = blob
    return hashlib.sha256(b"%s\0%s" % (kind.encode(), data)).hexdigest()


def value_keys(checkpoint: str, frame: Frame) -> dict[str, str]:
    """The keys of a checkpoint's large values, by channel."""
    folder = thread_of(checkpoint)
    return {channel: f"{folder}{_VALUES}{name}" for channel, (_, name) in frame.header["large"].items()}


def stored_channels(frame: Frame) -> set[str]:
    """The channels that have a value in a checkpoint."""
    return {name[1:] for name in frame.blobs if name[0] == "="} | frame.header["large"].keys()


def value_of(channel: str, checkpoint: str, frames: Mapping[str, Frame]) -> Blob:
    """The value of a stored channel. Raises ``SessionCorruptedError`` when it is large and missing."""
    frame = frames[checkpoint]
    key = value_keys(checkpoint, frame).get(channel)
    if key is None:
        return frame.blobs[f"={channel}"]
    if key not in frames:
        raise SessionCorruptedError(
            key, f"it is missing, and checkpoint {checkpoint!r} needs it for channel {channel!r}"
        )
    return frames[key].blobs["value"]


def add_writes(
    frame: Frame | None, task_id: str, task_path: str, writes: Iterable[tuple[str, Blob]]
) -> bytes | None:
    """The frame of a task's writes with more of them, or None when it has them all. Of two writes in one place the first stays."""
    header, blobs = frame or Frame({"task": task_id, "writes": {}}, {})
    before = {**blobs}
    for position, (channel, blob) in enumerate(writes):
        index = WRITES_IDX_MAP.get(channel, position)
        if index < 0 or str(index) not in blobs:
            header["writes"][str(index)] = channel, task_path
            blobs[str(index)] = blob
    return None if frame and blobs == before else encode_frame(header, blobs)


def writes_of(group: Group, frames: Mapping[str, Frame]) -> list[tuple[str, str, Blob]]:
    """The task, channel and value of each write on a checkpoint, in the order in which a run applies them."""
    found = []
    for header, blobs in (frames[key] for key in group.writes if key in frames):
        for index, (channel, path) in header["writes"].items():
            order = writes_sort_key(path, header["task"], int(index))
            found.append((order, (header["task"], channel, blobs[index])))
    return [write for _, write in sorted(found, key=lambda each: each[0])]
