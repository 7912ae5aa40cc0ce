"""How long sessions and their parts are kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from sessionbucket._core.objects import ObjectVersion
from sessionbucket.errors import InvalidArgumentError

SweepOutcome = Literal["deleted", "due", "changed", "kept"]


@dataclass(frozen=True, slots=True)
class Retention:
    """How long sessions and their parts are kept after their last change. None keeps them.

    ``idle`` is the time since a session was saved; its parts go with it. ``artifacts``, ``files``, ``traces`` and ``verification`` are
    those of the single parts, of sessions in use, too. ``orphans`` is that of parts without a session: of a save that is not
    finished, or of a delete that was interrupted. ``history`` is that of the versions of all of them in a versioned bucket, since they
    were replaced or deleted.
    """

    idle: timedelta | None = None
    artifacts: timedelta | None = None
    files: timedelta | None = None
    traces: timedelta | None = None
    verification: timedelta | None = None
    orphans: timedelta = timedelta(days=1)
    history: timedelta | None = None

    def __post_init__(self) -> None:
        """Raises ``InvalidArgumentError`` for a time that is no timedelta, or not positive."""
        for field in fields(self):
            time = getattr(self, field.name)
            if time is None and field.name != "orphans":
                continue
            if not isinstance(time, timedelta) or time <= timedelta(0):
                raise InvalidArgumentError(
                    f"{field.name} {time!r} is refused: it must be a positive timedelta, timedelta(days=90) for instance"
                )

    def keeps(self, part: str) -> timedelta | None:
        """The time for which a part of this name is kept."""
        time: timedelta | None = getattr(self, part, None)
        return time


class Swept(NamedTuple):
    """An object, or one of its old versions, that a sweep found.

    ``id`` is the session's as its key shows it, and ``key`` the object's. ``outcome`` is ``"deleted"``; ``"due"`` in a dry run;
    ``"changed"`` for an object that was saved or deleted by another writer during the sweep, and stays as it is; or ``"kept"`` for an old
    version that the server did not erase, with its ``reason``, an object lock for instance. ``version_id`` is that of an old version.
    """

    id: str
    key: str
    outcome: SweepOutcome
    reason: str
    version_id: str | None = None


def replaced_before(versions: Iterable[ObjectVersion], time: datetime) -> Iterator[ObjectVersion]:
    """Of all versions, those of a key newest first, those that the next one replaced before this time.

    A version that a listing shows without its successor counts as the current one, and stays.
    """
    newer: ObjectVersion | None = None
    for version in versions:
        is_replaced = not version.is_current and newer and newer.key == version.key
        if newer and is_replaced and newer.updated_at < time:
            yield version
        newer = version


def check_now(now: datetime | None) -> None:
    """Raises ``InvalidArgumentError`` for a time without a time zone."""
    if now is not None and (not isinstance(now, datetime) or now.tzinfo is None):
        raise InvalidArgumentError("now is refused: it must be a datetime with a time zone")
