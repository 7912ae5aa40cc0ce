"""What the errors of botocore, aiobotocore and their transports mean for a caller."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    FlexibleChecksumError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
)
from urllib3.exceptions import HTTPError

from sessionbucket.errors import (
    AccessDeniedError,
    BucketNotFoundError,
    InvalidArgumentError,
    NotSupportedError,
    SessionBucketError,
    StoreUnavailableError,
)

MISSING = frozenset({"NoSuchKey", "404", "NotFound"})
CONFLICT = frozenset({"ConditionalRequestConflict"})
PRECONDITION_FAILED = frozenset({"PreconditionFailed", "412"})
NO_BATCH_DELETE = frozenset(
    {"NotImplemented", "501", "MethodNotAllowed", "405", "MissingContentMD5", "InvalidRequest"}
)
_CREDENTIALS = frozenset(
    {
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


def code_of(error: ClientError) -> str:
    """S3's error code, or the HTTP status where there was no body (HEAD)."""
    return str(error.response.get("Error", {}).get("Code", ""))


def was_retried(error: ClientError) -> bool:
    """Whether an earlier request of the same call had no usable answer."""
    metadata: Any = error.response.get("ResponseMetadata", {})
    return bool(metadata.get("RetryAttempts"))


def transport_errors() -> tuple[type[BaseException], ...]:
    """What a request can end with. aiohttp's are there only where aiohttp is."""
    aiohttp = sys.modules.get("aiohttp")
    return (BotoCoreError, ClientError, HTTPError, OSError, *((aiohttp.ClientError,) if aiohttp else ()))


@contextmanager
def translated(location: str, key: str | None = None, *, writing: bool = False) -> Iterator[None]:
    """Let nothing but our own errors out of the block, which ``writing`` says is one that changes an object."""
    try:
        yield
    except transport_errors() as error:
        meaning = translate(error, location, key)
        if writing and isinstance(meaning, StoreUnavailableError) and not _was_not_done(error):
            meaning = meaning.with_outcome("unknown")
        raise meaning from error


def _was_not_done(error: BaseException) -> bool:
    """Whether the request surely had no effect: it was not sent, or was refused as one of two that met."""
    if isinstance(error, ClientError):
        return code_of(error) in CONFLICT
    return isinstance(error, ConnectTimeoutError | EndpointConnectionError)


def translate(error: BaseException, location: str, key: str | None) -> SessionBucketError:
    """The error of ours that says what this one means."""
    if isinstance(error, ClientError):
        return _answered(error, location, key)
    if isinstance(error, ParamValidationError):
        return InvalidArgumentError(f"{location}: {error}")
    if isinstance(error, ProfileNotFound | NoRegionError):
        return InvalidArgumentError(f"{location}: {error}")
    if isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError):
        return AccessDeniedError(
            "there are no usable credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role",
            location=location,
            key=key,
        )
    return StoreUnavailableError(_silence(error), location=location, key=key)


def _silence(error: BaseException) -> str:
    if isinstance(error, FlexibleChecksumError):
        return "the body does not match its checksum; it was damaged on the way, so try again"
    if isinstance(error, ConnectTimeoutError | EndpointConnectionError):
        return "no connection could be made; check the endpoint, the network and that the server runs"
    if isinstance(error, ReadTimeoutError | TimeoutError):
        return "the server did not answer in time; try again, or raise read_timeout"
    return f"the connection failed ({type(error).__name__}); try again"


def _answered(error: ClientError, location: str, key: str | None) -> SessionBucketError:  # noqa: PLR0911 (a table)
    code = code_of(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    at = f"{location} (key {key!r})" if key else location
    if code == "NoSuchBucket":
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
        return NotSupportedError(f"{at}: the server does not support {error.operation_name} ({code})")
    if status in (408, 429) or status >= 500 or code in _PASSING:  # noqa: PLR2004
        return StoreUnavailableError(
            f"the server answered {status} ({code}) to {error.operation_name}; try again later",
            location=location,
            key=key,
        )
    return NotSupportedError(f"{at}: the server refused {error.operation_name} with {status} ({code})")
