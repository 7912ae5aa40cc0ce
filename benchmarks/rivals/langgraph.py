"""langgraph-checkpoint-objectstorage: a new object for each checkpoint, with the whole conversation.

A turn counts as one ``put``, although the run of a graph makes one for each of its steps, and calls of ``put_writes``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langgraph.checkpoint.base import empty_checkpoint
from langgraph_checkpoint_objectstorage import ObjectStorageSaver

from benchmarks.servers import Server
from sessionbucket import Message, SessionData

NAME = "langgraph objectstorage"
_MESSAGES_A_TURN = 2


class LanggraphConversation:
    """A thread with a checkpoint for each of its turns."""

    def __init__(self, saver: ObjectStorageSaver, session: SessionData) -> None:
        self._saver = saver
        self._config: Any = {"configurable": {"thread_id": "session", "checkpoint_ns": ""}}
        self._messages = [_message(each) for each in session.messages]
        for count in range(_MESSAGES_A_TURN, len(self._messages) + 1, _MESSAGES_A_TURN):
            self._put(self._messages[:count])

    def resume(self) -> list[BaseMessage]:
        """Return the messages of the latest checkpoint."""
        found = self._saver.get_tuple({"configurable": {"thread_id": "session", "checkpoint_ns": ""}})
        assert found is not None  # noqa: S101 (narrowing)
        messages: list[BaseMessage] = found.checkpoint["channel_values"]["messages"]
        return messages

    def take_turn(self) -> None:
        """Put a checkpoint with two more messages."""
        self._put([*self._messages, *self._messages[:_MESSAGES_A_TURN]])

    def _put(self, messages: list[BaseMessage]) -> None:
        checkpoint = empty_checkpoint()
        checkpoint["channel_values"] = {"messages": messages}
        checkpoint["channel_versions"] = {"messages": len(messages)}
        self._config = self._saver.put(
            self._config, checkpoint, {"source": "loop"}, {"messages": len(messages)}
        )


def on_s3(server: Server, bucket: str, session: SessionData) -> LanggraphConversation:
    """A thread in a bucket."""
    saver = ObjectStorageSaver.from_conn_string(
        f"s3://{bucket}/checkpoints",
        key=server.access_key,
        secret=server.secret_key,
        client_kwargs={"endpoint_url": server.endpoint_url},
    )
    return LanggraphConversation(saver, session)


def in_folder(folder: Path, session: SessionData) -> LanggraphConversation:
    """A thread in files."""
    return LanggraphConversation(ObjectStorageSaver.from_conn_string(folder.as_uri()), session)


def _message(message: Message) -> BaseMessage:
    content: list[Any] = [block.model_dump(mode="json") for block in message.content]
    return HumanMessage(content=content) if message.role == "user" else AIMessage(content=content)
