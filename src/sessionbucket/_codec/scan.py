"""Quick looks at printed text. Each is sure when it finds nothing, and otherwise asks for a closer look."""

from __future__ import annotations

import re

DEEPEST = 127
"""Arrays and objects inside each other; the reference reads no more."""

LONGEST_INTEGER = 4300
"""Digits; Python's own limit, beyond which no reader here would take it back."""

_INDENT = b"  "
# A line at the indent of the deepest members that is indented further or ends in an empty container.
_TOO_DEEP = re.compile(rb"\n {%d}(?:  |[^\n]*(?:\[\]|\{\}),?\n)" % (2 * DEEPEST))
_FEW = 256


def may_be_printed(body: bytes) -> bool:
    """Whether the text starts as the codec's own with any member does: a bracket, a new line, two spaces."""
    return body[1:4] == b"\n" + _INDENT


def may_hold_a_constant(body: bytes) -> bool:
    """Whether ``NaN`` or ``Infinity`` stands anywhere in the text, be it within a string."""
    return _holds_nan(body) or b"Infinity" in body


def may_hold_a_long_integer(body: bytes) -> bool:
    """Whether there may be an integer of more than `LONGEST_INTEGER` digits."""
    # One that long fills at least one whole piece of half that length.
    piece = LONGEST_INTEGER // 2
    return any(body[start : start + piece].isdigit() for start in range(0, len(body), piece))


def is_too_deep(body: bytes) -> bool:
    """Whether a printed text has more than `DEEPEST` levels."""
    # Inside a string a newline is escaped, so this many spaces are an indent.
    return b"\n" + _INDENT * DEEPEST in body and _TOO_DEEP.search(body) is not None


def _holds_nan(body: bytes) -> bool:
    # A single byte is found at many times the speed of a short word, and this capital is rare in most texts.
    start = body.find(b"N")
    for _ in range(_FEW):
        if start < 0 or body.startswith(b"NaN", start):
            return start >= 0
        start = body.find(b"N", start + 1)
    return b"NaN" in body
