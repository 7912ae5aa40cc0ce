"""The handlers of ``examples/lambda``, each in its own process as in Lambda."""

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
from sessionbucket.testing.server_process import free_ports

EXAMPLE = Path(__file__).parents[2] / "examples" / "lambda"
RUNTIME = Path(__file__).with_name("lambda_runtime.py")
HANDLERS = {"handler": "boto3", "async_handler": "aioboto3"}
"""The handlers and their engines."""
TIMEOUT = 30.0
"""Seconds after which Lambda ends an invocation, as in the Terraform example."""
LONG_TIMEOUT = 300.0
"""The timeout in tests of other things."""


class Container:
    """A process that Lambda keeps between invocations."""

    def __init__(self, module: str, url: str, *, seconds: float = LONG_TIMEOUT) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", str(RUNTIME), module, str(seconds)],
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
        """The results of the events. The process ends after the last one."""
        lines = "".join(json.dumps(event) + "\n" for event in events)
        output, errors = self.process.communicate(lines, timeout=LONG_TIMEOUT)
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


def body_of(result: dict[str, Any]) -> dict[str, Any]:
    """The body of a successful response."""
    assert result["response"]["statusCode"] == 200, result
    return json.loads(result["response"]["body"])


def error_body(result: dict[str, Any], status: int) -> dict[str, str]:
    """The body of an error response with this status."""
    assert result["response"]["statusCode"] == status, result
    return json.loads(result["response"]["body"])


def turns_of(session: SessionData) -> list[tuple[str, str]]:
    """The text of the user and the reply of each turn."""
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
    assert body_of(first) == {
        "session_id": "chat/1",
        "request_id": "lambda-0",
        "reply": "You said 'hello', after 0 messages.",
        "messages": 2,
    }
    assert body_of(second)["reply"] == "You said 'again', after 2 messages."
    assert body_of(second)["request_id"] == "mine"
    with open_store(moto.url()) as store:
        assert turns_of(store.load("chat/1")) == [
            ("hello", body_of(first)["reply"]),
            ("again", body_of(second)["reply"]),
        ]


@pytest.mark.slow
@pytest.mark.parametrize("module", HANDLERS)
def test_concurrent_invocations_of_a_session_lose_no_turn(
    moto: Location, contain: Callable[..., Container], module: str
):
    containers = [contain(module, moto.url(engine=HANDLERS[module])) for _ in range(3)]
    texts = {f"{number}-{turn}" for number in range(3) for turn in range(4)}
    for number, container in enumerate(containers):
        for turn in range(4):
            event = {"session_id": "shared", "text": f"{number}-{turn}", "request_id": f"{number}-{turn}"}
            container.process.stdin.write(json.dumps(event) + "\n")
        container.process.stdin.flush()
    replies = {
        body_of(result)["request_id"]: body_of(result)["reply"]
        for each in containers
        for result in each.invoke()
    }
    with open_store(moto.url()) as store:
        turns = turns_of(store.load("shared"))
    assert {text for text, _ in turns} == texts
    assert dict(turns) == replies
    assert len(turns) == len(texts)


@pytest.mark.parametrize("module", HANDLERS)
def test_a_repeated_request_gets_the_same_reply_and_is_added_once(
    moto: Location, contain: Callable[..., Container], module: str
):
    event = {"session_id": "s", "text": "hello", "request_id": "once"}
    other = {"session_id": "s", "text": "between", "request_id": "other"}
    first, _ = contain(module, moto.url(engine=HANDLERS[module])).invoke(event, other)
    [repeated] = contain(module, moto.url(engine=HANDLERS[module])).invoke(event)
    assert body_of(repeated)["reply"] == body_of(first)["reply"]
    with open_store(moto.url()) as store:
        assert [text for text, _ in turns_of(store.load("s"))] == ["hello", "between"]


@pytest.mark.slow
def test_the_response_for_an_unreachable_store_comes_before_the_timeout(contain: Callable[..., Container]):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ports = {"refuses": free_ports(1)[0], "never responds": silent.getsockname()[1]}
        containers = {
            (module, how): contain(
                module,
                f"s3://bucket/p?endpoint_url=http://127.0.0.1:{port}&engine={HANDLERS[module]}",
                seconds=TIMEOUT,
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
            body = error_body(result, 503)
            assert result["left"] > 0
            assert body["error"] == "store_unavailable"
            assert "same request_id" in body["message"]
            assert "127.0.0.1" not in body["message"]
            assert "127.0.0.1" in container.logged


@pytest.mark.parametrize("module", HANDLERS)
def test_a_function_with_too_short_a_timeout_sends_no_request_and_says_so(
    contain: Callable[..., Container], module: str
):
    container = contain(module, "s3://bucket?endpoint_url=http://127.0.0.1:1", seconds=10)
    [result] = container.invoke({"session_id": "s", "text": "hello"})
    assert error_body(result, 504)["error"] == "out_of_time"
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
        ({"session_id": "s", "text": "x", "sesion": "s"}, "sesion"),  # codespell:ignore sesion
        ({"session_id": "", "text": "x"}, "session id"),
        ({"session_id": "s\0", "text": "x"}, "session id"),
        ({"requestContext": {}}, "body"),
        ({"requestContext": {}, "body": "no json"}, "body"),
        ({"requestContext": {}, "body": "[1]"}, "body"),
        ({"requestContext": {}, "body": "!", "isBase64Encoded": True}, "body"),
        ({"requestContext": {}, "body": '{"session_id": "s"}'}, "text"),
    ],
)
def test_the_response_to_a_bad_request_names_the_problem(
    in_process: ModuleType, context: Any, event: dict[str, Any], named: str
):
    body = error_body({"response": in_process.handler(event, context)}, 400)
    assert body["error"] == "bad_request"
    assert named in body["message"]


