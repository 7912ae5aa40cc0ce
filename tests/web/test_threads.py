"""Threads and sessions of agent frameworks, as the viewer reads them. ``tests/fixtures/threads`` has what the real frameworks wrote."""

from __future__ import annotations

import base64
import json
import sys
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import ormsgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.wrapped_buckets import CountingBucket
from sessionbucket import (
    INTEGRATION_FOLDERS,
    PAGE_LIMIT,
    AccessDeniedError,
    AppendLog,
    DocumentStore,
    InvalidArgumentError,
    MemoryBucket,
    SessionStore,
    encode_frame,
    encode_segment,
    newest_first,
    open_store,
)
from sessionbucket.web.threads import MOST_ENTRIES, Thread, kinds, page, thread
from sessionbucket.web.threads.listing import TITLES
from sessionbucket.web.threads.msgpack_values import decode_value
from sessionbucket.web.transcript import (
    Block,
    DataBlock,
    ImageBlock,
    Step,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from web.viewing import Viewer, link, text_of

FIXTURES = Path(__file__).parent.parent / "fixtures" / "threads"
OBJECTS = {
    path.relative_to(FIXTURES).as_posix(): path.read_bytes() for path in FIXTURES.rglob("*") if path.is_file()
}
FRAMEWORKS = {
    "langgraph",
    "langchain_core",
    "agents",
    "strands",
    "google.adk",
    "claude_agent_sdk",
    "pydantic_ai",
}

TYPE = "application/octet-stream"
QUESTION = "Will it rain in Lisbon tomorrow?"
THOUGHT = "The forecast tool knows. Lisbon first."
REPLY = "Tomorrow is clear in Lisbon, with 20% chance of rain."

CONVERSATIONS = {
    ("langgraph", "weather%2F7"): 9,
    ("openai-agents", "user-7"): 9,
    ("claude", "-work-weather/0f5c2f6e-1111-4222-8333-444455556666"): 10,
    ("pydantic-ai", "user-7"): 6,
    ("strands", "repository/trip%2F1"): 9,
    ("strands", "session/user-7"): 4,
    ("adk", "weather/ada%2F1/s-1"): 5,
    ("agent-framework", "history/memory/user-7"): 5,
    ("llama-index", "user-7"): 6,
}
"""The threads that are conversations, and how many entries each has."""
OTHERS = {
    ("langgraph", "large"): 3,
    ("langgraph", "failing"): 3,
    ("langgraph-store", "memories/ada"): 2,
    ("langgraph-store", "memories/bob"): 1,
    ("adk-artifacts", "weather/ada%2F1"): 1,
    ("adk-artifacts", "weather/ada%2F1/s-1"): 3,
    ("agent-framework", "checkpoints/checkpoint-0"): 1,
    ("agent-framework", "checkpoints/checkpoint-1"): 1,
    ("agent-framework", "checkpoints/checkpoint-2"): 1,
    ("agent-framework", "sessions/user-7"): 0,
    ("agent-framework", "workflows/trip%20plan"): 3,
}
THREADS = {**CONVERSATIONS, **OTHERS}


def filled(objects: dict[str, bytes] = OBJECTS, bucket: Any = None) -> SessionStore:
    bucket = bucket or MemoryBucket()
    for key, body in objects.items():
        bucket.put(key, body, content_type=TYPE)
    return SessionStore(bucket)


@pytest.fixture(scope="module")
def store() -> SessionStore:
    return filled()


def blocks_of(found: Thread) -> list[Block]:
    return [block for step in found.steps for block in step.blocks]


def texts_of(found: Thread) -> list[str]:
    return [block.text for block in blocks_of(found) if isinstance(block, TextBlock)]


def calls_of(found: Thread) -> dict[str, ToolCallBlock]:
    return {block.id: block for block in blocks_of(found) if isinstance(block, ToolCallBlock)}


def shown(found: Thread) -> list[tuple[str, str, list[Block]]]:
    """The steps without their times, which may be those of the objects."""
    return [(step.role, step.heading, step.blocks) for step in found.steps]


def step_named(found: Thread, heading: str) -> Step:
    (step,) = [step for step in found.steps if step.heading == heading]
    return step


# --- what the frameworks wrote


def test_every_kind_has_a_title_and_threads(store: SessionStore):
    assert set(TITLES) == INTEGRATION_FOLDERS
    assert {each.kind: each.items for each in kinds(store)} == Counter(kind for kind, _ in THREADS)


def test_the_list_has_the_names_and_sizes_of_all_threads(store: SessionStore):
    for kind in TITLES:
        rows = page(store, kind, None, 100).rows
        assert {(kind, row.id) for row in rows} == {each for each in THREADS if each[0] == kind}
        assert [row.label for row in rows] == ["/".join(info.names) for info in store.iter_integration(kind)]


@pytest.mark.parametrize(("kind", "id"), THREADS)
def test_each_thread_has_all_its_entries(store: SessionStore, kind: str, id: str):
    found = thread(store, kind, id, 0)
    assert found.total == THREADS[kind, id]
    assert len(found.steps) >= found.total
    assert not [step for step in found.steps if "Cannot be read" in step.heading]
    assert not FRAMEWORKS & set(sys.modules)


@pytest.mark.parametrize(("kind", "id"), CONVERSATIONS)
def test_a_conversation_has_its_texts_thoughts_images_and_calls_with_their_results(
    store: SessionStore, kind: str, id: str
):
    found = thread(store, kind, id, 0)
    assert {QUESTION, REPLY} <= set(texts_of(found))
    assert ThinkingBlock(THOUGHT) in blocks_of(found)
    if (kind, id) != ("strands", "session/user-7"):
        (image,) = {
            (block.media_type, block.data) for block in blocks_of(found) if isinstance(block, ImageBlock)
        }
        assert image[0] == "image/png"
        assert base64.b64decode(image[1], validate=True).startswith(b"\x89PNG")
    calls = calls_of(found)
    assert len(calls) == 2
    good, bad = calls.values()
    assert "Lisbon" in str(good.arguments)
    assert "clear" in str(good.result)
    assert not good.is_error
    assert "Atlantis" in str(bad.arguments)
    assert bad.result
    keeps_no_errors = kind in ("openai-agents", "llama-index")
    assert bad.is_error != keeps_no_errors
    roles = {step.role for step in found.steps}
    assert {"user", "assistant", "tool"} <= roles


@pytest.mark.parametrize("kind", ["langgraph", "claude", "pydantic-ai", "strands", "adk", "agent-framework"])
def test_tokens_stand_beside_the_message(store: SessionStore, kind: str):
    id = next(id for each, id in CONVERSATIONS if each == kind)
    (asked,) = [step for step in thread(store, kind, id, 0).steps if ThinkingBlock(THOUGHT) in step.blocks][
        -1:
    ]
    assert {("tokens in", "120"), ("tokens out", "30")} <= set(asked.meta)


def test_a_thread_of_langgraph_is_its_checkpoints_with_what_their_tasks_wrote(store: SessionStore):
    found = thread(store, "langgraph", "weather%2F7", 0)
    assert [step.heading for step in found.steps] == [
        "Step -1 · input",
        "Input · User",
        "Step 0 · loop",
        "ask · Assistant",
        "ask wrote",
        "Step 1 · loop",
        "tools · Tool",
        "tools · Tool",
        "Step 2 · loop",
        "review waits for a response",
        "Resumed",
        "review wrote",
        "Step -1 · input · review",
        "Input wrote",
        "Step 0 · loop · review",
        "approve waits for a response",
        "approve is resumed",
        "approve wrote",
        "Step 1 · loop · review",
        "Step 3 · loop",
        "respond · Assistant",
        "Step 4 · loop",
    ]
    assert step_named(found, "Resumed").blocks == [TextBlock("yes")]
    assert step_named(found, "review waits for a response").blocks == [TextBlock("May I send this?")]
    checkpoint, before = step_named(found, "Step 1 · loop"), step_named(found, "Step 0 · loop")
    assert ("next", "tools") in checkpoint.meta
    assert dict(checkpoint.meta)["parent"] == dict(before.meta)["id"]
    assert checkpoint.at is not None
    assert [block.label for block in checkpoint.blocks if isinstance(block, DataBlock)] == [
        "messages: 2 items, 1 of them new",
        "run",
    ]
    assert DataBlock("Metadata", {"user": "ada"}) in found.steps[0].blocks
    (run,) = [
        block.json for block in checkpoint.blocks if isinstance(block, DataBlock) and block.label == "run"
    ]
    assert list(run) == ["uuid.UUID"]


def test_a_failed_node_says_so(store: SessionStore):
    last = thread(store, "langgraph", "failing", 0).steps[-1]
    assert (last.role, last.heading) == ("error", "fail failed")
    assert last.blocks == [TextBlock("ValueError('the mail server is gone')")]


def test_a_large_value_of_a_channel_is_shown_where_it_changed_and_cut(store: SessionStore):
    found = thread(store, "langgraph", "large", 0)
    first, second = step_named(found, "Step 0 · loop"), step_named(found, "Step 1 · loop")
    (value,) = first.blocks
    assert isinstance(value, DataBlock)
    assert value.label.startswith("notes: the first 64 Ki of ")
    assert len(value.json) == 65_536
    assert [block.label for block in second.blocks if isinstance(block, DataBlock)] == ["messages"]


def test_the_memory_of_langgraph_is_its_items(store: SessionStore):
    found = thread(store, "langgraph-store", "memories/ada", 0)
    assert [(step.heading, step.blocks) for step in found.steps] == [
        ("home", [DataBlock("Value", {"city": "Lisbon", "units": "metric"})]),
        ("name", [DataBlock("Value", {"text": "Ada"})]),
    ]


def test_artifacts_are_shown_by_file_and_version(store: SessionStore):
    found = thread(store, "adk-artifacts", "weather/ada%2F1/s-1", 0)
    assert [(step.heading, dict(step.meta)["version"]) for step in found.steps] == [
        ("map.png", "1"),
        ("map.png", "0"),
        ("notes.txt", "0"),
    ]
    assert isinstance(found.steps[0].blocks[0], ImageBlock)
    assert found.steps[2].blocks == [TextBlock("Take an umbrella."), DataBlock("Metadata", {"by": "weather"})]
    assert texts_of(thread(store, "adk-artifacts", "weather/ada%2F1", 0)) == ["Lisbon"]


def test_the_state_of_a_session_stands_before_its_messages(store: SessionStore):
    state = thread(store, "adk", "weather/ada%2F1/s-1", 0).steps[0]
    assert state.role == "state"
    assert "'city': 'Lisbon'" in str(state.blocks)
    assert thread(store, "adk", "weather/ada%2F1/s-1", 1).steps[0].role == "assistant"


def test_the_transcripts_of_subagents_follow_the_one_of_the_session(store: SessionStore):
    id = "-work-weather/0f5c2f6e-1111-4222-8333-444455556666"
    headings = [step.heading for step in thread(store, "claude", id, 0).steps]
    assert headings[-3:] == ["Transcript of subagents/agent-1", "1 · User", "2 · Assistant"]
    assert texts_of(thread(store, "claude", id, 9)) == ["Found it."]


def test_what_agent_framework_pickled_is_named_and_not_restored(store: SessionStore):
    found = thread(store, "agent-framework", "workflows/trip%20plan", 0)
    assert [step.heading for step in found.steps] == ["Step 0", "Step 1", "Step 2"]
    (state,) = [
        block.json
        for block in found.steps[1].blocks
        if isinstance(block, DataBlock) and block.label == "State"
    ]
    assert state == {"city": "Lisbon", "steps": 1, "seen": "builtins:set, pickled in 28 characters of base64"}
    assert thread(store, "agent-framework", "workflows/trip%20plan", 2, 1).steps == found.steps[2:]


def test_every_list_and_thread_is_a_page_of_the_viewer(store: SessionStore):
    viewed = Viewer(store)
    overview = viewed.get("/threads")
    for kind, title in TITLES.items():
        assert title in text_of(overview)
        rows = viewed.get(f"/threads/{kind}")
        for _, id in (each for each in THREADS if each[0] == kind):
            label = thread(store, kind, id, 0).label
            shown = text_of(viewed.get(link(rows, label) or ""))
            assert f"{THREADS[kind, id]} entr" in shown


# --- pages


def server() -> CountingBucket:
    """A bucket that lists as many objects at a time as a server does."""
    bucket = MemoryBucket()
    bucket.capabilities = bucket.capabilities._replace(page_limit=PAGE_LIMIT)
    return CountingBucket(bucket)


def log_store(entries: list[Any]) -> tuple[SessionStore, CountingBucket]:
    bucket = server()
    store = SessionStore(bucket)
    log = AppendLog(store.documents("openai-agents", integration=True))
    for first in range(0, len(entries), 500):
        log.append("long", entries[first : first + 500])
    bucket.counts.clear()
    return store, bucket


def test_a_page_of_ten_thousand_items_reads_the_segments_it_needs():
    entries = [{"role": "user", "content": f"message {number} " + "x" * 200} for number in range(10_000)]
    store, bucket = log_store(entries)
    for offset in (0, 4_900, 9_900):
        bucket.counts.clear()
        found = thread(store, "openai-agents", "long", offset)
        assert found.total == 10_000
        expected = [each["content"] for each in entries[offset : offset + MOST_ENTRIES]]
        assert texts_of(found) == expected
        assert [step.heading for step in found.steps][:1] == [f"{offset + 1} · User"]
        assert bucket.counts["get"] <= 3  # the document, and the segments around
        assert set(bucket.counts) == {"get"}


def test_a_call_at_the_end_of_a_page_has_its_result_from_the_next_one():
    entries: list[Any] = [{"role": "user", "content": str(number)} for number in range(6)]
    entries[2] = {"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"a": 1}'}
    entries[3] = {"type": "function_call_output", "call_id": "c", "output": "done"}
    store, _ = log_store(entries)
    first, second = (thread(store, "openai-agents", "long", offset, 3) for offset in (0, 3))
    assert calls_of(first)["c"].result == [TextBlock("done")]
    assert second.steps[0].blocks == []
    assert second.steps[0].meta == [("results at", "message 3")]


def test_ten_thousand_threads_are_listed_in_pages_of_few_requests():
    bucket = server()
    store = SessionStore(bucket)
    for number in range(10_000):
        bucket.put(f"openai-agents/user-{number:05}.log", b"{}\n", content_type=TYPE)
        bucket.put(f"openai-agents/sealed/user-{number:05}/{number:032x}", b"{}\n", content_type=TYPE)
    bucket.counts.clear()
    cursor, labels = None, []
    for _ in range(3):
        found = page(store, "openai-agents", cursor, 50)
        labels += [row.label for row in found.rows]
        cursor = found.cursor
        assert [row.size for row in found.rows] == [6] * 50
    assert labels == [f"user-{number:05}" for number in range(150)]
    assert bucket.counts == {
        "list_page": 7
    }  # two a page, and one over the segments that come before the logs
    bucket.counts.clear()
    assert [(each.kind, each.items, each.has_more) for each in kinds(store)] == [("openai-agents", 100, True)]
    assert sum(bucket.counts.values()) <= 16


def write_checkpoints(documents: DocumentStore, number: int, *, kept: str = "") -> None:
    """A thread with this many checkpoints, each with the writes of one task, and with a value that never changes."""
    parent = None
    for step in range(number):
        id = f"1f{step:06x}"
        versions = {"messages": str(step), "kept": "1"}
        values = {
            "metadata": {"source": "loop", "step": step},
            "checkpoint": {"channel_versions": versions},
            "=messages": [{"type": "human", "content": f"message {step}"}],
            "=kept": kept,
        }
        blobs = {name: ("msgpack", ormsgpack.packb(value)) for name, value in values.items()}
        header = {"thread": "t", "ns": "", "id": id, "parent": parent, "run": None, "large": {}, "delta": []}
        tail = newest_first(parent) if parent else "-"
        documents.put(f"t/%~/{newest_first(id)}.c.-.{tail}", encode_frame(header, blobs))
        write = {"task": "x", "writes": {"0": ["messages", "~__pregel_pull, node"]}}
        blob = ("msgpack", ormsgpack.packb([{"type": "ai", "content": f"reply {step}"}]))
        documents.put(f"t/%~/{newest_first(id)}.w.x", encode_frame(write, {"0": blob}))
        parent = id


def test_a_page_of_a_long_thread_of_langgraph_reads_its_own_objects():
    bucket = server()
    store = SessionStore(bucket)
    write_checkpoints(store.documents("langgraph", integration=True), 1_000)
    bucket.counts.clear()
    found = thread(store, "langgraph", "t", 400, 50)
    assert found.total == 1_000
    assert [step.heading for step in found.steps if step.role == "checkpoint"] == [
        f"Step {step} · loop" for step in range(400, 450)
    ]
    assert texts_of(found) == [f"reply {step}" for step in range(400, 450)]
    assert bucket.counts == {"list_page": 2, "get": 101}  # one is the parent of the first checkpoint


def test_the_memory_of_a_page_does_not_grow_with_the_checkpoints_on_it(tmp_path: Path):
    peaks = []
    for number in (32, 96):
        store = open_store(tmp_path / str(number))
        write_checkpoints(store.documents("langgraph", integration=True), number, kept="x" * 200_000)
        tracemalloc.start()
        assert thread(store, "langgraph", "t", 0).total == number
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


# --- damaged and hostile data

GARBAGE = [b"", b"\xff\xfe\x00", b"[]", b'{"format":2}\n', b'{"format":1}\n', b"[" * 100_000]


@pytest.mark.parametrize("kind", TITLES)
def test_a_damaged_object_never_hides_the_others(kind: str):
    left_out = ("langgraph/large/", "langgraph/weather%2F7/")
    objects = {
        key: OBJECTS[key] for key in OBJECTS if key.startswith(f"{kind}/") and not key.startswith(left_out)
    }
    ids = [id for each, id in THREADS if each == kind and not f"{kind}/{id}/".startswith(left_out)]
    sound = {id: shown(thread(filled(objects), kind, id, 0)) for id in ids}
    for key, body in objects.items():
        for garbage in (*GARBAGE, body[: len(body) // 2]):
            store = filled(objects | {key: garbage})
            found = {id: shown(thread(store, kind, id, 0)) for id in ids}
            assert all(found.values())
            # A checkpoint of Agent Framework is part of its workflow, too.
            assert sum(found[id] != sound[id] for id in ids) <= (2 if kind == "agent-framework" else 1)


def test_a_damaged_line_and_a_missing_segment_leave_the_other_entries():
    store, bucket = log_store(
        [{"role": "user", "content": f"{number} " + "x" * 5_000} for number in range(150)]
    )
    (segment, *_) = [row.key for row in bucket.list_page("openai-agents/sealed/").objects]
    bucket.delete([segment])
    body = bucket.get("openai-agents/long.log", max_bytes=10**9).body
    lines = body.split(b"\n")
    lines[-3] = lines[-3][:-10]
    bucket.put("openai-agents/long.log", b"\n".join(lines), content_type=TYPE)
    found = thread(store, "openai-agents", "long", 0)
    problems = [str(step.blocks) for step in found.steps if step.role == "error"]
    assert found.total == len(found.steps) == 150
    assert 1 < len(problems) < 100
    assert sum("it does not exist, and its log names it" in each for each in problems) == len(problems) - 1
    assert "is not JSON" in problems[-1]


def test_writes_whose_checkpoint_is_missing_are_shown():
    objects = {
        key: body for key, body in OBJECTS.items() if key.startswith("langgraph/failing/") and ".w." in key
    }
    found = thread(filled(objects), "langgraph", "failing", 0)
    assert found.total == 3
    assert "Only the writes on it exist" in texts_of(found)[0]
    assert QUESTION in texts_of(found)


def test_a_foreign_object_in_a_thread_is_named():
    store = filled(
        OBJECTS | {"langgraph/failing/%~/notes.txt": b"x", "strands/session/user-7/x.bin": b"\xff"}
    )
    found = thread(store, "langgraph", "failing", 0)
    assert any("no object of a thread" in text for text in texts_of(found))
    assert THOUGHT in [block.text for block in blocks_of(found) if isinstance(block, ThinkingBlock)]
    assert DataBlock("Content", {"bytes": 1}) in blocks_of(thread(store, "strands", "session/user-7", 0))


def packed(code: int, *value: Any) -> Any:
    return ormsgpack.packb(ormsgpack.Ext(code, ormsgpack.packb(value)))


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        (
            "pickle",
            b"cos\nsystem\n(S'touch threads_bomb'\ntR.",
            "bytes of pickle, which this viewer does not read",
        ),
        ("msgpack+aes", b"x" * 5, "5 bytes of msgpack+aes"),
        ("msgpack", packed(0, "os", "system", "touch threads_bomb"), {"os.system": "touch threads_bomb"}),
        ("msgpack", packed(1, "builtins", "exec", ["1/0"]), {"builtins.exec": ["1/0"]}),
        ("msgpack", packed(2, "threads_bomb", "C", {"a": 1}), {"threads_bomb.C": {"a": 1}}),
        ("msgpack", packed(3, "os", "path", "x", "join"), {"os.path": "x"}),
        (
            "msgpack",
            packed(5, "langchain_core.messages.human", "HumanMessage", {"content": "x"}, "m"),
            {"content": "x"},
        ),
        ("msgpack", packed(5, "app.models", "Plan", {"step": 1}, "m"), {"app.models.Plan": {"step": 1}}),
        ("msgpack", packed(0, "pydantic.types", "SecretStr", "hunter2"), {"SecretStr": "hidden"}),
        ("msgpack", packed(6, "<f8", [2], "C", b"x" * 16), {"numpy.ndarray": {"type": "<f8", "shape": [2]}}),
        ("msgpack", packed(7, 1, 2), [1, 2]),
        ("msgpack", packed(99, 1), "2 bytes of the unknown type 99"),
        ("msgpack", ormsgpack.packb({1: b"abc"}, option=ormsgpack.OPT_NON_STR_KEYS), {"1": "3 bytes"}),
        ("msgpack", b"\xdd\x7f\xff\xff\xff", "bytes of damaged msgpack"),
        ("msgpack", b"\x91" * 5_000 + b"\xc0", "bytes of damaged msgpack"),
        ("json", b"[" * 100_000, "bytes of damaged json"),
        ("null", b"", None),
    ],
)
def test_values_are_named_and_never_made(kind: str, data: bytes, expected: Any):
    found = decode_value(kind, data)
    assert expected in found if isinstance(expected, str) else found == expected
    assert "threads_bomb" not in sys.modules
    assert not Path("threads_bomb").exists()


def test_objects_in_one_another_are_read_to_a_limit():
    value: Any = "x"
    for _ in range(40):
        value = ormsgpack.Ext(7, ormsgpack.packb(value))
    assert "inside of 16 other objects" in decode_value("msgpack", ormsgpack.packb([1, value]))[1]


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_damaged(data: bytes):
    for kind in ("msgpack", "json"):
        json.dumps(decode_value(kind, data))


names = st.sampled_from(
    [
        "role",
        "content",
        "type",
        "parts",
        "blocks",
        "contents",
        "message",
        "text",
        "tool_calls",
        "tool_call_id",
        "call_id",
        "id",
        "name",
        "arguments",
        "output",
        "args",
        "function_call",
        "function_response",
        "toolUse",
        "toolResult",
        "reasoningContent",
        "thought",
        "usage",
        "timestamp",
        "author",
        "uuid",
        "kind",
        "part_kind",
        "block_type",
        "image",
        "data",
        "media_type",
        "additional_kwargs",
        "summary",
        "metadata",
        "error_code",
        "state",
        "actions",
    ]
)
kinds_of_parts = st.sampled_from(
    [
        "text",
        "image",
        "thinking",
        "tool_use",
        "tool_result",
        "tool-call",
        "tool-return",
        "user-prompt",
        "system-prompt",
        "function_call",
        "function_result",
        "function_call_output",
        "reasoning",
        "web_search_call",
        "message",
        "user",
        "assistant",
        "system",
        "tool",
        "tool_call",
        "binary",
        "data",
        "error",
        "usage",
    ]
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | kinds_of_parts
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5),
    max_leaves=12,
)
LOGS = {
    "openai-agents": ("x", "x"),
    "claude": ("p/s/x", "p/x"),
    "pydantic-ai": ("x", "x"),
    "strands": ("repository/x/a/y", "repository/x"),
    "adk": ("a/u/b/s/x", "a/b/x"),
    "agent-framework": ("history/m/x", "history/m/x"),
    "llama-index": ("x", "x"),
}


@given(
    st.sampled_from([*LOGS]),
    st.lists(values, min_size=1, max_size=3),
    st.dictionaries(names, values, max_size=3),
)
def test_any_entry_is_shown(kind: str, entries: list[Any], metadata: dict[str, Any]):
    store = SessionStore(MemoryBucket())
    name, id = LOGS[kind]
    wrapped = [
        {"message": each, "id": "1"} if kind in ("claude", "pydantic-ai", "strands") else each
        for each in entries
    ]
    log = AppendLog(store.documents(kind, integration=True))
    log.append(name, [*entries, *wrapped], fold=lambda *_: metadata)
    found = thread(store, kind, id, 0)
    assert found.total == 2 * len(entries)
    assert len(found.steps) >= found.total


@given(values, values, values)
def test_any_checkpoint_is_shown(value: Any, header: Any, writes: Any):
    store = SessionStore(MemoryBucket())
    documents = store.documents("langgraph", integration=True)
    blob = ("json", json.dumps(value).encode())
    own = {"large": header, "ns": header, "delta": header, "id": header}
    blobs = {"metadata": blob, "checkpoint": blob, "=channel": blob, "=branch:to:x": blob}
    documents.put(f"t/%~/{newest_first('1f')}.c.-.-", encode_frame(own, blobs))
    documents.put(
        f"t/%~/{newest_first('1f')}.w.x",
        encode_frame({"task": header, "writes": {"0": writes, "x": ["a"]}}, {"0": blob}),
    )
    documents.put(
        f"t/%~/{newest_first('1f')}.w.y",
        encode_frame(
            {"writes": {"0": ["__interrupt__", ""], "-1": ["messages", "n"]}}, {"0": blob, "-1": blob}
        ),
    )
    assert thread(store, "langgraph", "t", 0).total == 1


HOSTILE = "<script>alert(1)</script>\u202e<img src=x onerror=alert(1)>[x](javascript:alert(1))"


def test_hostile_text_stays_text():
    entries = [
        {"role": HOSTILE, "content": HOSTILE},
        {"type": "function_call", "call_id": HOSTILE, "name": HOSTILE, "arguments": HOSTILE},
    ]
    store, _ = log_store(entries)
    found = thread(store, "openai-agents", "long", 0)
    assert texts_of(found) == [HOSTILE]
    assert calls_of(found)[HOSTILE] == ToolCallBlock(HOSTILE, HOSTILE, HOSTILE)


def test_names_that_are_cut_in_keys_are_opened_by_their_ids():
    name = "long ü/" * 60
    bucket = MemoryBucket()
    store = SessionStore(bucket)
    log = AppendLog(store.documents("llama-index", integration=True))
    log.append(encode_segment(name), [{"role": "user", "blocks": []}], fold=lambda *_: {"key": name})
    (row,) = page(store, "llama-index", None, 10).rows
    assert row.label == name
    assert thread(store, "llama-index", row.id, 0).total == 1


# --- what the caller gets wrong, and what the server refuses


@pytest.mark.parametrize("kind", TITLES)
def test_a_missing_thread_says_so(kind: str):
    store = SessionStore(MemoryBucket())
    id = {"adk": "a/b/c", "adk-artifacts": "a/b", "agent-framework": "workflows/x"}.get(kind, "x/y")
    found = thread(store, kind, id, 0)
    assert (found.total, found.steps[0].heading) == (0, "It does not exist")


@pytest.mark.parametrize(
    ("kind", "id", "offset", "limit"),
    [
        ("notes", "x", 0, 1),
        ("langgraph", "../x", 0, 1),
        ("adk", "x", 0, 1),
        ("agent-framework", "x/y", 0, 1),
        ("langgraph", "", 0, 1),
        ("langgraph", "x", -1, 1),
        ("langgraph", "x", 0, 0),
        ("langgraph", "x", 0, MOST_ENTRIES + 1),
    ],
)
def test_a_bad_address_is_refused(kind: str, id: str, offset: int, limit: int):
    with pytest.raises(InvalidArgumentError):
        thread(SessionStore(MemoryBucket()), kind, id, offset, limit)


def test_a_bad_cursor_and_kind_are_refused(store: SessionStore):
    for kind, cursor in (("notes", None), ("langgraph", "x"), ("llama-index", "MTpub3Rlcw")):
        with pytest.raises(InvalidArgumentError):
            page(store, kind, cursor, 10)


class RefusingBucket(MemoryBucket):
    """A bucket whose policy allows no listing of LangGraph's threads."""

    def list_page(self, prefix: str, **options: Any) -> Any:
        if prefix.startswith("langgraph/"):
            raise AccessDeniedError("refused", location="memory://x")
        return super().list_page(prefix, **options)


def test_a_refused_kind_is_listed_beside_the_others():
    store = filled(bucket=RefusingBucket())
    found = {each.kind: each.items for each in kinds(store)}
    assert found["langgraph"] is None
    assert found["llama-index"] == 1
    with pytest.raises(AccessDeniedError):
        thread(store, "langgraph", "large", 0)
