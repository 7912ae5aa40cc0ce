"""Sessions and their parts, constructed in Python."""

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from sessionbucket.models import (
    DEFAULT_AUTO_COMPACT_THRESHOLD,
    ConfirmationPolicy,
    ContextUsage,
    ImageBlock,
    LlmConfigData,
    LlmCostRecord,
    Message,
    PermissionPolicy,
    PermissionRule,
    PlanningMode,
    SecurityConfig,
    SessionConfig,
    SessionData,
    SessionQueueConfig,
    SessionState,
    StorageBackend,
    Task,
    ToolDefinition,
)


def record(timestamp) -> LlmCostRecord:
    return LlmCostRecord(
        model="m",
        provider="p",
        prompt_tokens=1,
        completion_tokens=1,
        total_tokens=2,
        timestamp=timestamp,
    )


def test_a_session_needs_only_an_id():
    before = int(time.time())
    session = SessionData(id="x")
    assert before <= session.created_at <= int(time.time())
    assert session.updated_at == session.created_at
    assert session.state is SessionState.UNKNOWN
    assert session.config == SessionConfig()
    assert (session.config.storage_type, session.config.planning_mode) == (
        StorageBackend.FILE,
        PlanningMode.AUTO,
    )
    assert session.config.auto_compact_threshold == 0.8
    assert session.context_usage == ContextUsage(used_tokens=0, max_tokens=200_000, percent=0.0, turns=0)
    assert SessionData(id="x", created_at=5).updated_at == 5


def test_two_sessions_share_nothing():
    first, second = SessionData(id="a"), SessionData(id="b")
    first.messages.append(Message.user("hello"))
    first.config.name = "first"
    assert second.messages == []
    assert not second.config.name


def test_equality_is_field_by_field():
    first, second = SessionData(id="a", created_at=1), SessionData(id="a", created_at=1)
    assert first == second
    second.messages.append(Message.user("hello"))
    assert first != second


def test_strings_become_enums_and_assignments_are_validated():
    session = SessionData(id="x", state="Active")
    assert session.state is SessionState.ACTIVE
    session.state = "Paused"
    assert session.state is SessionState.PAUSED
    with pytest.raises(ValidationError):
        session.state = "paused"
    with pytest.raises(ValidationError):
        session.thinking_budget = -1


def test_validation_errors_do_not_contain_the_value():
    with pytest.raises(ValidationError) as caught:
        SessionData(id="x", messages=[{"role": "user", "content": ["sk-very-secret"]}])
    assert "sk-very-secret" not in str(caught.value)


def test_a_user_message_has_its_images_first_and_its_text_last():
    image = ImageBlock.from_bytes(b"\x89PNG\r\n\x1a\n", "image/png")
    message = Message.user("look", images=[image])
    assert [block.type for block in message.content] == ["image", "text"]
    assert image.source.data == "iVBORw0KGgo="
    assert image.source.type == "base64"
    assert message.text == "look"
    assert message.reasoning_content is None


def test_a_string_is_the_content_of_a_message_in_python_only():
    message = Message(role="user", content="hi")
    assert message == Message.user("hi")
    message.content = "ho"
    assert message == Message.user("ho")
    assert Message.model_validate({"role": "user", "content": "hi"}) == Message.user("hi")
    with pytest.raises(ValidationError):
        Message.model_validate_json('{"role": "user", "content": "hi"}')


def test_a_tool_use_is_a_message_of_the_assistant():
    message = Message.tool_use("toolu_1", "bash", {"command": "ls"})
    assert message.model_dump(mode="json") == {
        "role": "assistant",
        "content": [{"type": "tool_use", "id": "toolu_1", "name": "bash", "input": {"command": "ls"}}],
    }
    assert Message.tool_use("toolu_1", "bash", None, "Let me see.").text == "Let me see."


def test_touch_moves_the_time_of_the_last_update_and_never_back():
    session = SessionData(id="x", created_at=5)
    before = int(time.time())
    session.touch()
    assert (session.created_at, session.updated_at >= before) == (5, True)
    later = session.updated_at = 2**40
    session.touch()
    assert session.updated_at == later


def test_the_default_threshold_has_a_name():
    assert SessionConfig().auto_compact_threshold == DEFAULT_AUTO_COMPACT_THRESHOLD == 0.8


def test_a_tool_result_has_an_error_flag():
    message = Message.tool_result("toolu_1", "ok")
    assert message.role == "user"
    assert message.content[0].is_error is False
    assert Message.tool_result("toolu_1", "no", is_error=True).content[0].is_error is True
    assert message.text == ""


def test_a_task_with_an_id_and_a_content_is_pending():
    task = Task(id="1", content="Ship")
    assert (task.status, task.priority, task.dependencies) == ("pending", "medium", [])
    assert Task(id="1", description="Ship") == task
    both = Task(id="1", content="Ship", description="in a box")
    assert (both.content, both.description) == ("Ship", "in a box")


def test_a_new_queue_has_the_small_limits_and_accepts_either_spelling():
    queue = SessionQueueConfig()
    assert (queue.control_max_concurrency, queue.query_max_concurrency) == (2, 4)
    assert (queue.execute_max_concurrency, queue.generate_max_concurrency) == (2, 1)
    assert type(queue.query_max_concurrency) is int
    assert SessionQueueConfig(dlq_max_size=3) == SessionQueueConfig(dlqMaxSize=3)


