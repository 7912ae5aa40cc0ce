"""What a store has, as listings tell it: the sessions, and which of them have which parts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sessionbucket._core.objects import ObjectInfo

JSON_PARTS = ("artifacts", "traces", "verification")
"""The parts that are one object each."""
FILES = "files"
_MD5_VERSION = re.compile(r'"[0-9a-f]{32}"')


@dataclass(frozen=True, slots=True)
class Inventory:
    """Sessions by their encoded ids, those that start with ``prefix``; nothing is known of others.

    The sessions were listed before the parts. So whoever finds a session as it is here finds here all parts that it
    names, since those are written before it.
    """

    prefix: str
    sessions: dict[str, ObjectInfo] = field(default_factory=dict)
    parts: dict[str, dict[str, str | None]] = field(
        default_factory=lambda: {name: {} for name in (*JSON_PARTS, FILES)}
    )
    """By the part's name and the session's encoded id: the version, where the listing tells it; of files, of one of them."""

    def is_unchanged(self, stem: str, found: ObjectInfo) -> bool:
        """Whether the session's object is still the one that was listed."""
        listed = self.sessions.get(stem)
        if listed is None:
            return False
        if listed.version is not None:
            return listed.version == found.version
        return (listed.size, listed.updated_at) == (found.size, found.updated_at)

    def has_session(self, stem: str, version: str | None) -> bool:
        """Whether the session was there in this version, an MD5: with the same bytes."""
        listed = self.sessions.get(stem)
        return listed is not None and _tells_bytes(version) and listed.version == version

    def has_part(self, name: str, stem: str, version: str | None) -> bool:
        """Whether the part was there in this version, an MD5: with the same bytes."""
        return _tells_bytes(version) and self.parts[name].get(stem) == version

    def lacks_session(self, stem: str) -> bool:
        """Whether it is known that no session was there."""
        return stem.startswith(self.prefix) and stem not in self.sessions

    def lacks_part(self, name: str, stem: str) -> bool:
        """Whether it is known that no such part was there."""
        return stem.startswith(self.prefix) and stem not in self.parts[name]


def _tells_bytes(version: str | None) -> bool:
    return version is not None and _MD5_VERSION.fullmatch(version) is not None
