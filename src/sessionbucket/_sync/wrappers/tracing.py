# Generated from sessionbucket/_async/wrappers/tracing.py by scripts/generate_sync.py: do not edit.
"""A bucket that reports its requests to OpenTelemetry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from sessionbucket._core.arguments import check_kind
from sessionbucket._core.objects import NO_METADATA, Always, BucketCall, Condition, StoredObject
from sessionbucket._core.telemetry import Telemetry, note_bytes
from sessionbucket._sync.bucket import Bucket
from sessionbucket._sync.wrappers.base import BucketWrapper

T = TypeVar("T")


class TracingBucket(BucketWrapper):
    """Makes a client span of each request, by the semantic conventions of OpenTelemetry. A conflict is no error.

    It makes none where the instrumentation of the client library makes one. It belongs directly over a bucket that sends
    requests, so that it sees each attempt. A presigned URL is no request.
    """

    def __init__(self, inner: Bucket, telemetry: Telemetry) -> None:
        """Raises ``NotSupportedError`` when opentelemetry-api is not installed."""
        super().__init__(inner)
        check_kind("telemetry", telemetry, Telemetry)
        self._instruments = telemetry.instruments

    def request(self, call: BucketCall, send: Callable[[], T]) -> T:
        if call.operation == "presign":
            return send()
        with self._instruments.request(call, self.name, self.location, self.inner.client_library):
            return send()

    def get(self, key: str, *, max_bytes: int, first: int | None = None) -> StoredObject | None:
        found = super().get(key, max_bytes=max_bytes, first=first)
        if found is not None:
            note_bytes(len(found.body))
        return found

    def put(
        self,
        key: str,
        body: bytes,
        *,
        condition: Condition = Always(),  # noqa: B008 (frozen)
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> str:
        version = super().put(key, body, condition=condition, content_type=content_type, metadata=metadata)
        note_bytes(len(body))
        return version
