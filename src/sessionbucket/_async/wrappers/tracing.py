"""A bucket that reports its requests to OpenTelemetry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._async.wrappers.base import AsyncBucketWrapper
from sessionbucket._core.arguments import check_kind
from sessionbucket._core.objects import NO_METADATA, Always, BucketCall, Condition, StoredObject
from sessionbucket._core.telemetry import Telemetry, note_bytes

T = TypeVar("T")


class AsyncTracingBucket(AsyncBucketWrapper):
    """Makes a client span of each request, by the semantic conventions of OpenTelemetry. A conflict is no error.

    It makes none where the instrumentation of the client library makes one. It belongs directly over a bucket that sends
    requests, so that it sees each attempt. A presigned URL is no request.
    """

    def __init__(self, inner: AsyncBucket, telemetry: Telemetry) -> None:
        """Raises ``NotSupportedError`` when opentelemetry-api is not installed."""
        super().__init__(inner)
        check_kind("telemetry", telemetry, Telemetry)
        self._instruments = telemetry.instruments

    async def request(self, call: BucketCall, send: Callable[[], Awaitable[T]]) -> T:
        if call.operation == "presign":
            return await send()
        with self._instruments.request(call, self.name, self.location, self.inner.client_library):
            return await send()

    async def get(self, key: str, *, max_bytes: int, first: int | None = None) -> StoredObject | None:
        found = await super().get(key, max_bytes=max_bytes, first=first)
        if found is not None:
            note_bytes(len(found.body))
        return found

    async def put(
        self,
        key: str,
        body: bytes,
        *,
        condition: Condition = Always(),  # noqa: B008 (frozen)
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> str:
        version = await super().put(
            key, body, condition=condition, content_type=content_type, metadata=metadata
        )
        note_bytes(len(body))
        return version
