"""``cp`` of a whole store carries the documents of integrations, byte for byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from store.integration_documents import LONG, write_all

from cli.command_line import Command, make_session, tree
from conformance.locations import Location, unique_name
from sessionbucket import (
    AppendLog,
    Bucket,
    BucketNotFoundError,
    MemoryBucket,
    SessionStore,
    copy_sessions,
    open_store,
)
from sessionbucket.testing import FaultyBucket

DOCUMENTS = 20
"""The documents of one name of ``write_all``: a log is one with its sealed segments."""


@pytest.fixture
def filled(store: SessionStore) -> SessionStore:
    store.save(make_session("s"))
    write_all(store, "a")
    return store


def lines(copied: int = 0, same: int = 0, conflicts: int = 0) -> str:
    return f"documents of integrations: copied {copied}, same {same}, conflicts {conflicts}\n"


def test_all_documents_are_copied_once(run: Command, filled: SessionStore, url: str, other_url: str):
    assert run.ok("cp", url, other_url) == "copied 1, same 0, conflicts 0\n" + lines(DOCUMENTS)
    assert tree(other_url) == tree(url)
    written = {path: path.stat().st_mtime_ns for path in Path(other_url[7:]).rglob("*") if path.is_file()}
    assert run.ok("cp", url, other_url) == "copied 0, same 1, conflicts 0\n" + lines(same=DOCUMENTS)
    assert {path: path.stat().st_mtime_ns for path in written} == written


def test_a_copy_of_some_sessions_has_no_documents(
    run: Command, filled: SessionStore, url: str, other_url: str
):
    assert run.ok("cp", url, other_url, "s") == "copied 1, same 0, conflicts 0\n"
    assert run.ok("cp", url, other_url, "--prefix", "s") == "copied 0, same 1, conflicts 0\n"
    assert list(tree(other_url)) == ["s.json"]


def test_what_differs_stays_unless_it_is_overwritten(
    run: Command, filled: SessionStore, url: str, other: SessionStore, other_url: str
):
    run.ok("cp", url, other_url)
    log = AppendLog(other.documents("openai-agents", integration=True))
    log.append("a", ["another entry"])
    other.documents("langgraph", integration=True).put("a/%~/new", b"kept")
    before = tree(other_url)
    result = run("cp", url, other_url)
    assert result.exit_code == 1
    assert result.stdout.endswith(lines(same=DOCUMENTS - 1, conflicts=1))
    assert "document 'openai-agents/a.log' differs" in result.stderr
    assert tree(other_url) == before
    assert run.ok("cp", url, other_url, "--overwrite").endswith(lines(1, DOCUMENTS - 1))
    assert tree(other_url) == {**tree(url), "langgraph/a/%~/new": b"kept"}


def test_a_log_whose_segments_are_damaged_is_not_copied(
    run: Command, filled: SessionStore, url: str, other_url: str
):
    segment = next(key for key in tree(url) if key.startswith("openai-agents/sealed/"))
    (Path(url[7:]) / segment).unlink()
    (Path(url[7:]) / "pydantic-ai" / "a.log").write_bytes(b"damaged")
    result = run("cp", url, other_url)
    assert result.exit_code == 1
    assert result.stdout.endswith(f"{lines(DOCUMENTS - 2)[:-1]}, failed 2\n")
    assert f"it names a sealed segment {segment.removeprefix('openai-agents/')}" in result.stderr
    copied = tree(other_url)
    assert "openai-agents/a.log" not in copied
    assert "pydantic-ai/a.log" not in copied


@pytest.mark.slow
@pytest.mark.parametrize("place", ["seaweed_location", "moto"])
def test_a_bucket_gets_the_bytes_and_gives_them_back(
    run: Command,
    filled: SessionStore,
    url: str,
    other_url: str,
    place: str,
    request: pytest.FixtureRequest,
):
    location: Location = request.getfixturevalue(place)
    for name in ("a-", LONG):
        write_all(filled, name)
    count = 3 * DOCUMENTS - 2  # one artifact has no session
    assert run.ok("cp", url, location.url()).endswith(lines(count))
    bodies = {name: location.read(name) for name in location.names() if ".sessionbucket" not in name}
    assert bodies == tree(url)
    assert run.ok("cp", url, location.url()).endswith(lines(same=count))
    assert run.ok("cp", location.url(), other_url).endswith(lines(count))
    assert tree(other_url) == tree(url)
    assert run.ok("cp", location.url(), other_url).endswith(lines(same=count))


@pytest.fixture
def seaweed_location(location_of: Any) -> Location:
    found: Location = location_of("seaweedfs")
    return found


@pytest.fixture
def buckets() -> tuple[FaultyBucket, FaultyBucket]:
    return FaultyBucket(MemoryBucket()), FaultyBucket(MemoryBucket())


@pytest.fixture
def stores(buckets: tuple[Bucket, Bucket]) -> tuple[SessionStore, SessionStore]:
    source, destination = map(SessionStore, buckets)
    write_all(source, "a")
    return source, destination


def test_a_repeated_copy_between_buckets_reads_and_writes_nothing(buckets: Any, stores: Any):
    assert {result.outcome for result in copy_sessions(*stores)} == {"copied"}
    for bucket in buckets:
        bucket.calls.clear()
    results = list(copy_sessions(*stores))
    assert {(result.outcome, result.kind, result.total) for result in results} == {
        ("same", "document", DOCUMENTS)
    }
    assert {call.operation for bucket in buckets for call in bucket.calls} == {"list_page"}


def test_the_segments_of_a_log_are_written_before_it(buckets: Any, stores: Any):
    gone = BucketNotFoundError("the bucket is gone", location="there")
    buckets[1].fail("put", key="claude/p/s/a.log", error=gone, times=None)
    with pytest.raises(BucketNotFoundError):
        list(copy_sessions(*stores, concurrency=1))
    keys = [info.key for info in buckets[1].inner.list_page("claude/p/s/").objects]
    assert len(keys) == 2
    assert all("/sealed/" in key for key in keys)


def test_a_log_that_is_changed_during_its_copy_is_copied_with_the_segments_of_one_version(
    buckets: Any, stores: Any
):
    log = AppendLog(SessionStore(buckets[0].inner).documents("openai-agents", integration=True))
    buckets[0].run_before(
        lambda: log.replace("a", 0, "redacted"), operation="get", key="openai-agents/sealed/*"
    )
    assert {result.outcome for result in copy_sessions(*stores)} == {"copied"}
    copied = AppendLog(stores[1].documents("openai-agents", integration=True)).read("a")
    assert copied is not None
    assert copied.entries == log.read("a").entries  # type: ignore[union-attr]
    assert copied.entries[0] == "redacted"


def test_a_document_that_another_writer_wrote_meanwhile_is_a_conflict_or_the_same(buckets: Any, stores: Any):
    first = "langgraph/a/%values/" + "0" * 64
    body = buckets[0].inner.get(first, max_bytes=1000).body
    others = SessionStore(buckets[1].inner).documents("langgraph", integration=True)
    key = first.removeprefix("langgraph/")
    buckets[1].run_before(lambda: others.put(key, body), operation="put", key=first)
    assert {result.id: result.outcome for result in copy_sessions(*stores)}[first] == "same"
    others.delete(key)
    buckets[1].run_before(lambda: others.put(key, b"other"), operation="put", key=first)
    (conflict,) = [result for result in copy_sessions(*stores) if result.outcome != "same"]
    assert (conflict.id, conflict.outcome) == (first, "conflict")
    others.delete(key)
    buckets[1].run_before(lambda: others.put(key, b"other"), operation="put", key=first)
    (copied,) = [result for result in copy_sessions(*stores, overwrite=True) if result.outcome != "same"]
    assert (copied.id, copied.outcome) == (first, "copied")


async def test_the_async_side_copies_the_same():
    from sessionbucket import copy_async_sessions, open_async_store

    urls = [f"memory://{unique_name()}" for _ in range(2)]
    with open_store(urls[0]) as store:
        write_all(store, "a")
    async with open_async_store(urls[0]) as source, open_async_store(urls[1]) as destination:
        for outcome in ("copied", "same"):
            results = [result async for result in copy_async_sessions(source, destination)]
            assert [result.outcome for result in results] == [outcome] * DOCUMENTS
    with open_store(urls[1]) as copy:
        assert [info.names for info in copy.iter_integration("adk")] == [("app", "a", "a")]
