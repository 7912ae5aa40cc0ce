"""Writes that raise: the error has the path of the problem and no value of the session."""

import math
import re

import pytest
from pydantic import BaseModel, ConfigDict

from sessionbucket._codec import codec_of
from sessionbucket.errors import InvalidArgumentError, SessionTooLargeError
from sessionbucket.models import LlmCostRecord, Message, SessionData, ToolUseBlock, TraceEvent

SECRET = "sk-very-secret"  # pragma: allowlist secret


def refusal(value, type_=SessionData) -> str:
    with pytest.raises(InvalidArgumentError) as caught:
        codec_of(type_).encode(value, key="sessions/a.json")
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None
    assert SECRET not in str(error)
    match = re.fullmatch(r"'sessions/a\.json' cannot be written: (.*); nothing was written", str(error))
    assert match
    return match[1]


def session_with_input(value) -> SessionData:
    block = ToolUseBlock(id="1", name="n", input=value)
    return SessionData(id="x", messages=[Message.user("NaN"), Message(role="assistant", content=[block])])


def nested(levels: int) -> list:
    outermost = innermost = []
    for _ in range(levels - 1):
        innermost.append([])
        innermost = innermost[0]
    return outermost


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_does_not_have_is_refused_with_its_path(number):
    words = "JSON has no NaN and no infinities"
    assert refusal(session_with_input({"score": number})) == f"messages[1].content[0].input.score: {words}"
    assert refusal(session_with_input([0.5, {"a": [number]}])) == (
        f"messages[1].content[0].input[1].a[0]: {words}"
    )
    assert refusal(SessionData(id="x", total_cost=number)) == f"total_cost: {words}"
    assert refusal(SessionData(id="x", later={"a": number})) == f"later.a: {words}"
    session = SessionData(id="x")
    session.context_usage.percent = number
    assert refusal(session) == f"context_usage.percent: {words}"
    record = LlmCostRecord(
        model="m",
        provider="p",
        prompt_tokens=1,
        completion_tokens=1,
        total_tokens=2,
        cost_usd=number,
        timestamp="2023-11-14T22:14:10Z",
    )
    assert refusal(SessionData(id="x", cost_records=[record])) == f"cost_records[0].cost_usd: {words}"
    event = TraceEvent.tool_execution("n", success=True, exit_code=0, duration=0, output_bytes=0)
    event.details = {"a": number}
    assert refusal([event], list[TraceEvent]) == f"[0].details.a: {words}"


def test_a_text_with_the_name_of_such_a_number_is_saved():
    codec = codec_of(SessionData)
    session = session_with_input({"NaN": "Infinity -Infinity NaN"})
    assert codec.decode(codec.encode(session, key="k"), key="k") == session


@pytest.mark.parametrize("text", ["a\ud800", "\ude00"])
def test_a_lone_surrogate_is_refused_with_its_path(text):
    words = "a lone surrogate has no UTF-8"
    assert refusal(SessionData(id="x", messages=[Message.user(text)])) == (
        f"messages[0].content[0].text: {words}"
    )
    assert refusal(session_with_input({"a": [text]})) == f"messages[1].content[0].input.a[0]: {words}"
    assert refusal(session_with_input({text: 1})).endswith(words)


def test_a_value_of_a_wrong_type_that_passed_no_validation_is_refused():
    session = SessionData(id="x", tool_names=["bash"])
    session.tool_names.append({SECRET: SECRET})
    assert refusal(session) == "tool_names[1]: input should be a valid string"
    session = SessionData(id="x")
    session.messages.append({"role": "user", "content": [{"type": "text", "text": SECRET}]})
    assert refusal(session) == "'messages' holds a value of the wrong type"
    assert "valid dictionary or instance" in refusal(SECRET)
    assert refusal({"id": SECRET})


def test_a_value_without_a_json_form_is_refused_with_its_path():
    assert refusal(session_with_input({"a": object()})) == (
        "messages[1].content[0].input.a: a value JSON cannot hold"
    )
    assert refusal(SessionData(id="x", later=10**5000)) == "later: an integer of more than 4300 digits"
    loop = []
    loop.append(loop)
    assert "circular" in refusal(session_with_input(loop))


def test_127_levels_are_written_and_read_and_128_are_refused():
    codec = codec_of(SessionData)
    deepest = SessionData(id="x", later=nested(126))
    assert codec.decode(codec.encode(deepest, key="k"), key="k") == deepest
    for levels in (127, 128, 200, 1000):
        assert "deep" in refusal(SessionData(id="x", later=nested(levels)))


def test_a_session_over_the_limit_is_refused():
    session = SessionData(id="x", messages=[Message.user("y" * 2000)])
    with pytest.raises(SessionTooLargeError) as caught:
        codec_of(SessionData, max_bytes=2000).encode(session, key="k")
    assert caught.value.limit == 2000
    assert caught.value.size > 2000


def test_a_users_own_model_is_refused_with_the_same_numbers():
    class Mine(BaseModel):
        id: str
        score: float | None = None
        anything: dict = {}

    assert refusal(Mine(id="x", score=math.nan), Mine) == "score: JSON has no NaN and no infinities"
    assert refusal(Mine(id="x", anything={"a": [math.inf]}), Mine).startswith("anything.a[0]: ")
    assert codec_of(Mine).encode(Mine(id="x"), key="k")

    class InStrings(Mine):
        model_config = ConfigDict(ser_json_inf_nan="strings")

    assert refusal(InStrings(id="x", score=math.nan), InStrings).startswith("score: ")
