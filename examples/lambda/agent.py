"""The agent: a stub that calls no model and repeats the text. Replace it with your own."""

from __future__ import annotations

from collections.abc import Sequence

from sessionbucket import Message


def reply(history: Sequence[Message], text: str, *, seconds: float) -> str:  # noqa: ARG001 (for the client of a model)
    """The reply to ``text`` after the messages of ``history``. Pass ``seconds`` to the client of your model as its timeout."""
    return f"You said {text!r}, after {len(history)} messages."


async def reply_async(history: Sequence[Message], text: str, *, seconds: float) -> str:
    """The same for ``async_handler``."""
    return reply(history, text, seconds=seconds)
