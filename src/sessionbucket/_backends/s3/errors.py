"""The errors of botocore, aiobotocore and their transports, and the errors that the library raises for them."""

from __future__ import annotations

import sys
from typing import Any

from sessionbucket._backends.service_errors import (
    CONFLICT,
    DAMAGED,
    NO_CONNECTION,
    NO_CREDENTIALS,
    TIMED_OUT,
    ErrorResponse,
    connection_failed,
    error_for,
    not_from_server,
)
from sessionbucket.errors import (
    AccessDeniedError,
    InvalidArgumentError,
    SessionBucketError,
    StoreUnavailableError,
)

NO_SUCH_VERSION = frozenset({"InvalidArgument", "InvalidVersionId", "MethodNotAllowed", "405"})
"""The codes of a GET of a version, besides those of a missing one, for an id that is none and for a delete marker."""

_HEADERS_OF_S3 = frozenset({"x-amz-request-id", "x-amz-id-2"})


def _botocore() -> Any:
    """The errors of botocore. They load with the first request, not with a bucket."""
    from botocore import exceptions  # noqa: PLC0415 (loads botocore)

    return exceptions


def code_of(error: BaseException | None) -> str:
    """S3's error code, or the HTTP status when the response has no body (HEAD). Empty for an error without a response."""
    if not isinstance(error, _botocore().ClientError):
        return ""
    return str(error.response.get("Error", {}).get("Code", ""))


def was_retried(error: BaseException | None) -> bool:
    """Whether an earlier request of the same call got no usable response."""
    if not isinstance(error, _botocore().ClientError):
        return False
    metadata: Any = error.response.get("ResponseMetadata", {})
    return bool(metadata.get("RetryAttempts"))


UNREADABLE = (ValueError, LookupError, ArithmeticError, TypeError, AttributeError)
"""The errors of botocore's parsers for a response with values that S3 cannot have sent."""


def transport_errors() -> tuple[type[BaseException], ...]:
    """The errors of clients and connections. aiohttp's are among them only once aiohttp is loaded."""
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 (a part of botocore)

    of = _botocore()
    aiohttp = sys.modules.get("aiohttp")
    return (
        of.BotoCoreError,
        of.ClientError,
        HTTPError,
        OSError,
        *((aiohttp.ClientError,) if aiohttp else ()),
    )


def request_errors() -> tuple[type[BaseException], ...]:
    """The errors that a request can raise, those of an unreadable response included."""
    return (*transport_errors(), *UNREADABLE)


def translate(
    error: BaseException, location: str, key: str | None = None, *, writing: bool = False
) -> SessionBucketError:
    """The library's error for one of ``request_errors``. ``writing`` says that the request changes an object."""
    of = _botocore()
    if isinstance(error, of.ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        has_request_id = not _HEADERS_OF_S3.isdisjoint(
            error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        )
        has_request_id &= error.operation_name == "HeadObject"
        translated = error_for(
            ErrorResponse(status, code_of(error), error.operation_name, has_request_id), location, key
        )
    elif isinstance(error, (of.ParamValidationError, of.ProfileNotFound, of.NoRegionError)):
        translated = InvalidArgumentError(f"{location}: {error}")
    elif isinstance(error, (of.NoCredentialsError, of.PartialCredentialsError, of.CredentialRetrievalError)):
        translated = AccessDeniedError(NO_CREDENTIALS, location=location, key=key)
    elif isinstance(error, UNREADABLE) and not isinstance(error, transport_errors()):
        translated = not_from_server(f"{type(error).__name__} in its values", location, key)
    else:
        translated = StoreUnavailableError(_reason(error), location=location, key=key)
    if writing and isinstance(translated, StoreUnavailableError) and not _was_not_done(error):
        return translated.with_outcome("unknown")
    return translated


def _was_not_done(error: BaseException) -> bool:
    """Whether the request certainly had no effect: it was not sent, or it lost against a concurrent one."""
    of = _botocore()
    if isinstance(error, of.ClientError):
        return code_of(error) in CONFLICT
    return isinstance(error, (of.ConnectTimeoutError, of.EndpointConnectionError))


def _reason(error: BaseException) -> str:
    of = _botocore()
    if isinstance(error, of.FlexibleChecksumError):
        return DAMAGED
    if isinstance(error, (of.ConnectTimeoutError, of.EndpointConnectionError)):
        return NO_CONNECTION
    if isinstance(error, (of.ReadTimeoutError, TimeoutError)):
        return TIMED_OUT
    return connection_failed(type(error).__name__)
