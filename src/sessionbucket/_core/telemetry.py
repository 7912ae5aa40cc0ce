"""Traces and metrics by OpenTelemetry: the names, the attributes, and what the requests of one operation add up to.

A trace never has the content of a session. Metrics have no ids or keys as attributes, because each value would be a time series.
"""

from __future__ import annotations

import sys
import time
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any, Literal

from sessionbucket._core.objects import BucketCall, Operation
from sessionbucket.errors import (
    ConflictError,
    NotSupportedError,
    PreconditionFailedError,
    SessionBucketError,
    StoreUnavailableError,
)

StoreOperation = Literal["load", "save", "update", "save_turn", "delete"]

_METHODS: dict[Operation, str] = {
    "get": "GetObject",
    "head": "HeadObject",
    "exists": "HeadObject",
    "put": "PutObject",
    "copy": "CopyObject",
    "delete": "DeleteObjects",
    "delete_if": "DeleteObject",
    "list_page": "ListObjectsV2",
    "put_stream": "PutObject",
    "get_stream": "GetObject",
    "temporary_objects": "ListMultipartUploads",
    "remove_temporary": "AbortMultipartUpload",
    "keeps_versions": "GetBucketVersioning",
    "list_versions": "ListObjectVersions",
    "get_version": "GetObject",
    "erase": "DeleteObjects",
}
"""S3's name of each request."""

_INSTRUMENTATIONS = ("opentelemetry.instrumentation.botocore", "opentelemetry.instrumentation.aiobotocore")
_NO_MODULE = SimpleNamespace()

_OF_PREFIX = ("list_page", "temporary_objects", "list_versions", "keeps_versions")
_DURATIONS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass(frozen=True)
class Telemetry:
    """How a store reports to OpenTelemetry. By default it uses the global providers of the process.

    ``conversation_id`` says whether spans have the ids of sessions and the keys of objects: turn it off where ids are personal.
    ``tracer_provider`` and ``meter_provider`` are those of ``opentelemetry``.
    """

    conversation_id: bool = True
    tracer_provider: Any = None
    meter_provider: Any = None

    @cached_property
    def instruments(self) -> Instruments:
        """The tracer and the metrics. Raises ``NotSupportedError`` when opentelemetry-api is not installed."""
        return Instruments(self)


@dataclass(slots=True)
class Requests:
    """What the requests of one operation of a store added up to."""

    puts: int = 0
    reads: int = 0
    bytes: int = 0
    conflicts: int = 0
    failures: int = 0
    lost_responses: int = 0
    is_unresolved: bool = False
    """Whether the last put ended without a response."""
    outcome: str = ""

    def note(self, call: BucketCall, error: BaseException | None) -> None:
        """Count one request with its error."""
        if call.operation == "put":
            self.puts += 1
            self.is_unresolved = isinstance(error, StoreUnavailableError) and error.outcome == "unknown"
        elif call.operation == "get":
            self.reads += 1
        if isinstance(error, PreconditionFailedError):
            self.conflicts += 1
        elif isinstance(error, StoreUnavailableError):
            self.failures += 1
            self.lost_responses += error.outcome == "unknown"


_requests: ContextVar[Requests | None] = ContextVar("sessionbucket_requests", default=None)


