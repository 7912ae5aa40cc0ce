"""The contents of a checkpoint's objects, by the serializer of a saver."""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    PendingWrite,
    get_checkpoint_id,
    get_checkpoint_metadata,
)
from langgraph.checkpoint.serde.base import SerializerProtocol

from sessionbucket import Frame
from sessionbucket.integrations.langgraph import layout
from sessionbucket.integrations.langgraph.documents import Recent
from sessionbucket.integrations.langgraph.layout import Group, Namespace

logger = logging.getLogger(__name__)

Frames = dict[str, Frame]
Writes = list[PendingWrite]

_LARGE_VALUE = 256 * 1024


class BaseBucketSaver(BaseCheckpointSaver[str]):
    """Makes frames of checkpoints, and checkpoints of frames. Sends no request."""

    def __init__(self, *, serde: SerializerProtocol | None = None) -> None:
        super().__init__(serde=serde)
        self._written = Recent[str, None]()  # keys of writes that exist
        # The versions and names of large values, by thread, namespace and checkpoint.
        self._large = Recent[tuple[str, str, str | None], dict[str, list[Any]]]()

    def get_next_version(self, current: str | int | None, channel: None) -> str:
        """The next version of a channel. A random part makes the versions of two forks differ."""
        number = int(str(current).partition(".")[0]) if current else 0
        return f"{number + 1:032}.{random.random():016}"  # noqa: S311

    def _dump_checkpoint(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> tuple[Frames, Frame]:
        """The large values that may not be stored yet, by name, and the checkpoint, which names them."""
        place, id, parent = Namespace.of(config), checkpoint["id"], get_checkpoint_id(config)
        if parent and id <= parent:
            logger.error(
                "checkpoint %s of thread %r is not newer than its parent %s", id, place.thread, parent
            )
        metadata = get_checkpoint_metadata(config, metadata)
        kept = {name: value for name, value in checkpoint.items() if name != "channel_values"}
        blobs = {"metadata": self.serde.dumps_typed(metadata), "checkpoint": self.serde.dumps_typed(kept)}
        inherited = self._large.get((place.thread, place.name, parent), {})
        stored = {name for _, name in inherited.values()}
        large: dict[str, list[Any]] = {}
        values: Frames = {}
        versions = checkpoint["channel_versions"]
        for channel, value in checkpoint["channel_values"].items():
            version = versions.get(channel)
            if channel not in new_versions and inherited.get(channel, [None])[0] == version is not None:
                large[channel] = inherited[channel]
                continue
            blob = self.serde.dumps_typed(value)
            if len(blob[1]) <= _LARGE_VALUE:
                blobs[f"={channel}"] = blob
                continue
            name = layout.large_value_name(blob)
            large[channel] = [version, name]
            if name not in stored:
                values[name] = Frame({}, {"value": blob})
        deltas = metadata.get("counters_since_delta_snapshot", {}).keys() & versions.keys()
        header = {
            "thread": place.thread,
            "ns": place.name,
            "id": id,
            "parent": parent,
            "run": metadata.get("run_id"),
            "large": large,
            "delta": sorted(deltas - checkpoint["channel_values"].keys()),
        }
        return values, Frame(header, blobs)

    def _load_tuple(self, group: Group, metadata: CheckpointMetadata, frames: Frames) -> CheckpointTuple:
        header, blobs = frames[group.checkpoint]
        self._remember_large(header)
        checkpoint = self.serde.loads_typed(blobs["checkpoint"])
        checkpoint["channel_values"] = {
            channel: self._load_value(group, channel, frames)
            for channel in layout.stored_channels(frames[group.checkpoint])
        }
        return CheckpointTuple(
            config=layout.config_of(header, header["id"]),
            checkpoint=checkpoint,
            metadata=metadata,
            parent_config=layout.config_of(header, header["parent"]) if header["parent"] else None,
            pending_writes=self._load_writes(group, frames),
        )

    def _load_value(self, group: Group, channel: str, frames: Frames) -> Any:
        return self.serde.loads_typed(layout.value_of(channel, group.checkpoint, frames))

    def _load_writes(self, group: Group, frames: Frames) -> Writes:
        for key in group.writes:
            self._written[key] = None
        found = layout.writes_of(group, frames)
        return [(task, channel, self.serde.loads_typed(blob)) for task, channel, blob in found]

    def _remember_large(self, header: Mapping[str, Any]) -> None:
        self._large[header["thread"], header["ns"], header["id"]] = header["large"]
