"""The code that both handlers share: the request, its turn in the session, and the responses.

A turn is one request of a user and the agent's reply to it.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import os
from collections.abc import Mapping
from typing import Annotated, Any, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sessionbucket import (
    InvalidSessionIdError,
    Message,
    SessionBucketError,
    SessionConflictError,
    SessionData,
    SessionTooLargeError,
    StoreUnavailableError,
)
from sessionbucket.models import TextBlock

logger = logging.getLogger(__name__)

# The time limits of the store, which leave the rest of the function's timeout to the model. A request ends within the sum of
# these three. A save may need one more request to resolve its outcome, which adds the first two again.
CONNECT_SECONDS, READ_SECONDS, RETRY_SECONDS = 1.0, 2.0, 3.0
LOAD_SECONDS = CONNECT_SECONDS + READ_SECONDS + RETRY_SECONDS
SAVE_SECONDS = LOAD_SECONDS + CONNECT_SECONDS + READ_SECONDS
MARGIN_SECONDS = 1.0


class Context(Protocol):
    """The members that we use of the object that Lambda passes to a handler."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int: ...


class TurnRequest(BaseModel):
    """The request of a caller: the event itself, or the JSON body of an HTTP request.

    ``request_id`` makes a repetition harmless: a turn whose id is in the session is not added again. The default is Lambda's
    request id, which stays the same when Lambda repeats an asynchronous invocation by itself.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    session_id: str
    text: Annotated[str, Field(min_length=1, max_length=100_000)]
    request_id: Annotated[str, Field(min_length=1, max_length=128)]


class OutOfTimeError(TimeoutError):
    """Too little of the function's timeout is left for the next step."""


class Clock:
    """The time that is left for this invocation."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def seconds(self) -> float:
        """The seconds that are left, without the margin for the response."""
        return self._context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS

    def require(self, seconds: float) -> None:
        """Raises ``OutOfTimeError`` when fewer seconds are left: Lambda would stop the invocation within a save."""
        left = self.seconds()
        if left < seconds:
            raise OutOfTimeError(
                f"{left:.1f} seconds are left and {seconds:.1f} may be needed: raise the function's time-out"
            )


def store_url() -> str:
    """``SESSIONBUCKET_URL`` with the time limits above. Unless it names an engine, the store uses the engine of the package."""
    parts = urlsplit(os.environ["SESSIONBUCKET_URL"])
    if parts.scheme != "s3":
        return parts.geturl()
    options = {
        "engine": "auto",
        **dict(parse_qsl(parts.query)),
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": READ_SECONDS,
        "retry_timeout": RETRY_SECONDS,
    }
    return urlunsplit(parts._replace(query=urlencode(options)))


def read_request(event: Mapping[str, Any], context: Context) -> TurnRequest:
    """The validated request in an event. Raises ``ValidationError``."""
    if "requestContext" not in event:
        return TurnRequest.model_validate({"request_id": context.aws_request_id, **event})
    body = event.get("body") or ""
    try:
        sent = json.loads(base64.b64decode(body) if event.get("isBase64Encoded") else body)
    except (binascii.Error, ValueError):
        sent = None
    if not isinstance(sent, dict):
        return TurnRequest.model_validate(sent)
    return TurnRequest.model_validate({"request_id": context.aws_request_id, **sent})


def reply_in(session: SessionData, request_id: str) -> str | None:
    """The reply to a request whose turn is in the session; None for any other request."""
    for question, reply in zip(session.messages, session.messages[1:], strict=False):
        if (question.model_extra or {}).get("request_id") == request_id:
            return reply.text
    return None


def add_turn(session: SessionData, request: TurnRequest, reply: str) -> None:
    """Append the request and its reply, unless the turn is in the session. ``update`` may call this several times."""
    if reply_in(session, request.request_id) is None:
        question = Message(role="user", content=[TextBlock(text=request.text)], request_id=request.request_id)
        session.messages += [question, Message.assistant(reply)]


def success_response(session: SessionData, request: TurnRequest) -> dict[str, Any]:
    """The response to a turn that is saved."""
    body = {
        "session_id": session.id,
        "request_id": request.request_id,
        "reply": reply_in(session, request.request_id),
        "messages": len(session.messages),
    }
    return _response(200, body)


def error_response(error: Exception) -> dict[str, Any]:
    """The response to a turn that failed. Raises the error itself when the caller can do nothing about it."""
    match error:
        case ValidationError():
            return _response(400, {"error": "bad_request", "message": _problems_of(error)})
        case InvalidSessionIdError():
            return _response(400, {"error": "bad_request", "message": str(error)})
        case SessionConflictError(outcome="not written"):
            status, name, advice = (
                409,
                "busy",
                "other writers keep writing this session; nothing was saved; try again",
            )
        case SessionTooLargeError():
            status, name, advice = 413, "session_full", "the session is full; start another one"
        case StoreUnavailableError() | SessionConflictError():
            status, name, advice = 503, "store_unavailable", "repeat the request with the same request_id"
        case TimeoutError():
            status, name, advice = 504, "out_of_time", "repeat the request with the same request_id"
        case SessionBucketError():
            status, name, advice = (
                500,
                "store_misused",
                "the function's log has the details of the problem with its store",
            )
        case _:
            raise error
    logger.error("%s: %s", name, error)
    return _response(status, {"error": name, "message": advice})


def _problems_of(error: ValidationError) -> str:
    """The problem of each field, without its value."""
    return "; ".join(f"{'.'.join(map(str, row['loc'])) or 'body'}: {row['msg']}" for row in error.errors())


def _response(status: int, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
