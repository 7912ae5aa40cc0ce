"""What the errors of obstore mean for a caller.

obstore tells most of it in the text of an error alone: the status and body of the server's answer, or how the
connection failed. The tests run every such text through here, since another release may word it otherwise.
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
    PRECONDITION_FAILED,
    SILENCE,
    Refusal,
    broken,
    meaning_of,
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
_ENDED = "an answer to the upload was lost, and the server no longer knows it; try again"
_REDIRECT = "BareRedirect"
_NOT_SENT = re.compile(r"hyper_util::client::legacy::Error\(\s*Connect,")


def errors() -> tuple[type[Exception], ...]:
    """What a request can end with."""
    from obstore.exceptions import BaseError  # noqa: PLC0415 (an extra)

    return (BaseError, OSError, ValueError)


@contextmanager
def translated(location: str, key: str | None = None, *, writing: bool = False) -> Iterator[None]:
    """Let nothing but our own errors out of the block, which ``writing`` says is one that changes an object."""
    try:
        yield
    except SessionBucketError:
        raise
    except errors() as error:
        meaning = translate(error, location, key)
        if writing and isinstance(meaning, StoreUnavailableError) and not _was_not_done(error):
            meaning = meaning.with_outcome("unknown")
        raise meaning from error


def refusal_of(error: Exception) -> Refusal | None:
    """The server's answer, where there was one. HEAD has no body, and its status stands for the code."""
    text = str(error)
    status = _STATUS.search(text)
    if status is None:
        return Refusal(301, "301", "the request") if _REDIRECT in text else None
    code, method = _CODE.search(text), _METHOD.search(text)
    return Refusal(int(status[1]), code[1] if code else status[1], method[1] if method else "the request")


def is_missing(error: Exception) -> bool:
    """Whether the answer says that the key does not exist; of a bucket that doesn't, it says something else."""
    refusal = refusal_of(error)
    if refusal is None:  # Azure's batches say it without the answer
        return isinstance(error, FileNotFoundError)
    return refusal.code in MISSING


def failed_precondition(error: Exception) -> bool:
    """Whether the answer says that the condition of a put does not hold."""
    refusal = refusal_of(error)
    return refusal is not None and refusal.code in PRECONDITION_FAILED | MISSING


def has_no_batch_delete(error: Exception) -> bool:
    """Whether the answer says that the server does not know DeleteObjects."""
    refusal = refusal_of(error)
    return refusal is not None and refusal.code in NO_BATCH_DELETE


def undeleted(error: Exception) -> dict[str, str] | None:
    """The first key that the answer to DeleteObjects says is left, with the reason; None where it says none.

    obstore keeps the others to itself.
    """
    found = _UNDELETED.search(str(error))
    if found is None:
        return None
    key: str = json.loads(f'"{found[1]}"')
    return {} if found[2] in MISSING else {key: found[2]}


def translate(error: Exception, location: str, key: str | None) -> SessionBucketError:
    """The error of ours that says what this one means."""
    at = f"{location} (key {key!r})" if key else location
    refusal = refusal_of(error)
    name = type(error).__name__
    if refusal is not None and refusal.code == _NO_UPLOAD:
        return StoreUnavailableError(_ENDED, location=location, key=key)
    if refusal is not None:
        return meaning_of(refusal, location, key)
    if name == "InvalidPathError":
        return NotSupportedError(f"{at}: obstore cannot read a listing with such a key: {_first_line(error)}")
    if name == "UnauthenticatedError":
        return AccessDeniedError(NO_CREDENTIALS, location=location, key=key)
    if isinstance(error, ValueError):
        return NotSupportedError(f"{at}: obstore cannot name this key: {_first_line(error)}")
    return StoreUnavailableError(_silence(error), location=location, key=key)


def _silence(error: Exception) -> str:
    text = str(error)
    if _NOT_SENT.search(text):
        return NO_CONNECTION
    kind = _KIND.search(text)
    if kind and kind[1] == "Timeout":
        return SILENCE
    return broken(kind[1] if kind else type(error).__name__)


def _was_not_done(error: Exception) -> bool:
    """Whether the request surely had no effect: it was not sent, or was refused as one of two that met."""
    refusal = refusal_of(error)
    if refusal is not None:
        return refusal.code in CONFLICT
    return _NOT_SENT.search(str(error)) is not None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
