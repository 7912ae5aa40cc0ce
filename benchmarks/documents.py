"""Sessions of a given size, made of recorded conversations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from sessionbucket import MemoryBucket, SessionData, SessionStore

_RECORDED = Path(__file__).parents[1] / "tests" / "fixtures" / "real"
_SYSTEM_PROMPT_CHARACTERS = 500
_INDENT_OF_MESSAGES = 4


@cache
def _conversations() -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(_RECORDED.glob("*.json"))]


def messages() -> Iterator[dict[str, Any]]:
    """The recorded messages of all conversations in order, repeated without end."""
    return cycle(message for conversation in _conversations() for message in conversation["messages"])


def conversation(count: int, id: str = "conversation") -> SessionData:
    """A session of ``count`` recorded messages."""
    return SessionData.model_validate(_around(list(islice(messages(), count)), id))


def session_of(size: int, id: str = "session") -> SessionData:
    """A session whose JSON has about ``size`` bytes: recorded messages, with the last one cut or repeated to fit."""
    taken: list[dict[str, Any]] = []
    left = size - _length(_around([], id))
    for message in messages():
        length = _length(message, indented_by=_INDENT_OF_MESSAGES)
        if length > left:
            break
        taken.append(message)
        left -= length
    taken.append(_filler(left))
    return SessionData.model_validate(_around(taken, id))


def document_of(session: SessionData) -> dict[str, Any]:
    """The session as plain JSON values, as a store writes it."""
    bucket = MemoryBucket()
    SessionStore(bucket).save(session.model_copy(deep=True))
    found = bucket.get(f"{session.id}.json", max_bytes=1 << 30)
    assert found is not None  # noqa: S101 (narrowing)
    document: dict[str, Any] = json.loads(found.body)
    return document


def _around(taken: list[dict[str, Any]], id: str) -> dict[str, Any]:
    recorded = _conversations()[0]
    config = {
        **recorded["config"],
        "system_prompt": recorded["config"]["system_prompt"][:_SYSTEM_PROMPT_CHARACTERS],
    }
    return {**recorded, "id": id, "config": config, "messages": taken}


def _filler(size: int) -> dict[str, Any]:
    empty = {"role": "user", "content": [{"type": "text", "text": ""}]}
    text = " ".join(
        block["text"]
        for message in islice(messages(), 200)
        for block in message["content"]
        if "text" in block
    )
    plain = text.encode("ascii", "ignore").decode().replace("\n", " ").replace('"', "'").replace("\\", "/")
    length = max(size - _length(empty, indented_by=_INDENT_OF_MESSAGES), 0)
    empty["content"][0]["text"] = "".join(islice(cycle(plain), length))  # type: ignore[index]
    return empty


def _length(value: object, indented_by: int = 0) -> int:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return len(text.encode()) + (text.count("\n") + 1) * indented_by + len(",\n")
