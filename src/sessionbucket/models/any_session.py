"""A session of a model that the program does not have."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from sessionbucket.models.session import SessionData

_OF_SESSION_DATA = frozenset(SessionData.required_on_read)


class AnySession(BaseModel):
    """Any JSON object with an ``id``, for tools that read stores of every model: ``open_store(url, model=AnySession)``."""

    model_config = ConfigDict(extra="allow")

    id: str

    @property
    def members(self) -> dict[str, Any]:
        """The members of the object, except for the id."""
        return self.model_extra or {}

    @property
    def is_of_another_model(self) -> bool:
        """Whether it has less than half of the members that every ``SessionData`` has."""
        return 2 * len(_OF_SESSION_DATA & self.members.keys()) < len(_OF_SESSION_DATA)
