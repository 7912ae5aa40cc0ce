"""A turn: what a request holds, how it becomes two messages of the session, and what is answered.

Both handlers share it. A turn is one request of a user and the agent's reply to it.
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
    TextBlock,
)

logger = logging.getLogger(__name__)

# How long the store may take for a request to it, so that the model has what is left of the function's own time-out. A request
# ends within these three, and a save, which may have to look what became of it, within one more of the first two.
CONNECT_SECONDS, READ_SECONDS, RETRY_SECONDS = 1.0, 2.0, 3.0
LOAD_SECONDS = CONNECT_SECONDS + READ_SECONDS + RETRY_SECONDS
SAVE_SECONDS = LOAD_SECONDS + CONNECT_SECONDS + READ_SECONDS
MARGIN_SECONDS = 1.0


class Context(Protocol):
    """What is used of the object that Lambda passes to a handler."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int: ...


class TurnRequest(BaseModel):
    """What a caller sends: as the event itself, or as the JSON body of an HTTP request.

    ``request_id`` makes a repetition harmless: a turn whose id the session has is not added again. Without one it is
    Lambda's, which stays the same when Lambda repeats an asynchronous invocation by itself.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    session_id: str
    text: Annotated[str, Field(min_length=1, max_length=100_000)]
    request_id: Annotated[str, Field(min_length=1, max_length=128)]


class OutOfTimeError(TimeoutError):
    """Too little of the function's time-out is left for what comes next."""


class Clock:
    """The time that Lambda leaves this invocation."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def seconds(self) -> float:
        """Seconds that can be used: the margin is for the answer."""
        return self._context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS

    def require(self, seconds: float) -> None:
        """Raises ``OutOfTimeError`` where fewer are left: better to stop now than to be killed within a save."""
        left = self.seconds()
        if left < seconds:
            raise OutOfTimeError(
                f"{left:.1f} seconds are left and {seconds:.1f} may be needed: raise the function's time-out"
            )


def store_url() -> str:
    """``SESSIONBUCKET_URL`` with the time-outs above, and the engine that the package has unless it names one."""
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
    """The request in an event, checked. Raises ``ValidationError``."""
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
    """The reply to a request that the session has already; None where it does not."""
    for asked, answered in zip(session.messages, session.messages[1:], strict=False):
        if (asked.model_extra or {}).get("request_id") == request_id:
            return answered.text
    return None


def add_turn(session: SessionData, request: TurnRequest, reply: str) -> None:
    """Append the request and its reply, unless the request is there. ``update`` may call this several times."""
    if reply_in(session, request.request_id) is None:
        asked = Message(role="user", content=[TextBlock(text=request.text)], request_id=request.request_id)
        session.messages += [asked, Message.assistant(reply)]


def answered(session: SessionData, request: TurnRequest) -> dict[str, Any]:
    """The answer to a turn that is saved."""
    body = {
        "session_id": session.id,
        "request_id": request.request_id,
        "reply": reply_in(session, request.request_id),
        "messages": len(session.messages),
    }
    return _response(200, body)


def failed(error: Exception) -> dict[str, Any]:
    """The answer to a turn that failed; raises the error itself where the caller can do nothing about it."""
    match error:
        case ValidationError():
            return _response(400, {"error": "bad_request", "message": _in_words(error)})
        case InvalidSessionIdError():
            return _response(400, {"error": "bad_request", "message": str(error)})
        case SessionConflictError(outcome="not written"):
            status, name, advice = (
                409,
                "busy",
                "others keep writing this session; nothing was saved, try again",
            )
        case SessionTooLargeError():
            status, name, advice = 413, "session_full", "the session is full; begin another"
        case StoreUnavailableError() | SessionConflictError():
            status, name, advice = 503, "store_unavailable", "repeat the request with the same request_id"
        case TimeoutError():
            status, name, advice = 504, "out_of_time", "repeat the request with the same request_id"
        case SessionBucketError():
            status, name, advice = (
                500,
                "store_misused",
                "the function's log says what is wrong with its store",
            )
        case _:
            raise error
    logger.error("%s: %s", name, error)
    return _response(status, {"error": name, "message": advice})


def _in_words(error: ValidationError) -> str:
    """What is wrong with each member, without its value."""
    return "; ".join(f"{'.'.join(map(str, row['loc'])) or 'body'}: {row['msg']}" for row in error.errors())


def _response(status: int, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
