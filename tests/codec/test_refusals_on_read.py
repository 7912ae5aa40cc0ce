"""Reads that raise: the error has the path of the problem and no text of the session."""

import json
import math
import traceback
from pathlib import Path

import pytest
from pydantic import BaseModel, field_validator

from sessionbucket._codec import codec_of
from sessionbucket.errors import SessionCorruptedError, SessionTooLargeError
from sessionbucket.models import ArtifactStore, SessionData, Task, TraceEvent, VerificationReport

FIXTURES = Path(__file__).parent.parent / "fixtures" / "a3s"
BODY = (FIXTURES / "session_policies.json").read_bytes()
SECRET = "sk-very-secret"  # pragma: allowlist secret
ABSENT = object()
BLOCK = ("messages", 0, "content", 0)
RECORD = {
    "model": "m",
    "provider": "p",
    "prompt_tokens": 1,
    "completion_tokens": 1,
    "total_tokens": 2,
    "timestamp": "2023-11-14T22:14:10Z",
}


def changed(path, value) -> bytes:
    tree = json.loads(BODY)
    place = tree
    for step in path[:-1]:
        place = place[step]
    if value is ABSENT:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return json.dumps(tree).encode()


def refusal(body: bytes, type_=SessionData) -> str:
    with pytest.raises(SessionCorruptedError) as caught:
        codec_of(type_).decode(body, key="sessions/a.json")
    error = caught.value
    assert error.key == "sessions/a.json"
    assert error.__cause__ is None
    assert error.__context__ is None, "the context would contain the text"
    assert SECRET not in "".join(traceback.format_exception(error))
    return error.reason


REQUIRED = {
    (): "id config state messages context_usage total_usage tool_names thinking_enabled created_at updated_at",
    ("config",): "name workspace max_context_length auto_compact",
    ("config", "confirmation_policy"): "enabled default_timeout_ms timeout_action yolo_lanes",
    ("context_usage",): "used_tokens max_tokens percent turns",
    ("total_usage",): "prompt_tokens completion_tokens total_tokens",
    ("messages", 0): "role content",
    BLOCK: "type text",
}


@pytest.mark.parametrize(
    ("place", "name"), [(place, name) for place, names in REQUIRED.items() for name in names.split()]
)
def test_a_missing_required_member_is_refused(place, name):
    reason = refusal(changed((*place, name), ABSENT))
    assert reason.endswith(f"missing member {name!r}")
    assert reason.startswith("missing" if not place else str(place[0]))


@pytest.mark.parametrize(
    "name",
    ["total_cost", "model_name", "cost_records", "thinking_budget", "llm_config", "tasks", "parent_id"],
)
def test_an_optional_member_may_be_missing(name):
    tree = json.loads(BODY)
    tree.pop(name, None)
    fresh = SessionData(id="x")
    session = codec_of(SessionData).decode(json.dumps(tree).encode(), key="k")
    assert getattr(session, name) == getattr(fresh, name)


