"""No error and no log contains a secret or a text of a session."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from both_sides import SyncSide
from conformance.locations import FILE, MEMORY, MOTO, Location
from conformance.samples import artifacts_of, event_of, report_of
from sessionbucket import Message, SessionBucketError, SessionData, open_store
from sessionbucket.models import LlmConfigData
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
    """Calls that fail in many ways."""
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


def full_text_of(error: BaseException) -> str:
    """Everything of the error that a log or a report could contain."""
    errors: list[BaseException] = []
    at: BaseException | None = error
    while at is not None:
        errors.append(at)
        at = at.__cause__ or at.__context__
    shown = [f"{each!r} {each} {each.args} {each.__dict__}" for each in errors]
    return "\n".join([*traceback.format_exception(error), *shown])


def assert_no_secret(shown: str) -> None:
    for secret in (TEXT, KEY, SECRET_KEY):
        assert secret not in shown, shown


@pytest.fixture(params=[MEMORY, FILE, MOTO])
def location(request: pytest.FixtureRequest, location_of: Callable[[str], Location]) -> Location:
    return location_of(request.param)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Our loggers at DEBUG. Those of botocore print whole requests at that level."""
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, logger="sessionbucket")
    caplog.set_level(logging.DEBUG, logger="asyncio")
    return caplog


def test_no_error_of_a_store_contains_a_secret(
    side: SyncSide, location: Location, log: pytest.LogCaptureFixture
):
    with side.make("open_store", location.url()) as store:
        store.save(secret_session())
        failed = 0
        for call in failing_calls(store, location):
            with pytest.raises((SessionBucketError, ValueError)) as caught:
                call()
            failed += 1
            assert_no_secret(full_text_of(caught.value))
        assert failed >= 12
    assert_no_secret(log.text)


def test_no_api_key_is_stored_or_printed(location: Location):
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
def test_errors_of_the_server_contain_no_secret(
    location_of: Callable[[str], Location], kind: str, log: pytest.LogCaptureFixture
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
            assert_no_secret(full_text_of(caught.value))
    assert_no_secret(log.text)
