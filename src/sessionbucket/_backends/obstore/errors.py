"""The errors of obstore, and the errors that the library raises for them.

Only the text of an obstore error has most of the facts: the status and body of the server's response, or how the
connection failed. Another release may change these texts, so tests cover each of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

from sessionbucket._backends.service_errors import (
    CONFLICT,
    MISSING,
    NO_BATCH_DELETE,
    NO_CONNECTION,
    NO_CREDENTIALS,
    TIMED_OUT,
    ErrorResponse,
    MissingKeyError,
    connection_failed,
    error_for,
    not_from_server,
)
from sessionbucket.errors import (
    AccessDeniedError,
    NotSupportedError,
    SessionBucketError,
    StoreUnavailableError,
)

_STATUS = re.compile(r"inner: (?:Status|Response) \{\s*status: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_METHOD = re.compile(r"Error performing ([A-Z]+) ")
_KIND = re.compile(r"HttpError \{\s*kind: (\w+)")
_UNDELETED = re.compile(r'DeleteFailed \{\s*path: "(.*)",\s*code: "(\w+)"')
_NO_UPLOAD = "NoSuchUpload"
_NO_UPLOAD_REASON = "a response to the upload was lost, and the server has ended the upload; try again"
_REDIRECT = "BareRedirect"
_UNREADABLE = re.compile(
    r"source: (?:Metadata|Header|Invalid\w*Response) \{|Missing(?:Etag|ContentLength|LastModified)\b"
)
_NOT_SENT = re.compile(r"hyper_util::client::legacy::Error\(\s*Connect,")


def errors() -> tuple[type[Exception], ...]:
    """The errors that a request can raise."""
    from obstore.exceptions import BaseError  # noqa: PLC0415 (an extra)

    return (BaseError, OSError, ValueError)


@contextmanager
def translated(location: str, key: str | None = None, *, writing: bool = False) -> Iterator[None]:
    """Translate the errors of obstore in the block. ``writing`` says that its request changes an object."""
    try:
        yield
    except SessionBucketError:
        raise
    except errors() as error:
        raise translate(error, location, key, writing=writing) from error


def response_of(error: Exception) -> ErrorResponse | None:
    """The server's error response, if there was one. HEAD has no body, so the status stands in for the code."""
    text = str(error)
    status = _STATUS.search(text)
    if status is None:
        return ErrorResponse(301, "301", "the request") if _REDIRECT in text else None
    code, method = _CODE.search(text), _METHOD.search(text)
    return ErrorResponse(
        int(status[1]), code[1] if code else status[1], method[1] if method else "the request"
    )


def is_timeout(error: Exception) -> bool:
    """Whether a timeout ended the request."""
    kind = _KIND.search(str(error))
    return kind is not None and kind[1] == "Timeout"


def has_no_batch_delete(error: Exception) -> bool:
    """Whether the server does not support DeleteObjects."""
    response = response_of(error)
    return response is not None and response.code in NO_BATCH_DELETE


def remaining_key(error: Exception) -> dict[str, str] | None:
    """The first key that DeleteObjects could not delete, with the reason; None when the error names none.

    obstore does not return the others.
    """
    found = _UNDELETED.search(str(error))
    if found is None:
        return None
    key: str = json.loads(f'"{found[1]}"')
    return {} if found[2] in MISSING else {key: found[2]}


def translate(
    error: Exception, location: str, key: str | None = None, *, writing: bool = False
) -> SessionBucketError:
    """The library's error for one of ``errors``. ``writing`` says that the request changes an object."""
    translated = _translate(error, location, key)
    if writing and isinstance(translated, StoreUnavailableError) and not _was_not_done(error):
        return translated.with_outcome("unknown")
    return translated


def _translate(error: Exception, location: str, key: str | None) -> SessionBucketError:  # noqa: PLR0911 (a table)
    at = f"{location} (key {key!r})" if key else location
    response = response_of(error)
    name = type(error).__name__
    if response is not None and response.code == _NO_UPLOAD:
        return StoreUnavailableError(_NO_UPLOAD_REASON, location=location, key=key)
    if response is not None:
        return error_for(response, location, key)
    if isinstance(error, FileNotFoundError):  # Azure's batch deletes have no response in the text
        return MissingKeyError(f"{at}: the key does not exist")
    if _UNREADABLE.search(str(error)):
        return not_from_server(_first_line(error), location, key)
    if name == "InvalidPathError":
        return NotSupportedError(f"{at}: obstore cannot read a listing with such a key: {_first_line(error)}")
    if name == "UnauthenticatedError":
        return AccessDeniedError(NO_CREDENTIALS, location=location, key=key)
    if isinstance(error, ValueError):
        return NotSupportedError(f"{at}: obstore cannot name this key: {_first_line(error)}")
    return StoreUnavailableError(_reason(error), location=location, key=key)


def _reason(error: Exception) -> str:
    text = str(error)
    if _NOT_SENT.search(text):
        return NO_CONNECTION
    if is_timeout(error):
        return TIMED_OUT
    kind = _KIND.search(text)
    return connection_failed(kind[1] if kind else type(error).__name__)


def _was_not_done(error: Exception) -> bool:
    """Whether the request certainly had no effect: it was not sent, or it lost against a concurrent one."""
    response = response_of(error)
    if response is not None:
        return response.code in CONFLICT
    return _NOT_SENT.search(str(error)) is not None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