WRONG = [
    (("id",), None, "id: input should be a valid string"),
    (("tasks",), None, "tasks: input should be a valid array"),
    (("total_cost",), None, "total_cost: input should be a valid number"),
    (("thinking_enabled",), None, "thinking_enabled: input should be a valid boolean"),
    (("thinking_enabled",), 1, "thinking_enabled: input should be a valid boolean"),
    (("config", "planning_mode"), None, "config.planning_mode: "),
    (("config", "storage_type"), "File", "config.storage_type: "),
    (("state",), "active", "state: input should be 'Unknown', 'Active'"),
    (("state",), 1, "state: "),
    (("created_at",), 1.0, "created_at: input should be a valid integer"),
    (("created_at",), "1", "created_at: input should be a valid integer"),
    (("created_at",), 2**63, "created_at: input should be less than or equal to 9223372036854775807"),
    (("context_usage", "turns"), -1, "context_usage.turns: input should be greater than or equal to 0"),
    (("context_usage", "turns"), 2**64, "context_usage.turns: input should be less than"),
    (("config", "max_context_length"), 2**32, "config.max_context_length: input should be less than"),
    (("total_cost",), 10**400, "total_cost: number out of range"),
    (("context_usage", "percent"), 10**400, "context_usage.percent: number out of range"),
    (("todos",), [], "'todos' and 'tasks' are two names of one member"),
    (("messages", 0, "content"), SECRET, "messages[0].content: input should be a valid array"),
    ((*BLOCK, "type"), "thinking", "messages[0].content[0]: unknown block type 'thinking'"),
    ((*BLOCK, "type"), SECRET + " as text", "messages[0].content[0]: unknown block type"),
    ((*BLOCK, "text"), {SECRET: SECRET}, "messages[0].content[0].text: input should be a valid string"),
    (BLOCK, {"type": "tool_use", "id": "1", "name": "n"}, "messages[0].content[0]: missing member 'input'"),
    (
        BLOCK,
        {"type": "image", "source": {"media_type": "", "data": ""}},
        "messages[0].content[0].source: missing member 'type'",
    ),
    (BLOCK, {"type": "tool_result", "tool_use_id": "1"}, "messages[0].content[0]: missing member 'content'"),
    (
        BLOCK,
        {"type": "tool_result", "tool_use_id": "1", "content": 5},
        "messages[0].content[0].content: input should be a valid string, or input should be a valid array",
    ),
    (
        BLOCK,
        {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "tool_use"}]},
        "messages[0].content[0].content[0]: unknown block type 'tool_use'",
    ),
    (("config", "permission_policy", "allow"), None, "config.permission_policy.allow: "),
    (
        ("config", "permission_policy", "allow", 0),
        {},
        "config.permission_policy.allow[0]: missing member 'rule'",
    ),
    (("config", "queue_config", "queryMaxConcurrency"), -1, "config.queue_config.queryMaxConcurrency: "),
    (("config", "queue_config", "laneTimeouts"), {"query": 1}, "config.queue_config.laneTimeouts.query: "),
    (
        ("cost_records",),
        [{**RECORD, "timestamp": "2023-11-14T22:14:10"}],
        "cost_records[0].timestamp: not an",
    ),
    (("cost_records",), [{**RECORD, "timestamp": 5}], "cost_records[0].timestamp: "),
    (("cost_records",), [{**RECORD, "timestamp": "2023-02-30T00:00:00Z"}], "cost_records[0].timestamp: "),
    (("tasks",), [{"id": "1", "content": "c"}], "tasks[0]: missing member 'status'"),
    (("tasks",), [{"id": "1", "content": "c", "status": "done"}], "tasks[0].status: "),
]


@pytest.mark.parametrize(("path", "value", "reason"), WRONG)
def test_a_wrong_value_is_refused_with_its_path(path, value, reason):
    assert refusal(changed(path, value)).startswith(reason)


TEXTS = [
    (b"", "empty"),
    (b" \n", "empty"),
    (BODY[:-9], "not JSON"),
    (BODY + b"x", "not JSON: Extra data"),
    (BODY + BODY, "not JSON: Extra data"),
    (b"\xef\xbb\xbf" + BODY, "not JSON: it starts with a byte order mark"),
    (BODY.decode().encode("utf-16"), "not UTF-8"),
    (b"null", "input should be an object"),
    (b"[]", "input should be an object"),
    (BODY.replace(b"Hello", b"He\x01llo"), "not JSON: Invalid control character at line 56"),
    (BODY.replace(b"Hello", b"He\xffllo"), "not UTF-8: byte "),
    (BODY.replace(b"Hello", b"\\ud800"), "not JSON: "),
    (BODY.replace(b"Hello", b"\\ude00"), "not JSON: "),
    (b"[" * 100_000, "nested more than 127 levels deep"),
    (b'{"x": ' + b"[" * 127 + b"]" * 127 + b"}", "nested more than 127 levels deep"),
    (b'{"x": ' + b"1" * 5000 + b"}", "number out of range"),
]


@pytest.mark.parametrize(("body", "reason"), TEXTS, ids=range(len(TEXTS)))
def test_text_that_is_no_json_is_refused(body, reason):
    assert refusal(body).startswith(reason)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"])
@pytest.mark.parametrize("place", ["total_cost", "unknown"])
@pytest.mark.parametrize("indent", [None, 2], ids=["on one line", "indented"])
def test_a_number_that_json_does_not_have_is_refused_at_any_place(number, place, indent):
    tree = json.loads(BODY) | {place: [0.5, "@"] if place == "unknown" else "@"}
    path = "unknown[1]" if place == "unknown" else "total_cost"
    body = json.dumps(tree, indent=indent).replace('"@"', number).encode()
    assert refusal(body).startswith(f"{path}: NaN, an infinity")


def test_whitespace_after_the_document_is_accepted():
    assert codec_of(SessionData).decode(BODY + b" \n\n", key="k").id == "test-session-1"


REPEATED = {
    b'"id"': "repeated member 'id'",
    b'"role"': "messages[0]: repeated member 'role'",
    b'"type"': "messages[0].content[0]: repeated member 'type'",
    b'"text"': "messages[0].content[0]: repeated member 'text'",
    b'"rule"': "config.permission_policy.allow[0]: repeated member 'rule'",
    b'"enableDlq"': "config.queue_config: repeated member 'enableDlq'",
}


