"""The session service for ADK does what ADK's own services do, step by step; its requests, faults and races."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from frameworks.hosts import APPENDS, CANARY, HOSTS, Place, check_appends, forbidden_in, modules_added
from google.adk.agents import LlmAgent
from google.adk.errors import StaleSessionError
from google.adk.errors.already_exists_error import AlreadyExistsError
from google.adk.errors.session_not_found_error import SessionNotFoundError
from google.adk.events.event import Event
from google.adk.events.event_actions import EventActions
from google.adk.models.base_llm import BaseLlm
from google.adk.models.llm_response import LlmResponse
from google.adk.runners import Runner
from google.adk.sessions import InMemorySessionService
from google.adk.sessions.base_session_service import BaseSessionService, GetSessionConfig
from google.adk.sessions.session import Session
from google.adk.sessions.sqlite_session_service import SqliteSessionService
from google.genai import types

from sessionbucket import AsyncMemoryBucket, AsyncSessionStore, StoreUnavailableError
from sessionbucket.integrations.google_adk import BucketSessionService
from sessionbucket.testing import AsyncFaultyBucket

Story = Callable[[BaseSessionService], AsyncIterator[Any]]
TIMES = 2_000_000_000.0  # later than every session is created


def event(number: float, text: str = "", **delta: Any) -> Event:
    parts = [types.Part(text=text or f"event {number}")]
    return Event(
        id=f"e{number}",
        invocation_id="i",
        author="user",
        timestamp=TIMES + number,
        content=types.Content(role="user", parts=parts),
        actions=EventActions(state_delta=delta),
    )


async def new(service: BaseSessionService, id: str | None = None, user: str = "u", **state: Any) -> Session:
    return await service.create_session(app_name="app", user_id=user, session_id=id, state=state)


async def got(service: BaseSessionService, id: str, user: str = "u", **config: Any) -> Session | None:
    chosen = GetSessionConfig(**config) if config else None
    return await service.get_session(app_name="app", user_id=user, session_id=id, config=chosen)


def seen(session: Session | None) -> Any:
    """What a test compares of a session."""
    if session is None:
        return None
    events = [each.model_dump_json(exclude_none=True) for each in session.events]
    return session.id, session.user_id, session.app_name, session.state, events


async def outcome(work: Awaitable[Any]) -> Any:
    try:
        return await work
    except (AlreadyExistsError, SessionNotFoundError, StaleSessionError) as error:
        return type(error)


async def create_and_get(service: BaseSessionService) -> AsyncIterator[Any]:
    yield seen(await new(service, " spaced ", a=1))
    yield seen(await got(service, "spaced"))
    yield seen(await got(service, " spaced "))
    yield seen(await got(service, "missing"))
    yield seen(await got(service, "spaced", user="other"))
    yield await outcome(new(service, "spaced", **{"app:x": "not stored"}))
    yield seen(await got(service, "spaced"))
    made = await new(service)
    yield bool(made.id)
    yield made.last_update_time > 0


async def shared_state(service: BaseSessionService) -> AsyncIterator[Any]:
    first = await new(service, "1", **{"app:a": 1, "user:b": 2, "c": 3, "temp:d": 4})
    yield seen(first)
    yield seen(await new(service, "2"))
    yield seen(await new(service, "3", user="v", **{"app:a": 10, "user:b": 20}))
    await service.append_event(first, event(1, **{"app:a": {"n": [1]}, "user:e": None, "c": 5, "temp:f": 6}))
    yield first.state
    for id, user in (("1", "u"), ("2", "u"), ("3", "v")):
        yield seen(await got(service, id, user=user))
    yield await service.get_user_state(app_name="app", user_id="u")
    yield await service.get_user_state(app_name="app", user_id="nobody")
    yield await service.get_user_state(app_name="none", user_id="u")


async def lists(service: BaseSessionService) -> AsyncIterator[Any]:
    async def listed(user: str | None = None, app: str = "app") -> list[Any]:
        found = await service.list_sessions(app_name=app, user_id=user)
        return [(seen(each), len(each.events)) for each in found.sessions]

    yield await listed()
    sessions = [await new(service, id, user=user, n=id) for id, user in (("b", "u"), ("a", "v"), ("c", "u"))]
    for number, at in ((1, 2), (2, 0), (3, 1)):
        await service.append_event(sessions[at], event(number, **{"user:last": number}))
    yield await listed()
    yield await listed("u")
    yield await listed("nobody")
    yield await listed(app="none")
    await service.delete_session(app_name="app", user_id="u", session_id="b")
    await service.delete_session(app_name="app", user_id="u", session_id="missing")
    yield await listed()
    yield seen(await got(service, "b"))
    yield seen(await new(service, "b"))


async def events_and_windows(service: BaseSessionService) -> AsyncIterator[Any]:
    session = await new(service, "s")
    for number in range(6):
        await service.append_event(session, event(number, n=number))
    yield len(session.events), session.last_update_time
    for config in (
        {},
        {"num_recent_events": 0},
        {"num_recent_events": 2},
        {"num_recent_events": 99},
        {"after_timestamp": TIMES + 3},
        {"after_timestamp": TIMES + 99},
        {"after_timestamp": TIMES + 1, "num_recent_events": 2},
        {"after_timestamp": TIMES + 4, "num_recent_events": 5},
    ):
        yield seen(await got(service, "s", **config))


async def special_events(service: BaseSessionService) -> AsyncIterator[Any]:
    session = await new(service, "s")
    partial = event(1)
    partial.partial = True
    yield (await service.append_event(session, partial)) is partial
    yield len(session.events)
    complete = event(2, "é 🙂 \n")
    complete.content.parts.append(types.Part(inline_data=types.Blob(data=b"\x00\xff", mime_type="x/y")))
    complete.content.parts.append(
        types.Part(function_call=types.FunctionCall(name="f", args={"a": [1, None]}))
    )
    complete.error_code, complete.turn_complete, complete.branch = "E", True, "a.b"
    complete.long_running_tool_ids = {"t"}
    complete.actions.artifact_delta = {"f": 1}
    complete.actions.transfer_to_agent = "other"
    await service.append_event(session, complete)
    yield seen(await got(service, "s"))
    lost = Session(id="missing", app_name="app", user_id="u")
    yield await outcome(service.append_event(lost, event(3)))
    await service.flush()


STORIES: list[Story] = [create_and_get, shared_state, lists, events_and_windows, special_events]


async def steps(story: Story, service: BaseSessionService) -> list[Any]:
    return [step async for step in story(service)]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
@pytest.mark.parametrize("workers", [1, 2])
async def test_every_step_is_as_in_the_services_of_adk(story: Story, workers: int, tmp_path: Path):
    ours = BucketSessionService(tmp_path / "ours")
    if workers == 2:
        ours = Alternating([ours, BucketSessionService(tmp_path / "ours")])
    found = await steps(story, ours)
    assert found == await steps(story, InMemorySessionService())
    assert found == await steps(story, SqliteSessionService(str(tmp_path / "adk.db")))


class Alternating:
    """Services in turn, one for each call."""

    def __init__(self, services: list[Any]) -> None:
        self.services = services

    def __getattr__(self, name: str) -> Any:
        self.services.append(self.services.pop(0))
        return getattr(self.services[0], name)


class Counted:
    def __init__(self) -> None:
        self.bucket = AsyncFaultyBucket(AsyncMemoryBucket())
        self.service = self.another()

    def another(self) -> BucketSessionService:
        return BucketSessionService(AsyncSessionStore(self.bucket))

    def requests(self) -> Counter[str]:
        """The requests since the last call."""
        counted = Counter(call.operation for call in self.bucket.calls)
        self.bucket.calls.clear()
        return counted


@pytest.fixture
def counted() -> Counted:
    return Counted()


async def test_requests(counted: Counted):
    session = await new(counted.service, "s")
    assert counted.requests() == {"put": 1, "get": 2}
    for number in range(3):
        await counted.service.append_event(session, event(number, k=number))
        assert counted.requests() == {"put": 1}
    again = await got(counted.another(), "s")
    assert again is not None
    assert counted.requests() == {"get": 3}
    await counted.service.append_event(session, event(9, **{"app:a": 1, "user:b": 1}))
    assert counted.requests() == {"put": 4, "get": 2}
    await counted.service.list_sessions(app_name="app", user_id="u")
    assert counted.requests() == {"list_page": 1, "get": 3}
    await counted.service.delete_session(app_name="app", user_id="u", session_id="s")
    assert counted.requests() == {"list_page": 1, "delete": 1}


class ScriptedModel(BaseLlm):
    async def generate_content_async(
        self, llm_request: Any, stream: bool = False
    ) -> AsyncIterator[LlmResponse]:
        yield LlmResponse(content=types.Content(role="model", parts=[types.Part(text="reply")]))


async def test_a_turn_of_the_runner_is_one_get_of_the_session_and_two_puts(counted: Counted):
    await new(counted.service, "s")
    agent = LlmAgent(name="agent", model=ScriptedModel(model="scripted"))
    for _ in range(2):
        counted.requests()
        runner = Runner(app_name="app", agent=agent, session_service=counted.another())
        message = types.Content(role="user", parts=[types.Part(text="hello")])
        events = [each async for each in runner.run_async(user_id="u", session_id="s", new_message=message)]
        assert [each.content.parts[0].text for each in events] == ["reply"]
        assert counted.requests() == {"get": 3, "put": 2}


async def test_a_get_is_one_round_trip(counted: Counted):
    await new(counted.service, "s")
    pauses = [
        counted.bucket.pause_before("get", key=f"*{name}") for name in ("s.log", "app.json", "user.json")
    ]
    reading = asyncio.create_task(got(counted.another(), "s"))
    for pause in pauses:
        await pause.reached()  # each is under way while the others wait
    for pause in pauses:
        pause.release()
    assert seen(await reading)


async def test_a_stale_session_is_refused_and_changes_nothing(counted: Counted):
    await new(counted.service, "s")
    first, second = await got(counted.service, "s"), await got(counted.another(), "s")
    assert first is not None
    assert second is not None
    await counted.another().append_event(second, event(1))
    for service in (counted.service, counted.another()):
        with pytest.raises(StaleSessionError):
            await service.append_event(first, event(2, **{"app:lost": 1}))
    found = await got(counted.service, "s")
    assert found is not None
    assert ([each.id for each in found.events], found.state) == (["e1"], {})
    assert len(first.events) == 0


async def test_a_session_without_a_marker_is_compared_by_its_time(counted: Counted):
    await new(counted.service, "s")
    session = await got(counted.service, "s")
    assert session is not None
    plain = Session.model_validate(session.model_dump())
    await counted.service.append_event(plain, event(1))
    old = Session.model_validate(session.model_dump())
    with pytest.raises(StaleSessionError):
        await counted.service.append_event(old, event(2))


async def test_a_deleted_session_takes_no_event(counted: Counted):
    session = await new(counted.service, "s")
    await counted.another().delete_session(app_name="app", user_id="u", session_id="s")
    with pytest.raises(SessionNotFoundError):
        await counted.service.append_event(session, event(1))
    assert await got(counted.service, "s") is None


async def test_a_lost_response_is_one_event(counted: Counted):
    session = await new(counted.service, "s")
    for number in range(3):
        counted.bucket.drop_response("put")
        await counted.service.append_event(session, event(number, n=number))
    await counted.service.append_event(session, session.events[-1])
    found = await got(counted.service, "s")
    assert found is not None
    assert [each.id for each in found.events] == ["e0", "e1", "e2"]


@pytest.mark.parametrize("scope", ["app", "user"])
async def test_state_that_a_crash_left_owed_is_read_and_stored_by_the_next_append(
    counted: Counted, scope: str
):
    session = await new(counted.service, "s")
    counted.bucket.fail("put", key=f"*/{scope}.json", times=None)
    with pytest.raises(StoreUnavailableError):
        await counted.service.append_event(session, event(1, **{f"{scope}:k": 1}))
    counted.bucket.clear_faults()
    found = await got(counted.another(), "s")
    assert found is not None
    assert found.state == {f"{scope}:k": 1}
    assert (await new(counted.another(), "other")).state == {}
    await counted.another().append_event(found, event(2))
    assert (await new(counted.another(), "later")).state == {f"{scope}:k": 1}


async def test_owed_state_is_applied_once_and_hides_nothing_newer(counted: Counted):
    session = await new(counted.service, "s")
    counted.bucket.fail("put", key="*/s.log", nth=2, times=None)
    with pytest.raises(StoreUnavailableError):
        await counted.service.append_event(session, event(1, **{"app:k": "old"}))
    counted.bucket.clear_faults()
    other = await new(counted.another(), "other")
    await counted.another().append_event(other, event(2, **{"app:k": "new"}))
    found = await got(counted.another(), "s")
    assert found is not None
    assert found.state == {"app:k": "new"}
    await counted.another().append_event(found, event(3))
    assert (await new(counted.another(), "later")).state == {"app:k": "new"}


@pytest.mark.parametrize("id", ["a/b", "..", "é" * 300, "sealed"])
async def test_any_text_is_an_id(counted: Counted, id: str):
    made = await counted.service.create_session(app_name=id, user_id=id, session_id=id, state={"user:k": 1})
    await counted.service.append_event(made, event(1))
    found = await counted.service.list_sessions(app_name=id)
    assert [(each.id, each.user_id, each.state) for each in found.sessions] == [(id, id, {"user:k": 1})]


async def append_all(url: str, host: int) -> None:
    """Append as one host does: with a stale session, it gets the session again."""
    service = BucketSessionService(url)
    session = await got(service, "s")
    for number in range(APPENDS):
        while True:
            assert session is not None
            try:
                await service.append_event(
                    session, event(number, f"{host} {number}", **{f"{host}-{number}": 1})
                )
            except StaleSessionError:
                session = await got(service, "s")
                continue
            break
    await service.close()


async def test_two_hosts_lose_and_double_nothing_under_lost_responses(place: Place):
    service = BucketSessionService(place.url())
    await new(service, "s")
    place.drop_responses()
    await asyncio.gather(*(append_all(place.url(), host) for host in range(HOSTS)))
    assert place.clear_faults()
    found = await got(service, "s")
    assert found is not None
    texts = [each.content.parts[0].text for each in found.events]
    check_appends([tuple(map(int, text.split())) for text in texts])
    assert len(found.state) == HOSTS * APPENDS
    await service.close()


async def test_a_deleted_session_leaves_nothing_in_the_bucket(place: Place):
    service = BucketSessionService(place.url())
    session = await new(service, CANARY, k=CANARY)
    for number in range(4):
        await service.append_event(session, event(number, CANARY + "x" * 100_000))
    assert any("/sealed/" in key for key in place.occurrences(CANARY))
    await service.delete_session(app_name="app", user_id="u", session_id=CANARY)
    assert place.occurrences(CANARY) == []
    await service.close()


def test_the_import_loads_no_other_framework_and_no_client_library():
    after = "import google.adk.sessions.sqlite_session_service, google.adk.artifacts, google.adk.sessions"
    assert (
        forbidden_in(
            modules_added("import sessionbucket.integrations.google_adk", after=after), own="google.adk"
        )
        == set()
    )
