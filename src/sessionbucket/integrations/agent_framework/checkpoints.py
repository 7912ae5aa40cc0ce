"""Checkpoints of the workflows of Agent Framework."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from agent_framework import WorkflowCheckpoint, WorkflowCheckpointException
from agent_framework._workflows._checkpoint_encoding import decode_checkpoint_value, encode_checkpoint_value

from sessionbucket import Document, encode_segment, newest_first
from sessionbucket.integrations.agent_framework.documents import FrameworkDocuments

if TYPE_CHECKING:
    from sessionbucket import AsyncSessionStore


class BucketCheckpointStorage(FrameworkDocuments):
    """Keeps each checkpoint of a workflow as one document, and an empty one that lists it, newest first.

    They are under ``agent-framework/checkpoints/`` and ``agent-framework/workflows/``. ``save`` sends two PUT, ``load`` one GET, and
    ``get_latest`` one LIST and one GET, however many checkpoints there are.

    Values are encoded and restored as in ``FileCheckpointStorage``, which pickles values that JSON cannot hold: restoring is limited to
    the framework's types and to ``allowed_checkpoint_types``. Every method may raise ``SessionBucketError``.
    """

    def __init__(
        self,
        url_or_store: str | os.PathLike[str] | AsyncSessionStore[Any],
        *,
        allowed_checkpoint_types: Iterable[str] = (),
    ) -> None:
        """``url_or_store`` is that of ``open_async_store``, or an open store; the types are texts ``"module:qualname"``.

        Raises ``InvalidArgumentError`` for a bad URL.
        """
        super().__init__(url_or_store)
        self._allowed = frozenset(allowed_checkpoint_types)

    async def save(self, checkpoint: WorkflowCheckpoint) -> str:
        """Store the checkpoint. Raises ``WorkflowCheckpointException`` for values that ``load`` could not restore."""
        try:
            encoded = encode_checkpoint_value(checkpoint.to_dict())
            decode_checkpoint_value(encoded, allowed_types=self._allowed)
        except Exception as error:
            raise WorkflowCheckpointException(
                f"Checkpoint {checkpoint.checkpoint_id} cannot be restored, so it was not saved: {error}"
            ) from error
        name = encode_segment(checkpoint.checkpoint_id)
        await self._documents.put(_checkpoint_key(name), self._encoded(encoded))
        await self._documents.put(_row_key(checkpoint), b"")
        return checkpoint.checkpoint_id

    async def load(self, checkpoint_id: str) -> WorkflowCheckpoint:
        found = await self._find(encode_segment(checkpoint_id))
        if found is None:
            raise WorkflowCheckpointException(f"No checkpoint found with ID {checkpoint_id}")
        return found

    async def list_checkpoints(self, *, workflow_name: str) -> list[WorkflowCheckpoint]:
        names = [name async for name in self._names(workflow_name)]
        found = await self._documents.get_many(map(_checkpoint_key, reversed(names)))
        return [self._restored(each) for each in found if each]

    async def delete(self, checkpoint_id: str) -> bool:
        name = encode_segment(checkpoint_id)
        found = await self._find(name)
        if found is None:
            return False
        await self._documents.delete(_row_key(found))
        await self._documents.delete(_checkpoint_key(name))
        return True

    async def get_latest(self, *, workflow_name: str) -> WorkflowCheckpoint | None:
        for limit in (1, None):  # the first row may be of a checkpoint that is being deleted
            async for name in self._names(workflow_name, limit):
                if found := await self._find(name):
                    return found
        return None

    async def list_checkpoint_ids(self, *, workflow_name: str) -> list[str]:
        return [each.checkpoint_id for each in await self.list_checkpoints(workflow_name=workflow_name)]

    async def _names(self, workflow_name: str, limit: int | None = None) -> AsyncIterator[str]:
        """The encoded ids of a workflow's checkpoints, newest first."""
        async for row in self._documents.list(_rows(workflow_name), limit=limit):
            yield row.key.rpartition("/")[2].partition("~")[2]

    async def _find(self, name: str) -> WorkflowCheckpoint | None:
        document = await self._documents.get(_checkpoint_key(name))
        return self._restored(document) if document else None

    def _restored(self, document: Document) -> WorkflowCheckpoint:
        value = decode_checkpoint_value(self._decoded(document), allowed_types=self._allowed)
        return WorkflowCheckpoint.from_dict(value)


def _checkpoint_key(name: str) -> str:
    return f"checkpoints/{name}.json"


def _rows(workflow_name: str) -> str:
    return f"workflows/{encode_segment(workflow_name)}/"


def _row_key(checkpoint: WorkflowCheckpoint) -> str:
    time = datetime.fromisoformat(checkpoint.timestamp)
    utc = (
        (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="microseconds")
    )
    return _rows(checkpoint.workflow_name) + newest_first(utc) + encode_segment(checkpoint.checkpoint_id)
