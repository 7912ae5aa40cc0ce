"""Sessions of any model: the commands read every JSON object that has an id, and name those that are no ``SessionData``."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from sessionbucket.models import AnySession, SessionData


def is_of_another_model(body: bytes) -> bool:
    """Whether a body has less than half of the members that every ``SessionData`` has."""
    try:
        return AnySession.model_validate_json(body).is_of_another_model
    except ValidationError:
        return False


def is_conversation(body: bytes) -> bool:
    """Whether a body is a ``Conversation``."""
    try:
        format = AnySession.model_validate_json(body).members.get("format")
    except ValidationError:
        return False
    return isinstance(format, str) and format.startswith("conversation.")


def model_that_notes_others(ids: set[str]) -> type[AnySession]:
    """``AnySession``; each read of a session of another model adds its id to ``ids``."""

    class Session(AnySession):
        def model_post_init(self, context: Any) -> None:
            if self.is_of_another_model:
                ids.add(self.id)

    return Session


def problem_as_session_data(body: bytes) -> str | None:
    """Why the body of a valid ``AnySession`` is no ``SessionData``, without any of its values; None when it is one."""
    try:
        SessionData.model_validate_json(body, strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the object"
        return f"{place}: {first['type'].replace('_', ' ')}"
    return None
