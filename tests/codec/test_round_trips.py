"""A save and a load keep everything, with the members of later versions, except API keys."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, computed_field

from sessionbucket._codec import codec_of
from sessionbucket.errors import SessionCorruptedError
from sessionbucket.models import (
    LlmConfigData,
    Message,
    PermissionRule,
    SessionConfig,
    SessionData,
    SessionQueueConfig,
    ToolArtifact,
    TraceEvent,
)

GOLDEN = Path(__file__).parent.parent / "fixtures" / "a3s"
SECRET = "sk-very-secret"  # pragma: allowlist secret


def read(body: bytes, type_=SessionData):
    return codec_of(type_).decode(body, key="k")


def write(value, type_=SessionData) -> bytes:
    return codec_of(type_).encode(value, key="k")


def with_unknown_members(tree):
    """The same document with a member of a later version at the end of every object."""
    if isinstance(tree, dict):
        return {name: with_unknown_members(value) for name, value in tree.items()} | {
            "later": {"b": [1, 2.5, None], "a": {}}
        }
    return [with_unknown_members(item) for item in tree] if isinstance(tree, list) else tree


def test_unknown_members_survive_at_any_depth_and_stand_last():
    tree = json.loads((GOLDEN / "session_policies.json").read_bytes())
    for lanes in ("laneHandlers", "laneTimeouts"):
        del tree["config"]["queue_config"][lanes]
    tree = with_unknown_members(tree)
    queue = tree["config"]["queue_config"]
    tree["config"]["queue_config"] = {name: value for name, value in queue.items() if name != "later"} | {
        "laneHandlers": {},
        "laneTimeouts": {},
        "later": queue["later"],
    }
    body = write(read(json.dumps(tree).encode()))
    assert json.loads(body) == tree
    assert write(read(body)) == body
    assert list(json.loads(body)["messages"][0]) == ["role", "content", "later"]


def test_members_of_a_later_version_survive():
    later = {"tenant_id": "t", "principal": "p", "agent_template_id": "a", "correlation_id": "c"}
    tree = json.loads((GOLDEN / "session_min.json").read_bytes()) | later
    tree["config"] |= {"max_parallel_tasks": 3, "auto_delegation": {"enabled": True}}
    tree["messages"][0]["content"] = [
        {
            "type": "tool_result",
            "tool_use_id": "1",
            "content": "x",
            "is_error": None,
            "trust": "untrusted",
            "redaction_reviewed": True,
        }
    ]
    assert json.loads(write(read(json.dumps(tree).encode()))) == tree


def test_a_hook_engine_is_an_unknown_member_like_any_other():
    tree = json.loads((GOLDEN / "session_min.json").read_bytes())
    tree["config"]["hook_engine"] = {"a": 1}
    assert json.loads(write(read(json.dumps(tree).encode()))) == tree


def test_a_read_accepts_members_in_any_order():
    tree = json.loads((GOLDEN / "session_min.json").read_bytes())
    tree["messages"][0]["content"][0] = {"text": "Hello", "type": "text"}
    backwards = json.dumps(dict(reversed(tree.items()))).encode()
    assert write(read(backwards)) == (GOLDEN / "session_min.json").read_bytes()


def test_todos_are_read_as_tasks():
    tree = json.loads((GOLDEN / "session_min.json").read_bytes())
    tree["todos"] = [{"id": "2", "content": "Ship", "status": "pending", "priority": "medium"}]
    del tree["tasks"]
    session = read(json.dumps(tree).encode())
    assert session.tasks[0].content == "Ship"
    assert b"todos" not in write(session)


def test_an_api_key_is_read_and_never_written_or_printed():
    session = SessionData(id="x", llm_config=LlmConfigData(provider="p", model="m", api_key=SECRET))
    body = write(session)
    assert json.loads(body)["llm_config"] == {"provider": "p", "model": "m", "base_url": None}
    tree = json.loads(body)
    tree["llm_config"]["api_key"] = SECRET
    loaded = read(json.dumps(tree).encode())
    assert loaded.llm_config.api_key.get_secret_value() == SECRET
    for shown in (
        repr(loaded),
        str(loaded),
        str(loaded.model_dump()),
        write(loaded),
        loaded.model_dump_json(),
    ):
        assert SECRET not in str(shown)
        assert "api_key" not in str(shown)
    tree["llm_config"]["api_key"] = [SECRET]
    with pytest.raises(SessionCorruptedError) as caught:
        read(json.dumps(tree).encode())
    assert SECRET not in str(caught.value)
    with pytest.raises(ValidationError) as refused:
        LlmConfigData(provider="p", model="m", api_key=[SECRET])
    assert SECRET not in str(refused.value)


def test_text_that_looks_like_json_stays_text():
    session = SessionData(id="x", messages=[Message.tool_result("1", '[{"type": "text", "text": "x"}]')])
    loaded = read(write(session))
    assert loaded == session
    assert isinstance(loaded.messages[0].content[0].content, str)


def test_text_of_any_script_and_every_control_character_survives():
    text = "".join(map(chr, range(0x20))) + '\x7f\u2028/\\"é漢😀\ufeff'
    session = SessionData(id="x", messages=[Message.user(text)])
    body = write(session)
    assert read(body) == session
    assert r"\u0000\u0001" in body.decode()
    assert r"\b\t\n\u000b\f\r" in body.decode()
    assert '\x7f\u2028/\\\\\\"é漢😀' in body.decode()


@pytest.mark.parametrize("form", ['"Bash(cargo:*)"', '{"rule": "Bash(cargo:*)"}'])
def test_a_rule_is_read_as_a_string_or_an_object_and_written_as_an_object(form):
    rule = read(form.encode(), PermissionRule)
    assert (rule.tool_name, rule.argument_pattern) == ("Bash", "cargo:*")
    assert json.loads(write(rule, PermissionRule)) == {"rule": "Bash(cargo:*)"}


def test_a_missing_member_of_a_queue_has_the_default_of_the_format():
    read_queue = read(b"{}", SessionQueueConfig)
    concurrency = [
        read_queue.control_max_concurrency,
        read_queue.query_max_concurrency,
        read_queue.execute_max_concurrency,
        read_queue.generate_max_concurrency,
    ]
    assert concurrency == [4, 12, 4, 2]
    assert json.loads(write(read_queue, SessionQueueConfig))["queryMaxConcurrency"] == 12


def test_snake_case_in_a_queue_is_an_unknown_member():
    queue = read(b'{"query_max_concurrency": 99}', SessionQueueConfig)
    assert queue.query_max_concurrency == 12
    tree = json.loads(write(queue, SessionQueueConfig))
    assert (tree["queryMaxConcurrency"], tree["query_max_concurrency"]) == (12, 99)


def test_an_artifact_survives_as_utf_8():
    artifact = ToolArtifact(
        artifact_id="a", artifact_uri="u", tool_name="t", content="é", original_bytes=2, shown_bytes=0
    )
    assert read(write(artifact, ToolArtifact), ToolArtifact) == artifact
    assert "é".encode() in write(artifact, ToolArtifact)


def test_fields_of_a_subclass_are_kept():
    class Mine(SessionData):
        colour: str = "red"

    body = write(Mine(id="x", colour="blue"), Mine)
    assert read(body, Mine).colour == "blue"
    assert write(Mine(id="x", colour="blue", created_at=1)) == write(
        Mine(id="x", colour="blue", created_at=1), Mine
    )
    assert read(body).model_extra == {"colour": "blue"}


def test_fields_of_subclasses_of_nested_models_are_kept():
    class MyConfig(SessionConfig):
        colour: str = "red"

    class MyMessage(Message):
        mood: str = "good"

    message = MyMessage.user("hello")
    body = write(SessionData(id="x", config=MyConfig(colour="blue"), messages=[message]))
    loaded = read(body)
    assert loaded.config.colour == "blue"
    assert loaded.messages[0].mood == "good"

    class Mine(SessionData):
        config: MyConfig

    assert type(read(body, Mine).config) is MyConfig


def test_a_users_own_model_is_used_unchanged():
    class Turn(BaseModel):
        at: datetime

    class Mine(BaseModel):
        model_config = ConfigDict(extra="forbid", populate_by_name=True)
        id: str
        turn_list: list[Turn] = Field(default_factory=list, alias="turns")

        @computed_field
        @property
        def count(self) -> int:
            return len(self.turn_list)

    mine = Mine(id="x", turns=[Turn(at=datetime(2024, 1, 2, tzinfo=UTC))])
    body = write(mine, Mine)
    assert body == b'{\n  "id": "x",\n  "turns": [\n    {\n      "at": "2024-01-02T00:00:00Z"\n    }\n  ]\n}'
    assert read(body, Mine) == mine
    with pytest.raises(SessionCorruptedError, match="other: extra inputs are not permitted"):
        read(b'{"id": "x", "other": 1}', Mine)
    lax = read(b'{"id": "x", "turn_list": [{"at": 0}]}', Mine)
    assert lax.turn_list[0].at.year == 1970


def test_both_spellings_in_a_queue_keep_their_own_values():
    body = b'{"controlMaxConcurrency": 2, "control_max_concurrency": 99}'
    tree = json.loads(write(read(body, SessionQueueConfig), SessionQueueConfig))
    assert (tree["controlMaxConcurrency"], tree["control_max_concurrency"]) == (2, 99)


def test_an_unknown_member_does_not_replace_a_required_one():
    event = json.loads((GOLDEN / "traces.json").read_bytes())[0]
    event["schema_id"] = event["schema"]
    assert json.loads(write(read(json.dumps(event).encode(), TraceEvent), TraceEvent)) == event
    del event["schema"]
    with pytest.raises(SessionCorruptedError, match="missing member 'schema'"):
        read(json.dumps(event).encode(), TraceEvent)


def test_members_of_later_releases_stay_in_their_place():
    text = (GOLDEN / "session_policies.json").read_text()
    policy_end = text.index('      "enabled": true\n    },\n    "planning_mode"') + len(
        '      "enabled": true\n    },\n'
    )
    config = (
        '    "enforce_active_skill_tool_restrictions": true,\n    "max_parallel_tasks": 3,\n'
        '    "auto_delegation": {\n      "enabled": true\n    },\n    "parent_id": "p",\n'
    )
    text = text[:policy_end] + config + text[policy_end:]
    text = text.replace(
        '"goal_tracking": false',
        '"goal_tracking": false,\n    "tool_result_transform_policy": {\n      "a": 1\n    }',
    )
    session = (
        ',\n  "parent_id": "p",\n  "tenant_id": "t",\n  "principal": "u",\n  "agent_template_id": "a",\n'
        '  "correlation_id": "c",\n  "cognitive_package_binding": {\n    "digest": "d"\n  }\n}'
    )
    text = text.removesuffix("\n}") + session
    assert write(read(text.encode())).decode() == text
    found = read(text.encode())
    assert (found.tenant_id, found.principal, found.correlation_id) == ("t", "u", "c")
    assert (found.config.max_parallel_tasks, found.config.auto_delegation) == (3, {"enabled": True})
