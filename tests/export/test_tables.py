"""The rows of an export, by the model of the sessions."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyarrow")

from pyarrow import parquet
from pydantic import BaseModel

from export.lake import Lake
from sessionbucket import Conversation, Keyring, Message, SessionData, open_store
from sessionbucket.export import SCHEMA_VERSION, TABLES
from sessionbucket.models import ImageBlock, LlmCostRecord, SessionState, TokenUsage, TraceEvent

CANARY = "c4nary-9b1d"
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "analytics.md"


def rich_session(id: str = "s", text: str = "Why?") -> SessionData:
    session = SessionData(
        id=id,
        state=SessionState.ACTIVE,
        model_name="opus",
        created_at=0,
        updated_at=2**60,
        total_cost=0.5,
        principal="alice",
        tags=["prod"],
        parent_id="p",
        total_usage=TokenUsage(prompt_tokens=7, total_tokens=2**64 - 1),
    )
    session.config.name = f"title {text}"
    call = Message.tool_use("t1", "bash", {"command": text}, text="first")
    call.reasoning_content = f"reasoning {text}"
    call.content.append(call.content[1].model_copy(update={"id": "t2", "name": "grep"}))
    results = Message.tool_result("t2", f"result {text}", is_error=True)
    session.messages = [
        Message.user(text, images=[ImageBlock.from_bytes(text.encode(), "image/png")]),
        call,
        results,
        Message.tool_result("gone", "trimmed"),
    ]
    session.cost_records = [
        LlmCostRecord(
            model="opus",
            provider="anthropic",
            prompt_tokens=1,
            completion_tokens=2,
            total_tokens=3,
            timestamp="2026-11-29T01:00:00.123456789+01:00",
        )
    ]
    return session


def event(text: str) -> TraceEvent:
    found = TraceEvent.tool_execution(
        "bash",
        success=True,
        exit_code=-1,
        duration=1.5,
        output_bytes=3,
        metadata={"artifact_uri": text, text: 1},
    )
    found.details = {"said": text}
    return found


def rows(found: list[dict[str, Any]], *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in found]


def test_a_session_is_in_every_table():
    lake = Lake()
    lake.store.save_turn(rich_session(), trace_events=[event("x"), event("y")])
    (result, *_) = lake.export(ranges=1)
    assert (result.outcome, result.sessions, result.problems) == ("written", 1, ())
    found = lake.tables()
    assert found["sessions"] == [
        {
            "session_id": "s",
            "title": "title Why?",
            "owner": "alice",
            "tenant": None,
            "tags": ["prod"],
            "state": "Active",
            "model": "opus",
            "created_at": datetime(1970, 1, 1, tzinfo=UTC),
            "updated_at": None,  # no calendar has it
            "messages": 4,
            "tool_calls": 2,
            "prompt_tokens": 7,
            "completion_tokens": 0,
            "cache_read_tokens": None,
            "cache_write_tokens": None,
            "total_tokens": 2**63 - 1,
            "cost_usd": 0.5,
            "parent_id": "p",
            "size": len(lake.store.raw.get("s").body),
        }
    ]
    assert rows(
        found["messages"], "position", "role", "text", "reasoning", "characters", "images", "json"
    ) == [
        (0, "user", "Why?", None, 4, 1, None),
        (1, "assistant", "first", "reasoning Why?", 5, 0, None),
        (2, "user", None, None, 0, 0, None),
        (3, "user", None, None, 0, 0, None),
    ]
    assert rows(found["messages"], "tool_calls", "tool_results") == [(0, 0), (2, 0), (0, 1), (0, 1)]
    arguments = '{"command":"Why?"}'
    assert rows(
        found["tool_calls"], "message", "call_id", "name", "arguments", "result_message", "result", "is_error"
    ) == [
        (1, "t1", "bash", arguments, None, None, None),
        (1, "t2", "grep", arguments, 2, "result Why?", True),
        (None, "gone", None, None, 3, "trimmed", False),
    ]
    assert rows(found["costs"], "recorded_at", "model", "total_tokens", "cost_usd") == [
        (datetime(2026, 11, 29, 0, 0, 0, 123456, tzinfo=UTC), "opus", 3, None)
    ]
    assert rows(
        found["trace_events"], "position", "kind", "exit_code", "duration_ms", "artifact_uris", "details"
    ) == [
        (0, "tool_execution", -1, 1500, ["x"], '{"said":"x"}'),
        (1, "tool_execution", -1, 1500, ["y"], '{"said":"y"}'),
    ]


def test_without_text_no_text_is_anywhere():
    lake = Lake(text=False)
    lake.store.save_turn(rich_session(text=CANARY), trace_events=[event(CANARY)])
    with open_store(lake.url, model=Conversation) as conversations:
        message = {"role": "assistant", "content": CANARY, "tool_calls": [_openai_call(CANARY)]}
        conversations.save(Conversation(id="c", title=CANARY, messages=[message]))
    with_text = Lake(lake.url)
    with_text.export()
    assert with_text.keeps(CANARY)
    lake.export()
    assert not lake.keeps(CANARY)
    assert rows(lake.tables()["tool_calls"], "name", "arguments") == [
        ("f", None),
        ("bash", None),
        ("grep", None),
        (None, None),
    ]
    assert {row["characters"] for row in lake.tables()["messages"]} >= {len(CANARY)}


def _openai_call(text: str) -> dict[str, Any]:
    return {"id": "o", "type": "function", "function": {"name": "f", "arguments": json.dumps({"x": text})}}


def test_a_conversation_has_the_messages_of_any_provider():
    lake = Lake()
    messages = [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "a"},
                {"type": "input_text", "text": "b"},
                {"type": "image_url"},
                7,
            ],
        },
        {"role": "assistant", "content": None, "tool_calls": [_openai_call("1"), {"id": "broken"}]},
        {"role": "tool", "tool_call_id": "o", "content": "output"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm"},
                {"type": "tool_use", "id": "u", "name": "n", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "u",
                    "content": [{"type": "text", "text": "r"}],
                    "is_error": False,
                }
            ],
        },
        {"type": "function_call", "call_id": "k", "name": "g", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "k", "output": "done"},
        {"odd": 1},
    ]
    with open_store(lake.url, model=Conversation) as store:
        store.save(Conversation(id="c", title="T", messages=messages, usage={"total_tokens": 5}))
    lake.export()
    found = lake.tables()
    assert rows(found["sessions"], "title", "messages", "tool_calls", "total_tokens", "owner") == [
        ("T", 8, 3, 5, None)
    ]
    assert rows(found["messages"], "role", "text", "reasoning")[:5] == [
        ("user", "a\nb", None),
        ("assistant", None, None),
        ("tool", None, None),
        ("assistant", None, "hm"),
        ("user", None, None),
    ]
    assert [json.loads(row["json"]) for row in found["messages"]] == messages
    assert rows(found["tool_calls"], "call_id", "name", "arguments", "result", "is_error") == [
        ("o", "f", '{"x": "1"}', "output", None),
        ("u", "n", "{}", "r", False),
        ("k", "g", "{}", "done", None),
    ]


class Note(BaseModel):
    id: str
    messages: str = "not a list"
    count: int = 1


def test_a_model_of_the_users_own_is_in_the_table_of_sessions():
    lake = Lake()
    with open_store(lake.url, model=Note) as store:
        store.save(Note(id="n"))
    assert [result.problems for result in lake.export()] == [()]
    found = lake.tables()
    assert rows(found["sessions"], "session_id", "messages", "title") == [("n", None, None)]
    assert not found["messages"]


def test_a_corrupted_session_is_a_problem_and_is_tried_again():
    lake = Lake()
    for id in ("a", "b", "c"):
        lake.store.save_turn(rich_session(id), trace_events=[event("x")])
    bucket = lake.store.bucket
    good = {key: bucket.get(key, max_bytes=1 << 20).body for key in ("agents/b.json", "agents/traces/c.json")}
    bucket.put(
        "agents/b.json",
        b'{"id": "b", "config": {}, "state": 1, "messages": [], "context_usage": 0, "total_usage": 0}',
    )
    bucket.put("agents/traces/c.json", b"[1]")
    (result,) = lake.export(ranges=1)
    assert [id for id, _ in result.problems] == ["b", "c"]
    assert all(reason for _, reason in result.problems)
    assert result.sessions == 2
    assert rows(lake.tables()["sessions"], "session_id") == [("a",), ("c",)]
    assert rows(lake.tables()["trace_events"], "session_id") == [("a",)]
    (manifest,) = [body for key, body in lake.objects().items() if re.match(r"_manifest/[0-9a-f]", key)]
    assert [entry[0] for entry in json.loads(manifest)["sessions"]] == ["a"]
    (again,) = lake.export()
    assert (again.outcome, again.problems) == ("written", result.problems)
    for key, body in good.items():
        bucket.put(key, body)
    assert [(each.outcome, each.problems) for each in lake.export()] == [("written", ())]
    assert [each.outcome for each in lake.export()] == ["unchanged"]
    assert rows(lake.tables()["trace_events"], "session_id") == [("a",), ("b",), ("c",)]


def test_a_session_under_a_legacy_name_has_its_true_id_and_one_of_another_key_is_a_problem():
    lake = Lake()
    body = lake.store
    body.save(rich_session("a/b"))
    found = body.raw.get("a/b").body
    body.delete("a/b")
    body.bucket.put("agents/a_b.json", found)
    body.bucket.put("agents/other.json", found)
    (result,) = lake.export(ranges=1)
    assert [id for id, _ in result.problems] == ["other"]
    assert rows(lake.tables()["sessions"], "session_id") == [("a/b",)]


HOSTILE = [
    b'{"id": "h", "title": "\\ud800"}',
    b'{"id": "h", "messages": [{"role": "user", "content": "\\udfff"}]}',
    b'{"id": "h", "usage": {"total_tokens": -%d}}' % 10**30,
    b'{"id": "h", "messages": [{"role": 7, "content": %s}]}' % (b"[" * 150 + b"]" * 150),
    b'{"id": "h", "messages": [{"content": %s}]}' % (b"[" * 100_000 + b"]" * 100_000),
    b'{"id": "h", "messages": [{"content": [{"type": "tool_use", "input": NaN, "id": [], "name": {}}], "tool_calls": 1}]}',
    b'{"id": "h", "messages": null, "title": [], "usage": []}',
    b'{"id": ""}',
    b"[]",
    b"",
]


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_object_is_exported_or_a_problem_and_stops_no_other(body: bytes):
    lake = Lake()
    lake.store.save(rich_session("a"))
    lake.store.bucket.put("agents/h.json", body)
    (result,) = lake.export(ranges=1)
    ids = [row["session_id"] for row in lake.tables()["sessions"]]
    assert ids + [id for id, _ in result.problems] == ["a", "h"]


def test_an_encrypted_store_is_exported_with_its_keys_and_stays_unchanged():
    lake = Lake(encryption=Keyring({"k": b"x" * 32}, primary="k"))
    lake.store.save_turn(rich_session(text=CANARY), trace_events=[event("x")])
    assert [each.outcome for each in lake.export(ranges=1)] == ["written"]
    assert rows(lake.tables()["messages"], "text")[0] == (CANARY,)
    assert [each.outcome for each in lake.export()] == ["unchanged"]


def test_a_compressed_store_is_exported_and_stays_unchanged():
    pytest.importorskip("backports.zstd")
    lake = Lake()
    with open_store(lake.url, compression="zstd") as store:
        store.save_turn(rich_session(), trace_events=[event("x")])
    lake.export(ranges=1)
    assert len(lake.tables()["trace_events"]) == 1
    assert [each.outcome for each in lake.export()] == ["unchanged"]


def test_an_empty_store_has_every_table():
    lake = Lake()
    lake.export()
    parts = [key for key in lake.objects() if key.endswith(".parquet")]
    assert {key.partition("/")[0] for key in parts} == set(TABLES)
    assert not any(lake.tables().values())


def test_many_sessions_are_in_several_row_groups(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr("sessionbucket.export.ranges._GROUP_BYTES", 5000)
    lake = Lake(out=tmp_path.as_uri())
    for number in range(20):
        lake.store.save(rich_session(f"s{number:02}"))
    lake.export(ranges=1)
    (file,) = (tmp_path / "sessions").glob("*.parquet")
    assert parquet.ParquetFile(file).num_row_groups > 2
    assert len(lake.tables()["sessions"]) == 20


def test_the_schema_is_in_the_files_and_on_the_page(tmp_path: Path):
    lake = Lake(out=tmp_path.as_uri())
    lake.export()
    page = PAGE.read_text()
    for table, columns in TABLES.items():
        (file,) = (tmp_path / table).glob("*.parquet")
        schema = parquet.read_schema(file)
        assert schema.names == [column.name for column in columns]
        assert schema.metadata[b"sessionbucket.schema"] == str(SCHEMA_VERSION).encode()
        assert parquet.ParquetFile(file).metadata.num_columns >= len(columns)
        section = page.split(f"\n### `{table}`\n")[1].split("\n#")[0]
        for column in columns:
            kind = column.kind + (", text" if column.is_text else "")
            assert f"\n| `{column.name}` | {kind} | {column.meaning} |\n" in section, column
        assert section.count("\n| `") == len(columns)
