"""The error responses of object servers, and the errors that the library raises for them."""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple

from sessionbucket.errors import (
    AccessDeniedError,
    BucketNotFoundError,
    InvalidArgumentError,
    NotSupportedError,
    PreconditionFailedError,
    SessionBucketError,
    StoreUnavailableError,
)

MISSING = frozenset({"NoSuchKey", "NotFound", "BlobNotFound", "NoSuchVersion"})
CONFLICT = frozenset({"ConditionalRequestConflict"})
_PRECONDITION_FAILED = frozenset({"PreconditionFailed", "412", "ConditionNotMet", "BlobAlreadyExists"})
NO_BATCH_DELETE = frozenset(
    {"NotImplemented", "501", "MethodNotAllowed", "405", "MissingContentMD5", "InvalidRequest"}
)
_NO_BUCKET = frozenset({"NoSuchBucket", "ContainerNotFound"})
_CREDENTIALS = frozenset(
    {
        "AuthenticationFailed",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
    }
)
_TEMPORARY = frozenset(
    {
        "BadDigest",
        "IncompleteBody",
        "RequestTimeout",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        *CONFLICT,
    }
)
_DENIED = frozenset({"AccessDenied", "403", "Forbidden", "AllAccessDisabled", "AccountProblem", "401"})
_REGION = frozenset(
    {"PermanentRedirect", "301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
)

NO_CREDENTIALS = (
    "no usable credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role"
)
DAMAGED = "the body does not match its checksum: it was damaged in transit; try again"
NO_CONNECTION = "no connection could be made; check the endpoint, the network and that the server runs"
TIMED_OUT = "the server did not respond in time; try again, or raise read_timeout"


class ErrorResponse(NamedTuple):
    """An error response: its status, the server's code, and the operation of the request.

    Without a body (HEAD), the status stands in for the code. ``has_request_id`` says that it has S3's request id in its headers.
    """

    status: int
    code: str
    operation: str
    has_request_id: bool = False


class MissingKeyError(NotSupportedError):
    """The server proved that the key does not exist: by its error code or, for a HEAD, by its request id in the headers.

    A bucket handles it where that can be.
    """


class UnprovenMissingKeyError(StoreUnavailableError):
    """A 404 without a proof that it is from the object server. It may be from a proxy."""


class UnsatisfiableRangeError(NotSupportedError):
    """The object has no byte of the range: it is empty. A bucket handles it."""


_KINDS: dict[int, type[NotSupportedError]] = {
    HTTPStatus.NOT_FOUND: MissingKeyError,
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: UnsatisfiableRangeError,
}


def not_from_server(reason: str, location: str, key: str | None) -> StoreUnavailableError:
    """The error for a response that no object server can have sent."""
    return StoreUnavailableError(
        f"the response is not from an object server ({reason}); check the endpoint, and any proxy in between",
        location=location,
        key=key,
    )


def connection_failed(kind: str) -> str:
    """The reason for a connection that failed; ``kind`` is the client library's name of the failure."""
    return f"the connection failed ({kind}); try again"


def error_for(response: ErrorResponse, location: str, key: str | None) -> SessionBucketError:  # noqa: C901, PLR0911 (a table)
    """The library's error for an error response."""
    status, code, operation, has_request_id = response
    at = f"{location} (key {key!r})" if key else location
    if code in _NO_BUCKET:
        return BucketNotFoundError(
            "the bucket does not exist; create it, or correct its name", location=location, key=key
        )
    if code in _PRECONDITION_FAILED:
        return PreconditionFailedError(key or "", location=location)
    if code == "RequestTimeTooSkewed":
        return AccessDeniedError("this machine's clock is wrong; set it", location=location, key=key)
    if code in _CREDENTIALS:
        return AccessDeniedError(
            f"the server rejects the credentials ({code}); renew or correct them", location=location, key=key
        )
    if code in _REGION or status == 301:  # noqa: PLR2004
        return InvalidArgumentError(f"{at}: the bucket is in another region ({code}); set `region`")
    if code in _DENIED or status in (401, 403):
        return AccessDeniedError(
            f"access is denied ({code}); the credentials need s3:GetObject, s3:PutObject and s3:DeleteObject on the "
            "prefix, and s3:ListBucket on the bucket (without it, S3 gives this response for a missing key, too)",
            location=location,
            key=key,
        )
    if code in ("NotImplemented", "MethodNotAllowed") or status in (405, 501):
        return NotSupportedError(f"{at}: the server does not support {operation} ({code})")
    if status == HTTPStatus.INSUFFICIENT_STORAGE:
        return StoreUnavailableError(
            f"the server's storage is full ({code}); free some of it", location=location, key=key
        )
    if status in (408, 429) or status >= 500 or code in _TEMPORARY:  # noqa: PLR2004
        return StoreUnavailableError(
            f"the server responded {status} ({code}) to {operation}; try again later",
            location=location,
            key=key,
        )
    if status == HTTPStatus.NOT_FOUND and code not in MISSING and not has_request_id:
        return UnprovenMissingKeyError(
            f"the response 404 to {operation} has no error code of an object server; check the endpoint, and any proxy in between",
            location=location,
            key=key,
        )
    kind = MissingKeyError if code in MISSING else _KINDS.get(status, NotSupportedError)
    return kind(f"{at}: the server refused {operation} with {status} ({code})")
