"""The handlers of ``examples/lambda``, each in a process of its own, as Lambda runs them."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from conformance.locations import Location, environment, unique_name
from sessionbucket import Message, SessionData, open_store
from sessionbucket.testing.ports import free_ports

EXAMPLE = Path(__file__).parents[2] / "examples" / "lambda"
INVOKING = Path(__file__).with_name("invoking.py")
HANDLERS = {"handler": "boto3", "async_handler": "aioboto3"}
"""Each with its engine."""
TIME_OUT = 30.0
"""Seconds after which Lambda would end an invocation, as the Terraform example has them."""
UNHURRIED = 300.0
"""For tests of something else than time."""


class Container:
    """A process that Lambda keeps between invocations."""

    def __init__(self, module: str, url: str, *, seconds: float = UNHURRIED) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", str(INVOKING), module, str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                **environment(),
                "PYTHONPATH": os.pathsep.join([str(EXAMPLE), environment()["PYTHONPATH"]]),
                "SESSIONBUCKET_URL": url,
            },
        )

    def invoke(self, *events: dict[str, Any]) -> list[dict[str, Any]]:
        """What it answers to each event; it ends after the last one."""
        lines = "".join(json.dumps(event) + "\n" for event in events)
        output, errors = self.process.communicate(lines, timeout=UNHURRIED)
        assert self.process.returncode == 0, errors
        self.logged = errors
        return [json.loads(line) for line in output.splitlines()]


@pytest.fixture
def contain() -> Iterator[Callable[..., Container]]:
    with ExitStack() as stack:

        def started(*arguments: Any, **keywords: Any) -> Container:
            container = Container(*arguments, **keywords)
            stack.enter_context(container.process)
            stack.callback(container.process.kill)
            return container

        yield started


def said(result: dict[str, Any]) -> dict[str, Any]:
    """The body of an answer that is well."""
    assert result["answer"]["statusCode"] == 200, result
    return json.loads(result["answer"]["body"])


def complained(result: dict[str, Any], status: int) -> dict[str, str]:
    """The body of an answer that is not."""
    assert result["answer"]["statusCode"] == status, result
    return json.loads(result["answer"]["body"])


def turns_of(session: SessionData) -> list[tuple[str, str]]:
    """What was asked and what was answered, turn by turn."""
    texts = [message.text for message in session.messages]
    assert [message.role for message in session.messages] == ["user", "assistant"] * (len(texts) // 2)
    return list(zip(texts[::2], texts[1::2], strict=True))


@pytest.mark.parametrize("module", HANDLERS)
def test_a_cold_and_a_warm_invocation_share_one_client(
    moto: Location, contain: Callable[..., Container], module: str
):
    first, second, third = contain(module, moto.url(engine=HANDLERS[module])).invoke(
        {"session_id": "chat/1", "text": "hello"},
        {"session_id": "chat/1", "text": "again", "request_id": "mine"},
        {"session_id": "another", "text": "hello"},
    )
    assert [result["clients"] for result in (first, second, third)] == [1, 1, 1]
    assert said(first) == {
        "session_id": "chat/1",
        "request_id": "lambda-0",
        "reply": "You said 'hello', after 0 messages.",
        "messages": 2,
    }
    assert said(second)["reply"] == "You said 'again', after 2 messages."
    assert said(second)["request_id"] == "mine"
    with open_store(moto.url()) as store:
        assert turns_of(store.load("chat/1")) == [
            ("hello", said(first)["reply"]),
            ("again", said(second)["reply"]),
        ]


@pytest.mark.parametrize("module", HANDLERS)
def test_invocations_of_one_session_at_once_lose_no_turn(
    moto: Location, contain: Callable[..., Container], module: str
):
    containers = [contain(module, moto.url(engine=HANDLERS[module])) for _ in range(3)]
    texts = {f"{number}-{turn}" for number in range(3) for turn in range(4)}
    for number, container in enumerate(containers):
        for turn in range(4):
            event = {"session_id": "shared", "text": f"{number}-{turn}", "request_id": f"{number}-{turn}"}
            container.process.stdin.write(json.dumps(event) + "\n")
        container.process.stdin.flush()
    answers = {
        said(result)["request_id"]: said(result)["reply"] for each in containers for result in each.invoke()
    }
    with open_store(moto.url()) as store:
        turns = turns_of(store.load("shared"))
    assert {text for text, _ in turns} == texts
    assert dict(turns) == answers
    assert len(turns) == len(texts)


@pytest.mark.parametrize("module", HANDLERS)
def test_a_repeated_request_is_answered_alike_and_added_once(
    moto: Location, contain: Callable[..., Container], module: str
):
    event = {"session_id": "s", "text": "hello", "request_id": "once"}
    other = {"session_id": "s", "text": "between", "request_id": "other"}
    first, _ = contain(module, moto.url(engine=HANDLERS[module])).invoke(event, other)
    [repeated] = contain(module, moto.url(engine=HANDLERS[module])).invoke(event)
    assert said(repeated)["reply"] == said(first)["reply"]
    with open_store(moto.url()) as store:
        assert [asked for asked, _ in turns_of(store.load("s"))] == ["hello", "between"]


def test_a_store_that_is_unreachable_is_answered_before_the_time_out(contain: Callable[..., Container]):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        ports = {"refuses": free_ports(1)[0], "never answers": deaf.getsockname()[1]}
        containers = {
            (module, how): contain(
                module,
                f"s3://bucket/p?endpoint_url=http://127.0.0.1:{port}&engine={HANDLERS[module]}",
                seconds=TIME_OUT,
            )
            for module in HANDLERS
            for how, port in ports.items()
        }
        event = {"session_id": "s", "text": "hello"}
        for container in containers.values():
            container.process.stdin.write(json.dumps(event) + "\n")
            container.process.stdin.flush()
        for container in containers.values():
            [result] = container.invoke()
            body = complained(result, 503)
            assert result["left"] > 0
            assert body["error"] == "store_unavailable"
            assert "same request_id" in body["message"]
            assert "127.0.0.1" not in body["message"]
            assert "127.0.0.1" in container.logged


@pytest.mark.parametrize("module", HANDLERS)
def test_a_function_with_too_short_a_time_out_says_so_and_asks_nobody(
    contain: Callable[..., Container], module: str
):
    container = contain(module, "s3://bucket?endpoint_url=http://127.0.0.1:1", seconds=10)
    [result] = container.invoke({"session_id": "s", "text": "hello"})
    assert complained(result, 504)["error"] == "out_of_time"
    assert result["clients"] == 0
    assert "raise the function's time-out" in container.logged


@pytest.mark.parametrize(
    ("event", "named"),
    [
        ({}, "session_id"),
        ({"session_id": "s"}, "text"),
        ({"session_id": "s", "text": ""}, "text"),
        ({"session_id": "s", "text": 17}, "text"),
        ({"session_id": "s", "text": "x" * 100_001}, "text"),
        ({"session_id": "s", "text": "x", "request_id": ""}, "request_id"),
        ({"session_id": "s", "text": "x", "sesion": "s"}, "sesion"),
        ({"session_id": "", "text": "x"}, "session id"),
        ({"session_id": "s\0", "text": "x"}, "session id"),
        ({"requestContext": {}}, "body"),
        ({"requestContext": {}, "body": "no json"}, "body"),
        ({"requestContext": {}, "body": "[1]"}, "body"),
        ({"requestContext": {}, "body": "!", "isBase64Encoded": True}, "body"),
        ({"requestContext": {}, "body": '{"session_id": "s"}'}, "text"),
    ],
)
def test_a_bad_request_is_answered_with_what_is_wrong(
    in_process: ModuleType, context: Any, event: dict[str, Any], named: str
):
    body = complained({"answer": in_process.handler(event, context)}, 400)
    assert body["error"] == "bad_request"
    assert named in body["message"]


def test_a_request_over_http_is_read_from_its_body(in_process: ModuleType, context: Any):
    sent = json.dumps({"session_id": "s", "text": "hello"})
    encoded = base64.b64encode(sent.encode()).decode()
    plain = in_process.handler({"requestContext": {}, "body": sent}, context)
    assert said({"answer": plain})["messages"] == 2
    context.aws_request_id = "another"
    coded = in_process.handler({"requestContext": {}, "body": encoded, "isBase64Encoded": True}, context)
    assert said({"answer": coded})["messages"] == 4


class Context:
    aws_request_id = "the-id"

    def get_remaining_time_in_millis(self) -> int:
        return int(UNHURRIED * 1000)


@pytest.fixture
def context() -> Context:
    return Context()


@pytest.fixture(params=HANDLERS)
def in_process(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ModuleType]:
    """The module of a handler, imported anew into this process, over a folder."""
    monkeypatch.setenv("SESSIONBUCKET_URL", (tmp_path / unique_name()).as_uri())
    monkeypatch.syspath_prepend(EXAMPLE)
    names = ("agent", "turns", request.param)
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    module = __import__(request.param)
    yield module
    if hasattr(module, "runner"):
        module.runner.close()
    for name in names:
        sys.modules.pop(name, None)


def stubbed(module: ModuleType, answer: Callable[[], str]) -> list[str]:
    """Puts another agent behind the handler; gives the texts it was asked, as they come."""
    asked: list[str] = []

    def answered(history: list[Message], text: str, *, seconds: float) -> str:
        asked.append(text)
        return answer()

    async def answered_async(history: list[Message], text: str, *, seconds: float) -> str:
        return answered(history, text, seconds=seconds)

    module.agent.answer, module.agent.answer_async = answered, answered_async
    return asked


def test_the_model_is_asked_once_though_others_save_meanwhile(in_process: ModuleType, context: Any):
    """Others save while the model thinks, and again between the load and the save of ``update``."""
    with open_store(os.environ["SESSIONBUCKET_URL"]) as others:

        def another_turn(text: str) -> None:
            def change(session: SessionData) -> None:
                session.messages += [Message.user(text), Message.assistant("theirs")]

            others.update("s", change, create=lambda: SessionData(id="s"))

        def answer() -> str:
            another_turn("while the model thinks")
            return "mine"

        def add_turn(session: SessionData, *arguments: Any) -> None:
            add(session, *arguments)
            if len(session.messages) == 4:
                another_turn("between load and save")

        add, in_process.add_turn = in_process.add_turn, add_turn
        asked = stubbed(in_process, answer)
        result = in_process.handler({"session_id": "s", "text": "hello"}, context)
        assert said({"answer": result})["reply"] == "mine"
        assert asked == ["hello"]
        assert [text for text, _ in turns_of(others.load("s"))] == [
            "while the model thinks",
            "between load and save",
            "hello",
        ]


def test_a_repeated_request_asks_no_model(in_process: ModuleType, context: Any):
    asked = stubbed(in_process, lambda: "mine")
    for _ in range(2):
        result = in_process.handler({"session_id": "s", "text": "hello"}, context)
        assert said({"answer": result})["reply"] == "mine"
    assert asked == ["hello"]


def test_a_request_that_is_repeated_while_the_first_is_under_way_is_added_once(
    in_process: ModuleType, context: Any
):
    def change(session: SessionData) -> None:
        request = in_process.TurnRequest(session_id="s", text="hello", request_id="the-id")
        in_process.add_turn(session, request, "the first's")

    def answer() -> str:
        with open_store(os.environ["SESSIONBUCKET_URL"]) as store:
            store.update("s", change, create=lambda: SessionData(id="s"))
        return "the second's"

    stubbed(in_process, answer)
    body = said({"answer": in_process.handler({"session_id": "s", "text": "hello"}, context)})
    assert (body["reply"], body["messages"]) == ("the first's", 2)


def test_an_agent_that_fails_leaves_the_session_as_it_was(in_process: ModuleType, context: Any):
    def answer() -> str:
        raise RuntimeError("the model is on fire")

    stubbed(in_process, answer)
    with pytest.raises(RuntimeError, match="on fire"):
        in_process.handler({"session_id": "s", "text": "hello"}, context)
    with open_store(os.environ["SESSIONBUCKET_URL"]) as store:
        assert not store.exists("s")


def test_a_model_that_took_all_the_time_leaves_the_session_as_it_was(in_process: ModuleType, context: Any):
    def answer() -> str:
        context.get_remaining_time_in_millis = lambda: 5000
        return "too late"

    stubbed(in_process, answer)
    body = complained({"answer": in_process.handler({"session_id": "s", "text": "hello"}, context)}, 504)
    assert body["error"] == "out_of_time"
    with open_store(os.environ["SESSIONBUCKET_URL"]) as store:
        assert not store.exists("s")


def test_what_the_deployment_got_wrong_is_in_the_log_and_not_in_the_answer(
    moto_url: str, contain: Callable[..., Container]
):
    for module, engine in HANDLERS.items():
        container = contain(module, f"s3://no-such-bucket?endpoint_url={moto_url}&engine={engine}")
        [result] = container.invoke({"session_id": "s", "text": "hello"})
        body = complained(result, 500)
        assert body["error"] == "store_misused"
        assert "no-such-bucket" not in json.dumps(body)
        assert "no-such-bucket" in container.logged
