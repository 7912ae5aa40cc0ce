"""Under random faults, what a restore, a fork or a purge reports is what the bucket has: done, not done, or either."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from faults.conftest import Site
from faults.history import seed
from faults.proxy import requests
from faults.proxy_faults import (
    Chaos,
    act_and_respond,
    cut_body,
    drop_request,
    drop_response,
    reset_upload,
    respond,
)
from sessionbucket import SessionBucketError, SessionData

FAULTS = [
    drop_response,
    drop_response,
    drop_request,
    reset_upload,
    cut_body(50),
    respond(503, "SlowDown"),
    respond(500, "InternalError"),
    act_and_respond(500, "InternalError"),
]
RATE = 0.2
PURGE_RATE = 0.08
"""A purge takes some forty requests."""
ROUNDS, MOST_ROUNDS = 4, 40
"""Further rounds follow until one of them has succeeded, up to the second number."""
ON = [
    pytest.param("moto", "sync"),
    pytest.param("seaweed", "async"),
    pytest.param("moto", "async", marks=pytest.mark.slow),
    pytest.param("seaweed", "sync", marks=pytest.mark.slow),
]


@pytest.fixture
def s3_side(request: pytest.FixtureRequest, sides: dict[str, Any]) -> Any:
    return sides[request.param]


@pytest.fixture
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def versioned(site: Site, server: str, request: pytest.FixtureRequest) -> Site:
    """The site in a bucket that keeps versions."""
    found = replace(site, bucket=request.getfixturevalue(f"{server}_versioned_bucket"))
    found.store().probe_conditional_writes()
    found.proxy.reset()
    return found


on_servers = pytest.mark.parametrize(("server", "s3_side"), ON, indirect=True)


def under_faults(site: Site, number: int, work: Callable[[Any], object], rate: float = RATE) -> str:
    """The outcome of the work under random faults."""
    store = site.store(max_attempts=2)
    site.proxy.on(requests(), Chaos(seed() + number, rate, FAULTS), times=None)
    try:
        work(store)
    except SessionBucketError as error:
        return str(getattr(error, "outcome", "not written"))
    finally:
        site.proxy.reset()
    return "written"


def rounds(outcomes: list[str]) -> Iterator[int]:
    for number in range(MOST_ROUNDS):
        if number >= ROUNDS and "written" in outcomes:
            return
        yield number


def save_versions(site: Site, id: str, count: int) -> SessionData:
    session = SessionData(id=id)
    for number in range(count):
        session.tool_names.append(f"tool-{number}")
        site.someone_else().save(session)
    return session


def names_in(site: Site, id: str) -> list[str] | None:
    session = site.someone_else().load(id)
    return None if session is None else list(session.tool_names)


@on_servers
def test_the_outcome_of_a_restore_is_what_it_did(versioned: Site):
    outcomes: list[str] = []
    for number in rounds(outcomes):
        id = f"s{number}"
        save_versions(versioned, id, 3)
        oldest = list(versioned.someone_else().history.versions(id))[-1].version_id
        outcome = under_faults(versioned, number, lambda store: store.history.restore(id, oldest))  # noqa: B023
        restored = names_in(versioned, id) == ["tool-0"]
        assert outcome == "unknown" or restored == (outcome == "written"), (number, seed())
        assert len(list(versioned.someone_else().history.versions(id))) == 3 + restored
        outcomes.append(outcome)
    assert "written" in outcomes


@on_servers
def test_the_outcome_of_a_fork_is_what_it_did(versioned: Site):
    outcomes: list[str] = []
    for number in rounds(outcomes):
        id = f"s{number}"
        save_versions(versioned, id, 2)
        versioned.someone_else().put_file(id, "a.txt", b"bytes")
        outcome = under_faults(versioned, number, lambda store: store.fork(id, f"{id}~2"))  # noqa: B023
        forked = names_in(versioned, f"{id}~2") == ["tool-0", "tool-1"]
        assert outcome == "unknown" or forked == (outcome == "written"), (number, seed())
        if forked:
            assert [file.name for file in versioned.someone_else().list_files(f"{id}~2")] == ["a.txt"]
        else:
            assert names_in(versioned, f"{id}~2") is None
        outcomes.append(outcome)
    assert "written" in outcomes


@pytest.mark.parametrize(
    ("server", "s3_side"),
    [pytest.param("seaweed", "async"), pytest.param("moto", "sync", marks=pytest.mark.slow)],
    indirect=True,
)
def test_a_purge_that_reports_success_leaves_nothing_and_any_other_can_be_repeated(versioned: Site):
    save_versions(versioned, "other", 2)
    outcomes: list[str] = []
    for number in rounds(outcomes):
        id = f"s{number}"
        save_versions(versioned, id, 3)
        versioned.someone_else().put_file(id, "a.txt", b"bytes")
        before = versions_of(versioned, id)
        outcome = under_faults(versioned, number, lambda store: store.purge(id), PURGE_RATE)  # noqa: B023
        if outcome == "written":
            assert versions_of(versioned, id) == set(), (number, seed())
        elif outcome == "not written":
            assert versions_of(versioned, id) == before, (number, seed())
        elif names_in(versioned, id) is not None:  # its versions are erased only after its delete
            assert {each for each in before if each[0].endswith(".json")} <= versions_of(versioned, id)
        versioned.someone_else().purge(id)
        assert versions_of(versioned, id) == set()
        outcomes.append(outcome)
    assert "written" in outcomes
    assert names_in(versioned, "other") == ["tool-0", "tool-1"]
    assert len(list(versioned.someone_else().history.versions("other"))) == 2


def versions_of(site: Site, id: str) -> set[tuple[str, str]]:
    """Every version and delete marker of the session and its files."""
    found = set()
    for prefix in (f"{site.prefix}/{id}.json", f"{site.prefix}/artifacts/{id}/"):
        page = site.raw.list_object_versions(Bucket=site.bucket, Prefix=prefix)
        rows = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        found |= {(row["Key"], row["VersionId"]) for row in rows}
    return found
