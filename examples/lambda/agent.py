"""The agent: a stub, to be replaced by yours. It calls no model, and answers with what it was told."""

from __future__ import annotations

from collections.abc import Sequence

from sessionbucket import Message


def answer(history: Sequence[Message], text: str, *, seconds: float) -> str:  # noqa: ARG001 (a model's client needs it)
    """The reply to ``text`` after the messages before it. A model's client gets ``seconds`` as its time-out."""
    return f"You said {text!r}, after {len(history)} messages."


async def answer_async(history: Sequence[Message], text: str, *, seconds: float) -> str:
    """The same, for ``async_handler``."""
    return answer(history, text, seconds=seconds)
