"""What a page shows of a conversation or a thread: steps, and their blocks. Everything here is text that the templates escape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class TextBlock:
    """Text as the model or the user wrote it. It is shown as text, never as HTML or Markdown."""

    text: str


@dataclass(slots=True)
class ThinkingBlock:
    """The reasoning of a model, shown folded."""

    text: str


@dataclass(slots=True)
class ImageBlock:
    """An image, of which ``data`` is base64. Only PNG, JPEG, GIF and WebP are shown; of others, the type and the size are."""

    media_type: str
    data: str


@dataclass(slots=True)
class DataBlock:
    """A value of JSON under a label, shown folded and indented."""

    label: str
    json: Any


ResultPart = TextBlock | ImageBlock | DataBlock


@dataclass(slots=True)
class ToolCallBlock:
    """A tool call beside its result. ``arguments`` is a value of JSON; ``result`` is None while there is none.

    A result whose call is not part of the conversation has the name ``"?"`` and the arguments None.
    """

    id: str
    name: str
    arguments: Any
    result: Sequence[ResultPart] | None = None
    is_error: bool = False


Block = TextBlock | ToolCallBlock | ThinkingBlock | ImageBlock | DataBlock


@dataclass(slots=True)
class Step:
    """One message, event or checkpoint.

    ``role`` picks the colour: ``user``, ``assistant``, ``system``, ``tool``, or any other word. ``heading`` is the title that people read.
    ``meta`` has short labels with their values, such as ``("tokens", "1,200")``. ``at`` is when it was written, where that is known.
    """

    role: str
    heading: str
    blocks: list[Block] = field(default_factory=list)
    meta: Sequence[tuple[str, str]] = ()
    at: datetime | None = None
