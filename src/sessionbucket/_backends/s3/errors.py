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

from sessionbucket._backends.service_errors import (
    CONFLICT,
    DAMAGED,
    NO_CONNECTION,
    NO_CREDENTIALS,
    SILENCE,
    Refusal,
    broken,
    meaning_of,
)
from sessionbucket.errors import (
    AccessDeniedError,
    InvalidArgumentError,
    SessionBucketError,
    StoreUnavailableError,
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
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return meaning_of(Refusal(status, code_of(error), error.operation_name), location, key)
    if isinstance(error, ParamValidationError | ProfileNotFound | NoRegionError):
        return InvalidArgumentError(f"{location}: {error}")
    if isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError):
        return AccessDeniedError(NO_CREDENTIALS, location=location, key=key)
    return StoreUnavailableError(_silence(error), location=location, key=key)


def _silence(error: BaseException) -> str:
    if isinstance(error, FlexibleChecksumError):
        return DAMAGED
    if isinstance(error, ConnectTimeoutError | EndpointConnectionError):
        return NO_CONNECTION
    if isinstance(error, ReadTimeoutError | TimeoutError):
        return SILENCE
    return broken(type(error).__name__)
