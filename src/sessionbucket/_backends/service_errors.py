"""What the refusals of an object server mean for a caller, whichever library brought them."""

from __future__ import annotations

from typing import NamedTuple

from sessionbucket.errors import (
    AccessDeniedError,
    BucketNotFoundError,
    InvalidArgumentError,
    NotSupportedError,
    SessionBucketError,
    StoreUnavailableError,
)

MISSING = frozenset({"NoSuchKey", "404", "NotFound", "BlobNotFound"})
CONFLICT = frozenset({"ConditionalRequestConflict"})
PRECONDITION_FAILED = frozenset({"PreconditionFailed", "412", "ConditionNotMet", "BlobAlreadyExists"})
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
_PASSING = frozenset(
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
    "there are no usable credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role"
)
DAMAGED = "the body does not match its checksum; it was damaged on the way, so try again"
NO_CONNECTION = "no connection could be made; check the endpoint, the network and that the server runs"
SILENCE = "the server did not answer in time; try again, or raise read_timeout"


class Refusal(NamedTuple):
    """An answer that is an error: the status, the server's code for it ("" where it gave none), and to what request."""

    status: int
    code: str
    operation: str


def broken(kind: str) -> str:
    """What to say of a connection that failed; ``kind`` is the library's word for how."""
    return f"the connection failed ({kind}); try again"


def meaning_of(refusal: Refusal, location: str, key: str | None) -> SessionBucketError:  # noqa: PLR0911 (a table)
    """The error of ours that says what the answer means."""
    status, code, operation = refusal
    at = f"{location} (key {key!r})" if key else location
    if code in _NO_BUCKET:
        return BucketNotFoundError(
            "the bucket does not exist; create it, or correct its name", location=location, key=key
        )
    if code == "RequestTimeTooSkewed":
        return AccessDeniedError("this machine's clock is wrong; set it", location=location, key=key)
    if code in _CREDENTIALS:
        return AccessDeniedError(
            f"the credentials are not accepted ({code}); renew or correct them", location=location, key=key
        )
    if code in _REGION or status == 301:  # noqa: PLR2004
        return InvalidArgumentError(f"{at}: the bucket is in another region ({code}); set `region`")
    if code in _DENIED or status in (401, 403):
        return AccessDeniedError(
            f"access is denied ({code}); the credentials need s3:GetObject, s3:PutObject and s3:DeleteObject on the "
            "prefix, and s3:ListBucket on the bucket (without it S3 answers a missing key like this, too)",
            location=location,
            key=key,
        )
    if code in ("NotImplemented", "MethodNotAllowed") or status in (405, 501):
        return NotSupportedError(f"{at}: the server does not support {operation} ({code})")
    if status in (408, 429) or status >= 500 or code in _PASSING:  # noqa: PLR2004
        return StoreUnavailableError(
            f"the server answered {status} ({code}) to {operation}; try again later",
            location=location,
            key=key,
        )
    return NotSupportedError(f"{at}: the server refused {operation} with {status} ({code})")