class Instruments:
    """The tracer and the metrics of one store."""

    def __init__(self, telemetry: Telemetry) -> None:
        try:
            from opentelemetry import context, metrics, trace  # noqa: PLC0415 (an extra)
        except ImportError as error:
            raise NotSupportedError(
                "telemetry needs opentelemetry-api: install sessionbucket[otel]"
            ) from error
        self.tracer = trace.get_tracer("sessionbucket", tracer_provider=telemetry.tracer_provider)
        self.shows_ids = telemetry.conversation_id
        self.detach = context.detach
        self._client = trace.SpanKind.CLIENT
        self._error = trace.StatusCode.ERROR
        self._attach = context.attach
        self._with_span = trace.set_span_in_context
        meter = metrics.get_meter("sessionbucket", meter_provider=telemetry.meter_provider)
        self._duration = meter.create_histogram(
            "sessionbucket.operation.duration",
            unit="s",
            description="Duration of the operations of stores.",
            explicit_bucket_boundaries_advisory=_DURATIONS,
        )
        self._conflicts = meter.create_counter(
            "sessionbucket.conflicts",
            unit="{conflict}",
            description="Writes that met a version of another writer.",
        )
        self._retries = meter.create_counter(
            "sessionbucket.retries", unit="{request}", description="Requests that were sent again."
        )
        self._lost = meter.create_counter(
            "sessionbucket.lost_responses", unit="{response}", description="Changes whose response was lost."
        )

    def attach(self, span: Any) -> Any:
        """Make the span the current one, until ``detach``."""
        return self._attach(self._with_span(span))

    def operation(self, name: StoreOperation, id: str, backend: str) -> _Operation:
        """The span and the metrics of one operation of a store, as a context manager."""
        attributes = {"sessionbucket.backend": backend}
        if self.shows_ids:
            attributes["gen_ai.conversation.id"] = id
        return _Operation(
            self, name, backend, self.tracer.start_span(f"sessionbucket.{name}", attributes=attributes)
        )

    def request(self, call: BucketCall, backend: str, location: str, library: str) -> _Request:
        """The span of one request to a bucket, as a context manager. It has none where another instrumentation makes one."""
        span = None if _is_instrumented(library) else self._request_span(call, backend, location)
        return _Request(self, call, span)

    def _request_span(self, call: BucketCall, backend: str, location: str) -> Any:
        attributes = {"sessionbucket.backend": backend}
        shows_key = self.shows_ids and len(call.keys) == 1 and call.operation not in _OF_PREFIX
        if backend == "s3":
            method = _METHODS[call.operation]
            name = f"S3.{method}"
            attributes["rpc.system.name"] = "aws-api"
            attributes["rpc.method"] = f"S3/{method}"
            attributes["aws.s3.bucket"] = location.rpartition("/")[2].rpartition(":")[2]
            if shows_key:
                attributes["aws.s3.key"] = call.keys[0]
        else:
            name = f"{backend}.{call.operation}"
            if shows_key:
                attributes["sessionbucket.key"] = call.keys[0]
        return self.tracer.start_span(name, kind=self._client, attributes=attributes)

    def fail(self, span: Any, error: BaseException) -> None:
        """Mark the span as one of an error."""
        span.set_attribute("error.type", type(error).__qualname__)
        span.set_status(self._error)

    def measure(
        self, operation: _Operation, outcome: str, seconds: float, error: BaseException | None
    ) -> None:
        """Record the metrics of an operation."""
        requests = operation.requests
        common = {"sessionbucket.operation": operation.name, "sessionbucket.backend": operation.backend}
        self._duration.record(seconds, {**common, "sessionbucket.outcome": outcome})
        retries = requests.failures - isinstance(error, StoreUnavailableError)
        for counter, count in (
            (self._conflicts, requests.conflicts),
            (self._retries, retries),
            (self._lost, requests.lost_responses),
        ):
            if count > 0:
                counter.add(count, common)


class _Operation:
    """One operation of a store. Its span is the parent of those of its requests.

    It is a class, because a generator would take twice the time.
    """

    __slots__ = ("_instruments", "_span", "_started", "_tokens", "backend", "name", "requests")

    def __init__(self, instruments: Instruments, name: StoreOperation, backend: str, span: Any) -> None:
        self._instruments = instruments
        self._span = span
        self.name = name
        self.backend = backend
        self.requests = Requests()

    def __enter__(self) -> Requests:
        self._started = time.perf_counter()
        self._tokens = self._instruments.attach(self._span), _requests.set(self.requests)
        return self.requests

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        attached, noted = self._tokens
        _requests.reset(noted)
        self._instruments.detach(attached)
        outcome = _outcome(self.name, self.requests, error)
        self._span.set_attributes(
            {
                "sessionbucket.outcome": outcome,
                "sessionbucket.attempts": self.requests.puts or self.requests.reads,
                "sessionbucket.bytes": self.requests.bytes,
            }
        )
        if error is not None and not isinstance(error, ConflictError):
            self._instruments.fail(self._span, error)
        self._span.end()
        self._instruments.measure(self, outcome, time.perf_counter() - self._started, error)


class _Request:
    """One request to a bucket, with its span, if it has one."""

    __slots__ = ("_call", "_instruments", "_span")

    def __init__(self, instruments: Instruments, call: BucketCall, span: Any) -> None:
        self._instruments = instruments
        self._call = call
        self._span = span

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        requests = _requests.get()
        if requests is not None:
            requests.note(self._call, error)
        if self._span is None:
            return
        if isinstance(error, PreconditionFailedError):
            self._span.set_attribute("sessionbucket.outcome", "conflict")
        elif error is not None:
            self._instruments.fail(self._span, error)
        self._span.end()


def note_bytes(size: int) -> None:
    """Add the bytes of a body that the current operation has sent or received."""
    requests = _requests.get()
    if requests is not None:
        requests.bytes += size


def _outcome(name: StoreOperation, requests: Requests, error: BaseException | None) -> str:
    if error is not None:
        unknown = getattr(error, "outcome", "") == "unknown" or (
            requests.is_unresolved and not isinstance(error, SessionBucketError)
        )
        return "unknown" if unknown else "conflict" if isinstance(error, ConflictError) else "failed"
    if name == "delete":
        return "deleted"
    if requests.outcome:
        return requests.outcome
    return "found_written" if requests.is_unresolved else "written" if requests.puts else "unchanged"


def _is_instrumented(library: str) -> bool:
    """Whether an instrumentation of OpenTelemetry already makes the spans of this client library."""
    for place in _INSTRUMENTATIONS if library else ():
        for name, kind in vars(sys.modules.get(place, _NO_MODULE)).items():
            if name.lower() == f"{library}instrumentor" and kind().is_instrumented_by_opentelemetry:
                return True
    return False
