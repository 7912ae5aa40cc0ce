"""The sessions of a store, and the parts of each, from listings alone."""

from __future__ import annotations

from dataclasses import dataclass, field

from sessionbucket._core.objects import ObjectInfo, is_md5_version

OPAQUE_PARTS = ("runs", "subagent_tasks")
"""The parts of later releases of a3s-code. The library copies, checks and deletes them, and never parses them."""
JSON_PARTS = ("artifacts", "traces", "verification", *OPAQUE_PARTS)
"""The parts that are one object each."""
FILES = "files"


@dataclass(frozen=True, slots=True)
class Inventory:
    """The sessions whose ids start with ``prefix``, by their encoded ids; other sessions are not in it.

    The sessions were listed before the parts. Parts are written before their session. So for a session that is still as listed,
    the inventory has all parts that it names.
    """

    prefix: str
    sessions: dict[str, ObjectInfo] = field(default_factory=dict)
    parts: dict[str, dict[str, str | None]] = field(
        default_factory=lambda: {name: {} for name in (*JSON_PARTS, FILES)}
    )
    """Versions by the part's name and the session's encoded id, None when the listing does not give them; of files, one."""
    folders: set[str] = field(default_factory=set)
    """The names of all folders of the store, when ``prefix`` is empty."""

    def is_unchanged(self, stem: str, found: ObjectInfo) -> bool:
        """Whether the session's object is still the listed one."""
        listed = self.sessions.get(stem)
        if listed is None:
            return False
        if listed.version is not None:
            return listed.version == found.version
        return (listed.size, listed.updated_at) == (found.size, found.updated_at)

    def has_session(self, stem: str, version: str | None) -> bool:
        """Whether the session was listed with the same bytes, as its MD5 version proves."""
        listed = self.sessions.get(stem)
        return listed is not None and is_md5_version(version) and listed.version == version

    def has_part(self, name: str, stem: str, version: str | None) -> bool:
        """Whether the part was listed with the same bytes, as its MD5 version proves."""
        return is_md5_version(version) and self.parts[name].get(stem) == version

    def lacks_session(self, stem: str) -> bool:
        """Whether the listing covers this session and does not have it."""
        return stem.startswith(self.prefix) and stem not in self.sessions

    def lacks_part(self, name: str, stem: str) -> bool:
        """Whether the listing covers this part and does not have it."""
        return stem.startswith(self.prefix) and stem not in self.parts[name]
