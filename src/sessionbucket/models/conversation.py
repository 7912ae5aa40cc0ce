"""A conversation with any provider's model. It loads without pydantic."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sessionbucket.errors import InvalidArgumentError

if TYPE_CHECKING:
    from sessionbucket._core.session_version import StoredVersion

JsonObject = dict[str, Any]


@dataclass(kw_only=True, slots=True)
class Conversation:
    """A conversation. ``Conversation(id="x")`` makes an empty one.

    ``messages`` are JSON objects in the form of any provider. ``metadata`` and ``usage`` are JSON objects of the caller's.
    ``unknown`` has the members of a later release or another program; a save writes them again.

    A store never changes a conversation. Raises ``InvalidArgumentError`` for a field of the wrong type. A save checks what is inside
    ``messages``, ``metadata``, ``usage`` and ``unknown``.
    """

    id: str
    title: str | None = None
    metadata: JsonObject = field(default_factory=dict)
    usage: JsonObject = field(default_factory=dict)
    messages: list[JsonObject] = field(default_factory=list)
    unknown: JsonObject = field(default_factory=dict)
    _stored: StoredVersion | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        problem = self.problem()
        if problem:
            raise InvalidArgumentError(f"the conversation is refused: {problem}")

    def problem(self) -> str | None:
        """The first field of the wrong type and its rule, without its value; None when all are right."""
        if not isinstance(self.id, str):
            return "id: must be a string"
        if not isinstance(self.title, str | None):
            return "title: must be a string or None"
        for name in ("metadata", "usage", "unknown"):
            if not isinstance(getattr(self, name), dict):
                return f"{name}: must be an object"
        if not isinstance(self.messages, list):
            return "messages: must be a list"
        for index, message in enumerate(self.messages):
            if not isinstance(message, dict):
                return f"messages[{index}]: must be an object"
        return None
