"""Golden spans and metrics of each operation and fault, with the in-memory exporter of OpenTelemetry."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

if os.environ.get("CI") != "true":
    pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")
    pytest.importorskip(
        "opentelemetry.instrumentation.botocore",
        reason="opentelemetry-instrumentation-botocore is not installed",
    )

from opentelemetry import trace
from opentelemetry.instrumentation import botocore as instrumentation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import sessionbucket
from both_sides import SyncSide, unwrapped
from conformance.locations import MOTO, OBSTORE, Location
from conformance.samples import event_of, say, session_of, texts_of
from sessionbucket import (
    InvalidArgumentError,
    Keyring,
    RetryConfig,
    SessionConflictError,
    SessionCorruptedError,
    StoreUnavailableError,
    Telemetry,
)

RETRY = RetryConfig(attempts=3, seconds=60)


class Traced:
    """A store of one side over a bucket with faults, and what it reported."""

    def __init__(self, side: SyncSide, **settings: Any) -> None:
        self.side = side
        self.exporter = InMemorySpanExporter()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.telemetry = Telemetry(
            tracer_provider=self.tracers, meter_provider=MeterProvider([self.reader]), **settings
        )
        self.inner = side.make("MemoryBucket")
        self.faulty = side.make("FaultyBucket", unwrapped(self.inner), retry=RETRY)
        tracing = side.make("TracingBucket", unwrapped(self.faulty), self.telemetry)
        self.store = side.make("TracedSessionStore", unwrapped(tracing), telemetry=self.telemetry)
        self.other = side.store(self.inner)

    def spans(self) -> list[str]:
        """Each span since the last call: indented below its parent, with its attributes and status, in the order of their starts."""
        spans = sorted(self.exporter.get_finished_spans(), key=lambda span: span.start_time)
        self.exporter.clear()
        depths: dict[int, int] = {}
        lines = []
        for span in spans:
            depth = depths[span.parent.span_id] + 1 if span.parent else 0
            depths[span.context.span_id] = depth
            words = sorted(
                f"{name.removeprefix('sessionbucket.')}={value}"
                for name, value in (span.attributes or {}).items()
                if name not in ("sessionbucket.backend", "sessionbucket.bytes")
            )
            words += ["ERROR"] if span.status.status_code is StatusCode.ERROR else []
            lines.append("  " * depth + " ".join([span.name, *words]))
        return lines

    def metrics(self) -> dict[str, list[tuple[dict[str, Any], float]]]:
        """The attributes and the count or sum of the points of each metric."""
        data = self.reader.get_metrics_data()
        return {
            metric.name.removeprefix("sessionbucket."): [
                (dict(point.attributes), getattr(point, "count", None) or point.value)
                for point in metric.data.data_points
            ]
            for resource in (data.resource_metrics if data else [])
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@pytest.fixture
def traced(side: SyncSide) -> Traced:
    return Traced(side)


SAVE = "sessionbucket.save attempts={} gen_ai.conversation.id=s outcome={}"
PUT = "  memory.put key=s.json"


def test_a_save_and_a_load(traced: Traced):
    session = session_of("s")
    traced.store.save(session)
    assert traced.spans() == [SAVE.format(1, "written"), PUT]
    traced.store.load("s")
    assert traced.spans() == [
        "sessionbucket.load attempts=1 gen_ai.conversation.id=s outcome=loaded",
        "  memory.get key=s.json",
    ]
    assert traced.store.load("none") is None
    assert traced.spans()[0] == "sessionbucket.load attempts=1 gen_ai.conversation.id=none outcome=missing"


def test_an_update_and_one_that_changes_nothing(traced: Traced):
    traced.other.save(session_of("s", "first"))
    traced.store.update("s", lambda session: say(session, "more"))
    assert traced.spans() == [
        "sessionbucket.update attempts=1 gen_ai.conversation.id=s outcome=written",
        "  memory.get key=s.json",
        PUT,
    ]
    traced.store.update("s", lambda session: None)
    assert traced.spans()[0] == "sessionbucket.update attempts=1 gen_ai.conversation.id=s outcome=unchanged"


def test_a_turn_and_a_delete(traced: Traced):
    traced.store.save_turn(session_of("s"), trace_events=[event_of("x")])
    assert traced.spans() == [
        "sessionbucket.save_turn attempts=2 gen_ai.conversation.id=s outcome=written",
        "  memory.head key=s.json",
        "  memory.put key=traces/s.json",
        PUT,
    ]
    traced.store.delete("s")
    first, *rest = traced.spans()
    assert first == "sessionbucket.delete attempts=0 gen_ai.conversation.id=s outcome=deleted"
    assert all(line.startswith("  memory.") for line in rest)


def test_a_conflict_is_no_error(traced: Traced):
    traced.other.save(session_of("s"))
    with pytest.raises(SessionConflictError):
        traced.store.save(session_of("s"))
    assert traced.spans() == [SAVE.format(1, "conflict"), f"{PUT} outcome=conflict"]


def test_a_conflict_of_an_update_is_repeated(traced: Traced):
    traced.other.save(session_of("s", "first"))
    traced.faulty.run_before(
        lambda: traced.other.update("s", lambda session: say(session, "other")), "put", key="s.json"
    )
    traced.store.update("s", lambda session: say(session, "ours"))
    assert traced.spans() == [
        "sessionbucket.update attempts=2 gen_ai.conversation.id=s outcome=written",
        "  memory.get key=s.json",
        f"{PUT} outcome=conflict",
        "  memory.get key=s.json",
        PUT,
    ]
    assert traced.metrics()["conflicts"] == [
        ({"sessionbucket.operation": "update", "sessionbucket.backend": "memory"}, 1)
    ]


def test_a_lost_response_is_found_written(traced: Traced):
    traced.faulty.drop_response("put", key="s.json")
    traced.store.save(session_of("s"))
    assert traced.spans() == [
        SAVE.format(1, "found_written"),
        "  memory.put error.type=StoreUnavailableError key=s.json ERROR",
        "  memory.head key=s.json",
    ]
    assert traced.metrics()["lost_responses"][0][1] == 1


def test_a_dropped_request_is_sent_again(traced: Traced):
    traced.faulty.drop_request("put", key="s.json")
    traced.store.save(session_of("s"))
    assert traced.spans() == [
        SAVE.format(2, "written"),
        "  memory.put error.type=StoreUnavailableError key=s.json ERROR",
        "  memory.head key=s.json",
        PUT,
    ]
    assert traced.metrics()["retries"][0][1] == 1


def test_a_save_of_unknown_outcome(traced: Traced):
    traced.faulty.drop_response("put", key="s.json", times=None)
    traced.faulty.fail("head", key="s.json", times=None)
    with pytest.raises(StoreUnavailableError):
        traced.store.save(session_of("s"))
    first, *_ = traced.spans()
    assert first == (
        "sessionbucket.save attempts=3 error.type=StoreUnavailableError gen_ai.conversation.id=s outcome=unknown ERROR"
    )
    ((attributes, _),) = traced.metrics()["operation.duration"]
    assert attributes["sessionbucket.outcome"] == "unknown"


def test_a_read_that_fails(traced: Traced):
    traced.inner.put("s.json", b"{")
    with pytest.raises(SessionCorruptedError):
        traced.store.load("s")
    assert traced.spans() == [
        "sessionbucket.load attempts=1 error.type=SessionCorruptedError gen_ai.conversation.id=s outcome=failed ERROR",
        "  memory.get key=s.json",
    ]


def test_the_bytes_of_a_span_are_those_of_the_bodies(traced: Traced):
    traced.store.save(session_of("s"))
    size = traced.inner.head("s.json").size
    (span,) = (each for each in traced.exporter.get_finished_spans() if each.name == "sessionbucket.save")
    assert span.attributes is not None
    assert span.attributes["sessionbucket.bytes"] == size
    assert span.kind is SpanKind.INTERNAL


def test_metrics_have_no_ids(traced: Traced):
    traced.store.save(session_of("s"))
    traced.store.load("s")
    traced.other.update("s", lambda session: say(session, "x"))
    with pytest.raises(SessionConflictError):
        traced.store.save(session_of("s"))
    metrics = traced.metrics()
    assert {point["sessionbucket.operation"] for point, _ in metrics["operation.duration"]} == {
        "save",
        "load",
    }
    allowed = {"sessionbucket.operation", "sessionbucket.backend", "sessionbucket.outcome"}
    assert all(set(attributes) <= allowed for points in metrics.values() for attributes, _ in points)


def test_ids_and_keys_can_be_left_out(side: SyncSide):
    traced = Traced(side, conversation_id=False)
    traced.store.save(session_of("personal"))
    assert traced.spans() == ["sessionbucket.save attempts=1 outcome=written", "  memory.put"]


def test_requests_in_threads_are_below_the_callers_span(sides: dict[str, SyncSide]):
    traced = Traced(sides["sync"])
    for number in range(4):
        traced.other.save(session_of(f"s{number}"))
    with trace.get_tracer("test", tracer_provider=traced.tracers).start_as_current_span("caller"):
        list(traced.store.load_many([f"s{number}" for number in range(4)], concurrency=4))
    lines = traced.spans()
    assert lines[0] == "caller"
    assert sum(line.startswith("  sessionbucket.load") for line in lines) == 4
    assert sum(line.startswith("    memory.get") for line in lines) == 4


async def test_tasks_are_below_the_callers_span():
    exporter, tracers = InMemorySpanExporter(), TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    store = sessionbucket.open_async_store("memory://", telemetry=Telemetry(tracer_provider=tracers))
    for number in range(4):
        await store.save(session_of(f"s{number}"))
    exporter.clear()
    with trace.get_tracer("test", tracer_provider=tracers).start_as_current_span("caller") as caller:
        async for loaded in store.load_many([f"s{number}" for number in range(4)], concurrency=4):
            assert loaded is not None
    loads = [span for span in exporter.get_finished_spans() if span.name == "sessionbucket.load"]
    assert [span.parent and span.parent.span_id for span in loads] == [caller.get_span_context().span_id] * 4


@pytest.mark.parametrize("kind", [MOTO, f"{MOTO}+{OBSTORE}"])
def test_requests_to_s3_follow_the_semantic_conventions(
    side: SyncSide, kind: str, location_of: Callable[[str], Location]
):
    location = location_of(kind)
    exporter, tracers = InMemorySpanExporter(), TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    store = side.make("open_store", location.url(), telemetry=Telemetry(tracer_provider=tracers))
    store.probe_conditional_writes()
    exporter.clear()
    store.save(session_of("s"))
    put, save = exporter.get_finished_spans()
    assert (save.name, put.name, put.kind) == ("sessionbucket.save", "S3.PutObject", SpanKind.CLIENT)
    assert put.attributes == {
        "rpc.system.name": "aws-api",
        "rpc.method": "S3/PutObject",
        "aws.s3.bucket": location.bucket,
        "aws.s3.key": location.key("s.json"),
        "sessionbucket.backend": "s3",
    }
    store.close()


def test_an_instrumentation_of_the_client_library_makes_the_spans_of_requests(
    side: SyncSide, location_of: Callable[[str], Location]
):
    names = {"sync": "BotocoreInstrumentor", "async": "AiobotocoreInstrumentor"}
    instrumentor = getattr(instrumentation, names[side.name])()
    exporter, tracers = InMemorySpanExporter(), TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor.instrument(tracer_provider=tracers)
    try:
        store = side.make("open_store", location_of(MOTO).url(), telemetry=Telemetry(tracer_provider=tracers))
        store.probe_conditional_writes()
        exporter.clear()
        store.save(session_of("s"))
        store.close()
    finally:
        instrumentor.uninstrument()
    put, save = exporter.get_finished_spans()
    assert save.name == "sessionbucket.save"
    assert save.attributes is not None
    assert save.attributes["sessionbucket.attempts"] == 1
    assert put.instrumentation_scope is not None
    assert put.instrumentation_scope.name.startswith("opentelemetry.instrumentation.")
    assert put.parent is not None
    assert put.parent.span_id == save.context.span_id


def test_an_encrypted_store_is_traced_by_what_it_sends(side: SyncSide):
    exporter, tracers = InMemorySpanExporter(), TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    url = f"memory://{uuid4().hex}"
    keys = Keyring({"k": bytes(32)}, primary="k")
    store = side.make("open_store", url, telemetry=Telemetry(tracer_provider=tracers), encryption=keys)
    store.save(session_of("s", "secret"))
    assert texts_of(store.load("s")) == ["secret"]
    assert [span.name for span in exporter.get_finished_spans()] == [
        "memory.put",
        "sessionbucket.save",
        "memory.get",
        "sessionbucket.load",
    ]
    documents = side.make(
        "open_documents", url, "notes", telemetry=Telemetry(tracer_provider=tracers), encryption=keys
    )
    documents.put("d", b"x")
    assert exporter.get_finished_spans()[-1].name == "memory.put"


def test_anything_but_telemetry_is_refused(side: SyncSide):
    with pytest.raises(InvalidArgumentError, match="telemetry is refused"):
        side.make("open_store", "memory://", telemetry="yes")


def test_a_store_without_telemetry_loads_nothing_of_it():
    program = (
        "import sys; from sessionbucket import SessionData, open_store\n"
        "with open_store('memory://') as store: store.save(SessionData(id='s'))\n"
        "print([name for name in sys.modules if 'opentelemetry' in name or 'telemetry' in name or 'tracing' in name])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_a_missing_opentelemetry_is_named():
    program = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from sessionbucket import NotSupportedError, open_store\n"
        "try: open_store('memory://', telemetry=True)\n"
        "except NotSupportedError as error: print(error)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "install sessionbucket[otel]" in ran.stdout
