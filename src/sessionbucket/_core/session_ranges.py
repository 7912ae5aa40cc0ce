"""Ranges of a store's sessions, so that many workers share one listing, and where to split a store into them."""

from __future__ import annotations

from typing import NamedTuple

from sessionbucket._core.keys import SUFFIX

_MOST_BLOCKS = 4096
_SLACK = 0.45
"""How far a border may be from its exact place, as a part of a range."""

Border = tuple[int, str]
"""The number of sessions before a border, and the border."""


class SessionRange(NamedTuple):
    """Some neighbouring sessions of a store: a value that can be pickled, for a worker of any engine.

    It has every session whose id starts with ``prefix`` and whose name is greater than ``after`` and at most ``until``; None means the
    end. The name of a session is its encoded id and ``.json``. The ranges of a split cover all sessions, those of later saves included.
    """

    prefix: str = ""
    after: str = ""
    until: str | None = None

    def ends_before(self, name: str) -> bool:
        """Whether a name is behind the range."""
        return self.until is not None and name > self.until


class ListedObject(NamedTuple):
    """The object of a session, or of a part of one, in the listing of a range.

    ``id`` is the id of the session as a listing shows it, and ``stem`` the encoded id in the key. Equal tokens of one key prove equal
    contents. A token is the ETag; in a folder the size and the time of the last change. It is None where the listing proves nothing:
    for a file of the last two seconds, and for a session in a snapshot of a3s-code in a bucket.
    """

    id: str
    stem: str
    token: str | None


class RangeSplitter:
    """Finds borders between sessions from their names in order, in bounded memory.

    A border is the shortest start of a name that is greater than the name before. One that is a whole encoded id is not used. So a border
    is part of an id, and may outlive the sessions beside it.
    """

    def __init__(self) -> None:
        self._blocks: list[Border | None] = []
        self._names_a_block = 1
        self._count = 0
        self._previous = ""

    def add(self, name: str) -> None:
        """Add the next name of the listing."""
        if self._count % self._names_a_block == 0:
            self._blocks.append(None)
        border = _border(self._previous, name) if self._count else ""
        if border:
            self._blocks[-1] = _shorter(self._blocks[-1], (self._count, border))
        self._previous = name
        self._count += 1
        if len(self._blocks) > _MOST_BLOCKS:
            pairs = zip(self._blocks[::2], [*self._blocks[1::2], None], strict=False)
            self._blocks = [_shorter(*pair) for pair in pairs]
            self._names_a_block *= 2

    def ranges(self, prefix: str, count: int) -> list[SessionRange]:
        """At most ``count`` ranges of about equal numbers of sessions."""
        size = self._count / count
        borders: list[str] = []
        for place in (size * number for number in range(1, count)):
            near = [found for found in self._blocks if found and abs(found[0] - place) <= size * _SLACK]
            if near:
                borders.append(min(near, key=lambda found: abs(found[0] - place))[1])
        starts, ends = ["", *borders], [*borders, None]
        return [SessionRange(prefix, after, until) for after, until in zip(starts, ends, strict=True)]


def _border(before: str, name: str) -> str:
    """The shortest start of a name that is greater than the name before, or nothing when that is the whole encoded id."""
    length = next(
        (at for at, (one, two) in enumerate(zip(before, name, strict=False)) if one != two), len(before)
    )
    return name[: length + 1] if length + 1 < len(name) - len(SUFFIX) else ""


def _shorter(one: Border | None, two: Border | None) -> Border | None:
    """The border with fewer characters."""
    if one is None or two is None:
        return one or two
    return two if len(two[1]) < len(one[1]) else one
