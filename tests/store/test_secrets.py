"""No error and no log shows a secret or a session's text."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from conformance.locations import FILE, MEMORY, MOTO, Location
from conformance.samples import artifacts_of, event_of, report_of
from sessionbucket import (
    LlmConfigData,
    Message,
    SessionBucketError,
    SessionData,
    open_async_store,
    open_store,
)
from sessionbucket.testing.seaweedfs import SECRET_KEY

TEXT = "MarkerTextOfTheSession"
KEY = "sk-MarkerOfTheApiKey"


def secret_session(id: str = "s") -> SessionData:
    return SessionData(
        id=id,
        messages=[Message.user(TEXT)],
        llm_config=LlmConfigData(provider="p", model="m", api_key=SecretStr(KEY)),
    )


def broken(change: Callable[[SessionData], Any]) -> SessionData:
    session = secret_session()
    change(session)
    return session


def set_behind(session: SessionData, name: str, value: Any) -> None:
    session.__dict__[name] = value


def raising(session: SessionData) -> None:
    raise ValueError("the caller's own error")


UNWRITABLE = [
    broken(lambda session: setattr(session, "total_cost", float("nan"))),
    broken(lambda session: setattr(session.messages[0].content[0], "text", TEXT + "\ud800")),
    broken(lambda session: set_behind(session, "tool_names", {TEXT: KEY})),
    broken(lambda session: set_behind(session, "messages", TEXT)),
]
BODIES = [
    b"{",
    b'{"id": "s", "messages": "' + TEXT.encode() + b'"}',
    b'{"id": "' + TEXT.encode() + b'", "' + TEXT.encode(),
    b'{"api_key": "' + KEY.encode() + b'", "id": 5}',
    b'"' + TEXT.encode() + b'"',
    TEXT.encode() + b"\xff",
]


def failing_calls(store: Any, location: Location) -> list[Callable[[], Any]]:
    """Calls that fail, in as many ways as there are."""
    calls: list[Callable[[], Any]] = [
        lambda: store.save(secret_session()),
        *(lambda session=session: store.save(session, overwrite=True) for session in UNWRITABLE),
        lambda: store.update("s", raising),
        lambda: store.update("missing", raising),
        lambda: store.update("s", lambda session: set_behind(session, "id", TEXT[:0] + "t")),
        lambda: store.save_artifacts("", artifacts_of(TEXT)),
        lambda: store.save_trace_events("s\0", [event_of(TEXT)]),
        lambda: store.save_verification_reports("", [report_of(TEXT)]),
        lambda: store.put_file("s", "x", [TEXT]),
        lambda: store.open_file("s", "missing"),
        lambda: store.list_page(cursor="nonsense"),
    ]
    if location.kind != MEMORY:
        for number, body in enumerate(BODIES):
            location.write(f"damaged{number}.json", body)
            location.write(f"traces/damaged{number}.json", body)
            location.write(f"artifacts/damaged{number}/artifacts.json", body)
            calls += [
                lambda number=number: store.load(f"damaged{number}"),
                lambda number=number: store.load_trace_events(f"damaged{number}"),
                lambda number=number: store.load_artifacts(f"damaged{number}"),
                lambda number=number: store.append_trace_events(f"damaged{number}", [event_of(TEXT)]),
            ]
    return calls


def everything_of(error: BaseException) -> str:
    """All that a log or an error report could show of it."""
    chain: list[BaseException] = []
    at: BaseException | None = error
    while at is not None:
        chain.append(at)
        at = at.__cause__ or at.__context__
    shown = [f"{each!r} {each} {each.args} {each.__dict__}" for each in chain]
    return "\n".join([*traceback.format_exception(error), *shown])


def assert_no_secret(shown: str) -> None:
    for secret in (TEXT, KEY, SECRET_KEY):
        # The id inside a damaged body may be named: an id is no text of a session.
        assert secret not in shown.replace(f"the id inside is '{TEXT}'", ""), shown


@pytest.fixture(params=[MEMORY, FILE, MOTO])
def location(request: pytest.FixtureRequest, location_of: Callable[[str], Location]) -> Location:
    return location_of(request.param)


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Our own loggers at DEBUG; those of botocore print whole requests at that level, which is theirs to say."""
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, logger="sessionbucket")
    caplog.set_level(logging.DEBUG, logger="asyncio")
    return caplog


def test_no_error_of_a_store_shows_a_secret(location: Location, everything_logged: pytest.LogCaptureFixture):
    with open_store(location.url()) as store:
        session = secret_session()
        store.save(session)
        failed = 0
        for call in failing_calls(store, location):
            with pytest.raises((SessionBucketError, ValueError)) as caught:
                call()
            failed += 1
            assert_no_secret(everything_of(caught.value))
        assert failed >= 12
    assert_no_secret(everything_logged.text)


async def test_no_error_of_an_async_store_shows_a_secret(
    location: Location, everything_logged: pytest.LogCaptureFixture
):
    async with open_async_store(location.url()) as store:
        await store.save(secret_session())
        for call in failing_calls(store, location):
            with pytest.raises((SessionBucketError, ValueError)) as caught:
                await call()
            assert_no_secret(everything_of(caught.value))
    assert_no_secret(everything_logged.text)


def test_no_api_key_is_stored_or_shown(location: Location):
    with open_store(location.url()) as store:
        session = secret_session()
        store.save(session)
        loaded = store.load("s")
        assert loaded is not None
        assert loaded.llm_config is not None
        assert loaded.llm_config.api_key is None
        if location.kind != MEMORY:
            assert KEY.encode() not in location.read("s.json")
            assert TEXT.encode() in location.read("s.json")
        for shown in (repr(session), str(session), session.model_dump_json()):
            assert KEY not in shown


@pytest.mark.parametrize("kind", [FILE, MOTO])
def test_errors_of_the_server_show_no_secret(
    location_of: Callable[[str], Location], kind: str, everything_logged: pytest.LogCaptureFixture
):
    location = location_of(kind)
    url = (
        location.url().replace(location.bucket, "no-such-bucket")
        if kind == MOTO
        else location.url(create="false")
    )
    with open_store(url) as store:
        for call in (
            lambda: store.save(secret_session()),
            lambda: store.save_artifacts("s", artifacts_of(TEXT)),
            lambda: store.put_file("s", "x", TEXT.encode()),
            lambda: store.update("s", lambda session: None, create=secret_session),
            store.health_check,
        ):
            with pytest.raises(SessionBucketError) as caught:
                call()
            assert_no_secret(everything_of(caught.value))
    assert_no_secret(everything_logged.text)
