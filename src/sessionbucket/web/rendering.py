"""Templates with escaped values, and the functions that print numbers, times and JSON in them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sessionbucket.web.charts import share
from sessionbucket.web.conversations import unix_text
from sessionbucket.web.transcript import ImageBlock, TextBlock, ThinkingBlock, ToolCallBlock

LONGEST_TEXT = 20_000
"""The characters of one text that a page shows."""
LARGEST_IMAGE = 8_000_000
"""The characters of the base64 of an image that a page shows."""
_IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
# Controls and the marks of writing direction could hide or reorder what follows them; lone surrogates have no encoding.
_HIDDEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_KILO = 1000
_BLOCKS = {
    "text_block": TextBlock,
    "thinking_block": ThinkingBlock,
    "image_block": ImageBlock,
    "tool_call_block": ToolCallBlock,
}


def environment() -> Environment:
    """The templates. Every value is escaped, and none can be exempted by a filter."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    del made.filters["safe"]
    made.filters |= {
        "count": _count,
        "money": _money,
        "size": size_text,
        "moment": moment_text,
        "unix": unix_text,
        "pretty": pretty,
    }
    made.tests |= {"picture": is_picture, "plain": _is_plain}
    made.tests |= {name: _is_a(kind) for name, kind in _BLOCKS.items()}
    made.globals |= {"link": link, "cut": cut, "share": share, "longest": LONGEST_TEXT}
    return made


def _visible(value: Any) -> Any:
    """A text with every hidden character as an escape. What a macro made has its values escaped already."""
    if type(value) is str:
        return _HIDDEN.sub(_escape, value.replace("\r\n", "\n"))
    return value


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def link(path: str, **parameters: Any) -> str:
    """A URL of this server with the parameters that are neither None nor empty."""
    given = {name: value for name, value in parameters.items() if value not in (None, "")}
    return f"{path}?{urlencode(given, errors='replace')}" if given else path


def cut(text: str) -> tuple[str, int]:
    """The start of a text that a page shows, and the number of the characters after it."""
    return text[:LONGEST_TEXT], max(0, len(text) - LONGEST_TEXT)


def pretty(value: Any) -> str:
    """A value of JSON with indentation, and a text as it is."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, indent=2, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return "a value that is nested too deeply to be shown"


def is_picture(block: ImageBlock) -> bool:
    """Whether a page may show the image: of a type without scripts, in valid base64, and not too large."""
    is_shown = block.media_type in _IMAGE_TYPES and 0 < len(block.data) <= LARGEST_IMAGE
    return is_shown and _BASE64.fullmatch(block.data) is not None


def _is_a(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kind)


def _is_plain(value: Any) -> bool:
    """Whether a value of JSON fits on a line of its own: no object and no list."""
    return not isinstance(value, dict | list)


def _count(number: int, singular: str, plural: str = "") -> str:
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def _money(dollars: float) -> str:
    return f"${dollars:,.2f}" if dollars >= 1 or not dollars else f"${dollars:,.4f}"


def size_text(size: int) -> str:
    """A readable number of bytes: ``24.7 kB``."""
    if size < _KILO:
        return f"{size} bytes"
    amount = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < _KILO:
            return f"{amount:,.1f} {unit}"
        amount /= _KILO
    return f"{amount:,.1f} TB"


def moment_text(moment: datetime) -> str:
    """A readable date and time in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
