"""Which ranges of keys to list in parallel, in key order, without knowing how the keys are distributed.

The density of the keys on a page predicts a key some pages ahead. There the plan cuts the range in two, and an idle
request lists the second half. A wrong prediction costs requests and never a row, because the ranges cover all keys without
a gap.

A page is full of rows of its range, or is the last of it. So the plan makes no more requests than a plain listing has pages,
and one more for each range. At first it cuts at most one range for each parallel request, and then one for every
``_REQUESTS_A_CUT`` requests.
"""

from __future__ import annotations

import string
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from sessionbucket._core.objects import ObjectInfo, ObjectPage

_PAGES_A_RANGE = 5
_BUFFERED_RANGES = 2
_REQUESTS_A_CUT = 4
_SAMPLE = 16
_END = ""  # pads a text that is shorter than others; sorts before every character


class KeyRuler:
    """Maps texts to numbers and back, to compute the text at a distance behind another.

    Each position counts in the characters seen there and in those of the same kind: after a 7, any digit is possible.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._symbols = [_symbols(set(seen)) for seen in zip_longest(*texts, fillvalue=_END)]

    def number(self, text: str) -> int:
        """The distance of the text from the first. A text with unseen characters has that of a nearby text."""
        number = 0
        exact = True
        for position, symbols in enumerate(self._symbols):
            digit = 0
            if exact:
                symbol = text[position : position + 1]
                digit = bisect_left(symbols, symbol)
                exact = digit < len(symbols) and symbols[digit] == symbol
                digit = min(digit, len(symbols) - 1)
            number = number * len(symbols) + digit
        return number

    def text(self, number: int) -> str | None:
        """The text at this distance, or None when it would be behind all of them."""
        symbols_found = []
        for symbols in reversed(self._symbols):
            number, digit = divmod(number, len(symbols))
            symbols_found.append(symbols[digit])
        return None if number else "".join(reversed(symbols_found))


def _symbols(seen: set[str]) -> list[str]:
    """The possible characters of a position, in order, given the ones seen there."""
    characters = seen - {_END}
    kinds = [kind for kind in _KINDS if characters <= kind] or [
        frozenset(characters).union(*(kind for kind in _LETTERS_AND_DIGITS if kind & characters))
    ]
    return sorted((seen & {_END}) | kinds[0])


_DIGITS = frozenset(string.digits)
_LETTERS_AND_DIGITS = (_DIGITS, frozenset(string.ascii_lowercase), frozenset(string.ascii_uppercase))
_KINDS = (_DIGITS, _DIGITS | frozenset("abcdef"), _DIGITS | frozenset("ABCDEF"))


@dataclass(slots=True, eq=False)
class KeyRange:
    """The keys after ``after`` up to and including ``until``; None means the end of the listing."""

    after: str
    until: str | None = None
    ruler: KeyRuler | None = None
    span: int = 0
    pages: deque[list[ObjectInfo]] = field(default_factory=deque)
    is_requested: bool = False
    is_complete: bool = False


class RangePlan:
    """Decides what to request next and which rows are ready. It does no I/O, and serves one thread or task.

    At most ``_PAGES_A_RANGE * _BUFFERED_RANGES * concurrency`` pages are in flight or wait for earlier ones, and beside them
    the page that all others wait for.
    """

    def __init__(self, prefix: str, suffix: str, *, concurrency: int) -> None:
        """All keys have the prefix and most have the suffix; the plan measures the text between them."""
        self._prefix = prefix
        self._suffix = suffix
        self._ranges = deque([KeyRange("")])
        self._held = 0
        self._most_held = _PAGES_A_RANGE * _BUFFERED_RANGES * concurrency
        self._credit = concurrency * _REQUESTS_A_CUT  # in requests

    @property
    def is_finished(self) -> bool:
        return not self._ranges

    def next_range(self) -> KeyRange | None:
        """The range to request the next page of (after its ``after``), or None when no request is due."""
        found = self._first_idle() or self._cut()
        if found:
            found.is_requested = True
            self._held += 1
        return found

    def take(self, range_: KeyRange, page: ObjectPage, next_start: str | None) -> None:
        """Add the page that was requested. The next page of the listing would start after ``next_start``."""
        range_.is_requested = False
        self._credit += 1
        rows, until = page.objects, range_.until
        range_.is_complete = next_start is None
        if until is not None and next_start is not None:
            # A server may sort a folder by its name without the slash, so that objects after it have lesser keys.
            range_.is_complete = next_start.removesuffix("/") >= until
        if until is not None:
            rows = rows[: bisect_right(rows, until, key=lambda info: info.key)]
        range_.after = next_start or range_.after
        if page.objects:
            self._measure(range_, page.objects)
        if rows:
            range_.pages.append(rows)
        else:
            self._held -= 1
        self._drop_finished()

    def ready(self) -> list[ObjectInfo] | None:
        """The next rows in key order, or None when they have not arrived."""
        if not self._ranges or not self._ranges[0].pages:
            return None
        rows = self._ranges[0].pages.popleft()
        self._held -= 1
        self._drop_finished()
        return rows

    def _drop_finished(self) -> None:
        while self._ranges and self._ranges[0].is_complete and not self._ranges[0].pages:
            self._ranges.popleft()

    def _first_idle(self) -> KeyRange | None:
        for range_ in self._ranges:
            if self._held >= self._most_held and range_ is not self._ranges[0]:
                return None
            if not range_.is_requested and not range_.is_complete:
                return range_
        return None

    def _cut(self) -> KeyRange | None:
        """A new range: the predicted rest of one that is being listed."""
        if self._held >= self._most_held or self._credit < _REQUESTS_A_CUT:
            return None
        for at, range_ in enumerate(self._ranges):
            cut = None if range_.is_complete else self._place_for_cut(range_)
            if cut is not None:
                self._credit -= _REQUESTS_A_CUT
                rest = KeyRange(cut, range_.until, range_.ruler, range_.span)
                range_.until = cut
                self._ranges.insert(at + 1, rest)
                return rest
        return None

    def _place_for_cut(self, range_: KeyRange) -> str | None:
        """The key at which to cut the range, or None when too little would be left."""
        ruler = range_.ruler
        if ruler is None:
            return None
        place = ruler.number(self._measured(range_.after)) + range_.span * _PAGES_A_RANGE
        if range_.until is not None and place + range_.span > ruler.number(self._measured(range_.until)):
            return None
        text = ruler.text(place)
        if text is None:
            return None
        cut = self._prefix + text
        return cut if range_.after < cut and (range_.until is None or cut < range_.until) else None

    def _measure(self, range_: KeyRange, rows: Sequence[ObjectInfo]) -> None:
        step = max(1, len(rows) // _SAMPLE)
        sample = [self._measured(info.key) for info in (*rows[::step], rows[-1])]
        range_.ruler = KeyRuler(sample)
        range_.span = max(1, range_.ruler.number(sample[-1]) - range_.ruler.number(sample[0]))

    def _measured(self, key: str) -> str:
        return key.removeprefix(self._prefix).removesuffix(self._suffix)