def test_an_enabled_confirmation_policy_has_the_defaults_of_the_reference():
    policy = ConfirmationPolicy.enabled_policy()
    assert policy.enabled is True
    assert policy.model_dump() == {
        "enabled": True,
        "default_timeout_ms": 30_000,
        "timeout_action": "Reject",
        "yolo_lanes": [],
    }
    assert ConfirmationPolicy().enabled is False
    policy.enabled = False
    assert policy == ConfirmationPolicy()


def test_lanes_without_confirmation_are_listed_once():
    assert ConfirmationPolicy(yolo_lanes=["Query", "Control", "Query"]).yolo_lanes == ["Query", "Control"]


def test_a_policy_is_constructed_from_rules_and_its_lists_can_be_changed():
    policy = PermissionPolicy().allow_all("Bash(cargo:*)", "Read")
    assert [rule.rule for rule in policy.allow] == ["Bash(cargo:*)", "Read"]
    policy.deny = ["Bash(rm:*)"]
    policy.allow.append(PermissionRule(rule="Grep"))
    assert policy.deny == PermissionPolicy().deny_all("Bash(rm:*)").deny
    assert len(policy.allow) == 3
    assert (policy.default_decision, policy.enabled) == ("ask", True)


def test_the_methods_of_a_policy_add_rules_to_a_copy():
    base = PermissionPolicy(default_decision="deny").deny_all("Bash(rm:*)")
    policy = base.allow_all("Read").deny_all("Bash(dd:*)", "Write").ask_all("Edit").allow_all("Grep")
    lists = (policy.deny, policy.allow, policy.ask)
    assert [[rule.rule for rule in rules] for rules in lists] == [
        ["Bash(rm:*)", "Bash(dd:*)", "Write"],
        ["Read", "Grep"],
        ["Edit"],
    ]
    assert policy.default_decision == "deny"
    policy.deny[0].rule = "other"
    assert base == PermissionPolicy(deny=["Bash(rm:*)"], default_decision="deny")


@pytest.mark.parametrize(
    ("rule", "name", "pattern"),
    [
        ("Bash(cargo:*)", "Bash", "cargo:*"),
        ("Bash", "Bash", None),
        ("Bash()", "Bash", ""),
        ("Bash(a(b))", "Bash", "a(b)"),
        ("Bash(a", "Bash(a", None),
        ("Bash)", "Bash)", None),
    ],
)
def test_a_rule_has_a_name_and_a_pattern(rule, name, pattern):
    parsed = PermissionRule(rule=rule)
    assert (parsed.tool_name, parsed.argument_pattern) == (name, pattern)


def test_a_security_config_enables_every_guard():
    config = SecurityConfig(classification_rules=[])
    assert all(config.features.model_dump().values())
    assert config.redaction_strategy == "Remove"


def test_an_api_key_is_in_no_repr_and_no_dump():
    config = LlmConfigData(provider="p", model="m", api_key="sk-very-secret")
    assert config.api_key.get_secret_value() == "sk-very-secret"
    for shown in (repr(config), str(config.model_dump()), repr(SessionData(id="x", llm_config=config))):
        assert "api_key" not in shown
        assert "sk-very-secret" not in shown


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("2023-11-14T22:14:10.123456789Z", "2023-11-14T22:14:10.123456789Z"),
        ("2023-11-14T22:14:10Z", "2023-11-14T22:14:10Z"),
        ("2023-11-14T22:14:10.000Z", "2023-11-14T22:14:10Z"),
        ("2023-11-14T22:14:10.1Z", "2023-11-14T22:14:10.100Z"),
        ("2023-11-14T22:14:10.1234Z", "2023-11-14T22:14:10.123400Z"),
        ("2023-11-14 22:14:10.1234567z", "2023-11-14T22:14:10.123456700Z"),
        ("2023-11-15T01:44:10+03:30", "2023-11-14T22:14:10Z"),
        ("2016-12-31T18:59:60-05:00", "2016-12-31T23:59:60Z"),
        (datetime(2023, 11, 14, 22, 14, 10, 500, UTC), "2023-11-14T22:14:10.000500Z"),
        (datetime(2023, 11, 15, tzinfo=timezone(timedelta(hours=1))), "2023-11-14T23:00:00Z"),
    ],
)
def test_a_timestamp_has_one_text(given, text):
    assert record(given).timestamp == text
    assert record(text).timestamp == text


def test_a_timestamp_is_a_datetime_too():
    moment = record("2023-11-14T22:14:10.123456789Z").timestamp_utc
    assert moment == datetime(2023, 11, 14, 22, 14, 10, 123456, UTC)
    assert record("2016-12-31T23:59:60Z").timestamp_utc.second == 59
    assert record("2023-11-14T22:14:10.5Z").timestamp_utc.microsecond == 500_000


@pytest.mark.parametrize(
    "given",
    [
        "2023-11-14T22:14:10",
        "2023-11-14",
        "2023-13-14T22:14:10Z",
        "2023-11-14T22:14:61Z",
        "2023-11-14T22:14:10+24:00",
        "0001-01-01T00:00:00+01:00",
        1_700_000_000,
        datetime(2023, 11, 14),  # noqa: DTZ001
    ],
)
def test_an_ambiguous_timestamp_is_refused(given):
    with pytest.raises(ValidationError):
        record(given)


def test_tool_names_come_in_definition_order():
    tools = [ToolDefinition(name=name, description="", parameters={}) for name in ("read", "bash")]
    assert SessionData.tool_names_from_definitions(tools) == ["read", "bash"]
