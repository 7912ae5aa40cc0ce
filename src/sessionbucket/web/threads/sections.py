"""Pages of threads that are lists of messages: append logs, several of them one after another, and lists in one document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from sessionbucket import AppendLog, SessionCorruptedError
from sessionbucket.web.messages import read_messages, step_of
from sessionbucket.web.threads.parts import Json, Message
from sessionbucket.web.transcript import Step, TextBlock

_AROUND = 20
"""As many entries before and after a page are read, for the calls and results that belong together."""


class Range(NamedTuple):
    """The entries of a range, the number of all, and the steps to show before the first one."""

    entries: Sequence[Any]
    length: int
    before: Sequence[Step] = ()


class Section(NamedTuple):
    """One list of messages. ``read`` gives the entries from a position to before another, or None when they do not exist."""

    read: Callable[[int, int], Range | None]
    message_of: Callable[[Any], Message]


class Steps(NamedTuple):
    """The steps of a page, and the number of all entries."""

    steps: list[Step]
    total: int


def log_section(
    log: AppendLog,
    name: str,
    message_of: Callable[[Any], Message],
    before: Callable[[Json], Sequence[Step]] = lambda _: (),
) -> Section:
    """The section of an append log; ``before`` makes the steps before its entries from its metadata.

    A page is one GET, and one for each segment that has some of its entries.
    """

    def read(start: int, stop: int) -> Range | None:
        try:
            found = log.read_range(name, start, stop)
        except SessionCorruptedError as error:
            return Range([error][start:stop], 1)
        return Range(found.entries, found.head.length, before(found.metadata)) if found else None

    return Section(read, message_of)


def list_section(
    entries: Sequence[Any], message_of: Callable[[Any], Message], before: Sequence[Step] = ()
) -> Section:
    """The section of a list that is read already."""
    return Section(lambda start, stop: Range(entries[start:stop], len(entries), before), message_of)


def read_sections(sections: Iterable[Section], offset: int, limit: int) -> Steps | None:
    """The steps of ``limit`` entries from a position on in all sections together, or None when no section exists."""
    steps: list[Step] = []
    total = 0
    exists = False
    for section in sections:
        start, stop = max(0, offset - total), max(0, offset + limit - total)
        first = max(0, start - _AROUND)
        found = section.read(first, stop + _AROUND if start < stop else first)
        if found is None:
            continue
        exists = True
        if start == 0 < stop:
            steps += found.before
        steps += _steps(found.entries, first, range(start, min(stop, found.length)), section.message_of)
        total += found.length
    return Steps(steps, total) if exists else None


def unreadable(heading: str, error: object) -> Step:
    """The step of something that cannot be read, in plain words."""
    return Step("error", f"{heading} · Cannot be read", [TextBlock(str(error))])


def _steps(
    entries: Sequence[Any], first: int, numbers: range, message_of: Callable[[Any], Message]
) -> list[Step]:
    """The steps of some of these entries, of which the first one has the position ``first``."""
    messages = [
        Message({}) if isinstance(entry, SessionCorruptedError) else message_of(entry) for entry in entries
    ]
    turns = read_messages([message.body for message in messages], first + 1)
    steps = []
    for number in numbers:
        entry, turn, message = entries[number - first], turns[number - first], messages[number - first]
        if isinstance(entry, SessionCorruptedError):
            steps.append(unreadable(str(number + 1), entry))
            continue
        step = step_of(turn, number + 1, message.meta)
        step.heading = message.heading or step.heading
        steps.append(step)
    return steps