def test_a_request_over_http_is_read_from_its_body(in_process: ModuleType, context: Any):
    sent = json.dumps({"session_id": "s", "text": "hello"})
    encoded = base64.b64encode(sent.encode()).decode()
    plain = in_process.handler({"requestContext": {}, "body": sent}, context)
    assert body_of({"response": plain})["messages"] == 2
    context.aws_request_id = "another"
    coded = in_process.handler({"requestContext": {}, "body": encoded, "isBase64Encoded": True}, context)
    assert body_of({"response": coded})["messages"] == 4


class Context:
    aws_request_id = "the-id"

    def get_remaining_time_in_millis(self) -> int:
        return int(LONG_TIMEOUT * 1000)


@pytest.fixture
def context() -> Context:
    return Context()


@pytest.fixture(params=HANDLERS)
def in_process(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ModuleType]:
    """The module of a handler, newly imported into this process, with a store in a folder."""
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


def replace_agent(module: ModuleType, make_reply: Callable[[], str]) -> list[str]:
    """Replace the agent of the handler. Returns a list that grows with the text of each call."""
    texts: list[str] = []

    def reply(history: list[Message], text: str, *, seconds: float) -> str:
        texts.append(text)
        return make_reply()

    async def reply_async(history: list[Message], text: str, *, seconds: float) -> str:
        return reply(history, text, seconds=seconds)

    module.agent.reply, module.agent.reply_async = reply, reply_async
    return texts


def test_the_model_is_called_once_even_if_others_save_meanwhile(in_process: ModuleType, context: Any):
    """Others save during the call of the model, and between the load and the save of ``update``."""
    with open_store(os.environ["SESSIONBUCKET_URL"]) as others:

        def another_turn(text: str) -> None:
            def change(session: SessionData) -> None:
                session.messages += [Message.user(text), Message.assistant("theirs")]

            others.update("s", change, create=lambda: SessionData(id="s"))

        def reply() -> str:
            another_turn("during the call of the model")
            return "mine"

        def add_turn(session: SessionData, *arguments: Any) -> None:
            add(session, *arguments)
            if len(session.messages) == 4:
                another_turn("between load and save")

        add, in_process.add_turn = in_process.add_turn, add_turn
        texts = replace_agent(in_process, reply)
        result = in_process.handler({"session_id": "s", "text": "hello"}, context)
        assert body_of({"response": result})["reply"] == "mine"
        assert texts == ["hello"]
        assert [text for text, _ in turns_of(others.load("s"))] == [
            "during the call of the model",
            "between load and save",
            "hello",
        ]


def test_a_repeated_request_does_not_call_the_model(in_process: ModuleType, context: Any):
    texts = replace_agent(in_process, lambda: "mine")
    for _ in range(2):
        result = in_process.handler({"session_id": "s", "text": "hello"}, context)
        assert body_of({"response": result})["reply"] == "mine"
    assert texts == ["hello"]


def test_two_concurrent_requests_with_one_id_are_added_once(in_process: ModuleType, context: Any):
    def change(session: SessionData) -> None:
        request = in_process.TurnRequest(session_id="s", text="hello", request_id="the-id")
        in_process.add_turn(session, request, "the first's")

    def reply() -> str:
        with open_store(os.environ["SESSIONBUCKET_URL"]) as store:
            store.update("s", change, create=lambda: SessionData(id="s"))
        return "the second's"

    replace_agent(in_process, reply)
    body = body_of({"response": in_process.handler({"session_id": "s", "text": "hello"}, context)})
    assert (body["reply"], body["messages"]) == ("the first's", 2)


def test_a_failure_of_the_agent_leaves_the_session_unchanged(in_process: ModuleType, context: Any):
    def reply() -> str:
        raise RuntimeError("the model is unavailable")

    replace_agent(in_process, reply)
    with pytest.raises(RuntimeError, match="unavailable"):
        in_process.handler({"session_id": "s", "text": "hello"}, context)
    with open_store(os.environ["SESSIONBUCKET_URL"]) as store:
        assert not store.exists("s")


def test_a_reply_after_the_time_limit_leaves_the_session_unchanged(in_process: ModuleType, context: Any):
    def reply() -> str:
        context.get_remaining_time_in_millis = lambda: 5000
        return "too late"

    replace_agent(in_process, reply)
    body = error_body({"response": in_process.handler({"session_id": "s", "text": "hello"}, context)}, 504)
    assert body["error"] == "out_of_time"
    with open_store(os.environ["SESSIONBUCKET_URL"]) as store:
        assert not store.exists("s")


def test_errors_of_the_deployment_are_in_the_log_and_not_in_the_response(
    moto_url: str, contain: Callable[..., Container]
):
    for module, engine in HANDLERS.items():
        container = contain(module, f"s3://no-such-bucket?endpoint_url={moto_url}&engine={engine}")
        [result] = container.invoke({"session_id": "s", "text": "hello"})
        body = error_body(result, 500)
        assert body["error"] == "store_misused"
        assert "no-such-bucket" not in json.dumps(body)
        assert "no-such-bucket" in container.logged
