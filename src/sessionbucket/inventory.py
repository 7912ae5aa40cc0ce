"""What a store has, as listings tell it: the sessions, and which of them have which parts."""

from __future__ import annotations

from dataclasses import dataclass, field

from sessionbucket.objects import ObjectInfo

JSON_PARTS = ("artifacts", "traces", "verification")
"""The parts that are one object each."""
FILES = "files"


@dataclass(frozen=True, slots=True)
class Inventory:
    """Sessions by their encoded ids, those that start with ``prefix``; nothing is known of others.

    The sessions were listed before the parts. So whoever finds a session as it is here finds here all parts that it
    names, since those are written before it.
    """

    prefix: str
    sessions: dict[str, ObjectInfo] = field(default_factory=dict)
    parts: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in (*JSON_PARTS, FILES)})
    """The encoded ids of the sessions that have a part of the name."""

    def is_unchanged(self, stem: str, found: ObjectInfo) -> bool:
        """Whether the session's object is still the one that was listed."""
        listed = self.sessions.get(stem)
        if listed is None:
            return False
        if listed.version is not None:
            return listed.version == found.version
        return (listed.size, listed.updated_at) == (found.size, found.updated_at)

    def lacks_session(self, stem: str) -> bool:
        """Whether it is known that no session was there."""
        return stem.startswith(self.prefix) and stem not in self.sessions

    def lacks_part(self, name: str, stem: str) -> bool:
        """Whether it is known that no such part was there."""
        return stem.startswith(self.prefix) and stem not in self.parts[name]