@pytest.mark.parametrize("name", REPEATED)
def test_a_repeated_member_is_refused(name):
    line = next(line for line in BODY.splitlines() if line.strip().startswith(name)).rstrip(b",")
    assert refusal(BODY.replace(line, line + b",\n" + line, 1)) == REPEATED[name]


def test_a_repeated_member_in_a_part_is_refused():
    traces = (FIXTURES / "traces.json").read_bytes()
    assert refusal(traces.replace(b'"name"', b'"name": "a", "name"'), list[TraceEvent]) == (
        "[0]: repeated member 'name'"
    )
    reports = (FIXTURES / "verification.json").read_bytes()
    assert refusal(reports.replace(b'"kind"', b'"kind": "a", "kind"'), list[VerificationReport]) == (
        "[0].checks[0]: repeated member 'kind'"
    )
    artifacts = (FIXTURES / "artifacts.json").read_bytes()
    assert refusal(artifacts.replace(b'"content"', b'"content": "a", "content"'), ArtifactStore) == (
        "artifacts[0]: repeated member 'content'"
    )


def test_in_free_form_json_the_last_repeated_member_counts():
    tree = json.loads(BODY)
    tree["messages"][0]["content"] = [{"type": "tool_use", "id": "1", "name": "n", "input": "@"}]
    body = json.dumps(tree).replace('"@"', '{"id": 1, "id": 2}').encode()
    body = body[:-1] + b', "later": 1, "later": {"a": 1, "a": 2}}'
    session = codec_of(SessionData).decode(body, key="k")
    assert session.messages[0].content[0].input == {"id": 2}
    assert session.later == {"a": 2}


@pytest.mark.parametrize("levels", [127, 128, 150])
def test_more_than_127_levels_are_refused_in_an_indented_text(levels):
    deep = json.loads("[" * levels + "]" * levels)
    body = json.dumps(json.loads(BODY) | {"deep": deep}, indent=2).encode()
    assert refusal(body) == "nested more than 127 levels deep"


def test_127_levels_are_read():
    body = BODY[:-2] + b', "deep": ' + b"[" * 126 + b"]" * 126 + b"}"
    assert codec_of(SessionData).decode(body, key="k").id == "test-session-1"


def test_a_body_over_the_limit_is_not_parsed():
    with pytest.raises(SessionTooLargeError) as caught:
        codec_of(SessionData, max_bytes=10).decode(b"not JSON at all", key="k")
    assert (caught.value.size, caught.value.limit) == (15, 10)


def test_a_subclass_is_read_as_strictly():
    class Mine(SessionData):
        colour: str = "red"

    assert refusal(changed(("state",), ABSENT), Mine) == "missing member 'state'"
    assert refusal(changed(("thinking_enabled",), "true"), Mine).startswith("thinking_enabled: ")
    assert codec_of(Mine).decode(changed(("colour",), "blue"), key="k").colour == "blue"


def test_the_message_of_a_users_validator_is_not_repeated():
    class Mine(BaseModel):
        id: str

        @field_validator("id")
        @classmethod
        def refuse(cls, value: str) -> str:
            raise ValueError(value)

    assert refusal(json.dumps({"id": SECRET}).encode(), Mine) == "id: refused by a validator of the model"


def test_an_infinite_32_bit_float_is_read_as_the_reference_does():
    session = codec_of(SessionData).decode(changed(("context_usage", "percent"), 1e300), key="k")
    assert session.context_usage.percent == math.inf


def test_the_older_name_of_a_tasks_content_is_read_and_not_written():
    codec = codec_of(list[Task])
    tasks = codec.decode(b'[{"id": "1", "description": "Ship", "status": "pending"}]', key="k")
    assert json.loads(codec.encode(tasks, key="k")) == [
        {"id": "1", "content": "Ship", "status": "pending", "priority": "medium"}
    ]


def test_a_task_with_a_content_keeps_its_description():
    """a3s-code 2.0.1 ignores that member."""
    codec = codec_of(list[Task])
    body = b'[{"id": "1", "content": "Ship", "description": "in a box", "status": "pending"}]'
    written = codec.encode(codec.decode(body, key="k"), key="k")
    members = {"id": "1", "content": "Ship", "status": "pending", "priority": "medium"}
    assert json.loads(written) == [{**members, "description": "in a box"}]
    assert codec.encode(codec.decode(written, key="k"), key="k") == written
