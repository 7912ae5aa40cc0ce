"""The session repository for Strands Agents: its promises, its requests, and its errors."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import pytest
from frameworks.hosts import APPENDS, CANARY, HOSTS, Place, check_appends
from scripted_model import ScriptedModel
from strands import Agent
from strands.session.repository_session_manager import RepositorySessionManager
from strands.types.exceptions import SessionException
from strands.types.session import Session, SessionAgent, SessionMessage, SessionType

from both_sides import at_once
from sessionbucket import MemoryBucket, SessionCorruptedError, SessionStore
from sessionbucket.integrations.strands import BucketSessionRepository
from sessionbucket.testing import FaultyBucket


@pytest.fixture
def bucket() -> FaultyBucket:
    return FaultyBucket(MemoryBucket())


def repository_in(bucket: FaultyBucket) -> BucketSessionRepository:
    return BucketSessionRepository(SessionStore(bucket))


def agent_of(repository: BucketSessionRepository, *replies: str) -> Agent:
    manager = RepositorySessionManager("s", repository)
    return Agent(model=ScriptedModel(*replies), agent_id="a", session_manager=manager, callback_handler=None)


def message(text: str, number: int) -> SessionMessage:
    return SessionMessage.from_message({"role": "user", "content": [{"text": text}]}, number)


def started(repository: BucketSessionRepository, session_id: str = "s", agent_id: str = "a") -> None:
    repository.create_session(Session(session_id, SessionType.AGENT))
    repository.create_agent(session_id, SessionAgent(agent_id, {}, {}))


def texts(repository: BucketSessionRepository, session_id: str = "s") -> list[str]:
    rows = repository.list_messages(session_id, "a")
    return [row.to_message()["content"][0]["text"] for row in rows]


def operations(bucket: FaultyBucket) -> Counter[str]:
    counted = Counter(call.operation for call in bucket.calls)
    bucket.calls.clear()
    return counted


def test_a_resume_of_20_messages_is_two_gets(bucket: FaultyBucket):
    agent = agent_of(repository_in(bucket), *(f"reply {number}" for number in range(10)))
    for number in range(10):
        agent(f"turn {number}")
    operations(bucket)
    resumed = agent_of(repository_in(bucket))
    assert operations(bucket) == {"get": 2}
    assert len(resumed.messages) == 20
    assert resumed.messages[-1]["content"][0]["text"] == "reply 9"


def test_a_message_is_one_put(bucket: FaultyBucket):
    repository = repository_in(bucket)
    started(repository)
    assert operations(bucket) == {"put": 2}
    for number in range(3):
        repository.create_message("s", "a", message("m", number))
        assert operations(bucket) == {"put": 1}


def test_an_update_of_the_agent_that_changes_nothing_writes_nothing(bucket: FaultyBucket):
    repository = repository_in(bucket)
    started(repository)
    operations(bucket)
    repository.update_agent("s", SessionAgent("a", {}, {}))
    assert operations(bucket)["put"] == 0
    repository.update_agent("s", SessionAgent("a", {"k": 1}, {}))
    assert operations(bucket) == {"put": 1}


def test_a_list_reads_again_after_the_first(bucket: FaultyBucket):
    repository, other = repository_in(bucket), repository_in(bucket)
    started(repository)
    assert repository.read_agent("s", "a")
    assert texts(repository) == []
    other.create_message("s", "a", message("new", 0))
    assert texts(repository) == ["new"]


def test_a_second_worker_gets_an_error_and_overwrites_nothing(bucket: FaultyBucket):
    first, second = agent_of(repository_in(bucket), "one"), agent_of(repository_in(bucket), "two")
    first("first")
    with pytest.raises(SessionException, match="another worker"):
        second("second")
    assert texts(repository_in(bucket)) == ["first", "one"]


def test_a_repeated_message_is_stored_once(bucket: FaultyBucket):
    repository = repository_in(bucket)
    started(repository)
    first = message("m", 0)
    for _ in range(2):
        repository.create_message("s", "a", first)
    bucket.drop_response("put")
    repository.create_message("s", "a", message("n", 1))
    assert texts(repository) == ["m", "n"]


@pytest.mark.parametrize("sealed", [False, True])
def test_a_redacted_message_remains_nowhere(bucket: FaultyBucket, sealed: bool):
    repository = repository_in(bucket)
    started(repository)
    redacted = message(CANARY, 0)
    repository.create_message("s", "a", redacted)
    for number in range(1, 5):
        repository.create_message("s", "a", message("x" * (100_000 if sealed else 1), number))
    redacted.redact_message = {"role": "user", "content": [{"text": "redacted"}]}
    repository.update_message("s", "a", redacted)
    assert texts(repository)[0] == "redacted"
    found = repository.read_message("s", "a", 0)
    assert found is not None
    assert found.created_at == redacted.created_at
    bodies = [stored.body for key in keys_in(bucket) if (stored := bucket.inner.get(key, max_bytes=1 << 20))]
    assert bodies
    assert not any(CANARY.encode() in body for body in bodies)


def keys_in(bucket: FaultyBucket) -> list[str]:
    return [info.key for info in bucket.inner.list_page("").objects]


def test_missing_and_duplicate_things_are_refused(bucket: FaultyBucket):
    repository = repository_in(bucket)
    started(repository)
    refused: list[Any] = [
        partial(repository.create_session, Session("s", SessionType.AGENT)),
        partial(repository.create_agent, "s", SessionAgent("a", {"other": 1}, {})),
        partial(repository.update_agent, "s", SessionAgent("missing", {}, {})),
        partial(repository.create_message, "s", "missing", message("m", 0)),
        partial(repository.update_message, "s", "a", message("m", 7)),
        partial(repository.list_messages, "s", "missing"),
        partial(repository.delete_session, "missing"),
    ]
    for call in refused:
        with pytest.raises(SessionException):
            call()
    assert repository.read_agent("s", "missing") is None
    assert repository.read_message("s", "a", 0) is None
    assert repository.read_session("missing") is None


@pytest.mark.parametrize("session_id", ["", "a/b", "..", "é" * 300])
def test_any_text_is_a_session_id(bucket: FaultyBucket, session_id: str):
    repository = repository_in(bucket)
    started(repository, session_id)
    repository.create_message(session_id, "a", message("m", 0))
    assert texts(repository, session_id) == ["m"]
    repository.delete_session(session_id)
    assert keys_in(bucket) == []


def test_a_damaged_session_is_named(bucket: FaultyBucket):
    bucket.inner.put("strands/repository/s/session.json", b"{}")
    with pytest.raises(SessionCorruptedError, match="repository/s/session"):
        repository_in(bucket).read_session("s")


def append_all(url: str, host: int) -> None:
    """Append as one host does: when its number is taken, it reads the messages and takes the next."""
    repository = BucketSessionRepository(url)
    taken = 0
    for number in range(APPENDS):
        while True:
            try:
                repository.create_message("s", "a", message(f"{host} {number}", taken))
            except SessionException:
                taken = len(repository.list_messages("s", "a"))
                continue
            break
        taken += 1
    repository.close()


def test_two_hosts_lose_and_double_nothing_under_lost_responses(place: Place):
    repository = BucketSessionRepository(place.url())
    started(repository)
    place.drop_responses()
    assert at_once([partial(append_all, place.url(), host) for host in range(HOSTS)]) == [None] * HOSTS
    assert place.clear_faults()
    check_appends([tuple(map(int, text.split())) for text in texts(repository)])
    repository.close()


def test_a_deleted_session_leaves_nothing_in_the_bucket(place: Place):
    repository = BucketSessionRepository(place.url())
    started(repository, CANARY)
    for number in range(4):
        repository.create_message(CANARY, "a", message(CANARY + "x" * 100_000, number))
    assert any("/sealed/" in key for key in place.occurrences(CANARY))
    repository.delete_session(CANARY)
    assert place.occurrences(CANARY) == []
    repository.close()
