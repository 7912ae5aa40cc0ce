"""The requests of ``cp``, and writes of others between its listings and its copies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Barrier
from typing import Any
from urllib.parse import urlencode

import pytest

from cli.command_line import add_parts, make_session, tree
from conformance.locations import Location
from faults.proxy import FaultProxy
from sessionbucket import SessionStore, open_store
from sessionbucket._core.inventory import Inventory
from sessionbucket._sync import conditional_write_support
from sessionbucket._sync.raw_sessions import RawSessions
from sessionbucket.models import TraceEvent

IDS = [f"s{number:02}" for number in range(12)]
OBJECTS_OF_PARTS = 5


@pytest.fixture
def proxy(moto: Location) -> Iterator[FaultProxy]:
    with FaultProxy(moto.endpoint_url) as proxy:
        yield proxy


@pytest.fixture
def bucket_url(moto: Location, proxy: FaultProxy) -> str:
    return f"s3://{moto.bucket}/team?" + urlencode({"endpoint_url": proxy.url, "region": "us-east-1"})


@pytest.fixture
def filled(store: SessionStore) -> SessionStore:
    for id in IDS:
        store.save(make_session(id))
    add_parts(store, "s03")
    return store


def requested_keys(proxy: FaultProxy, method: str) -> list[str]:
    """The keys of sessions and parts in the requests with this method."""
    keys = [
        request.path.split("?")[0].partition("/team/")[2]
        for request in proxy.recorded
        if request.method == method
    ]
    return sorted(key for key in keys if key and not key.startswith(".sessionbucket"))


def test_a_copy_into_an_empty_bucket_sends_one_put_for_each_object(run, filled, url, bucket_url, proxy):
    run.ok("cp", url, bucket_url)
    assert requested_keys(proxy, "PUT") == sorted(tree(url))
    assert len(requested_keys(proxy, "PUT")) == len(IDS) + OBJECTS_OF_PARTS
    assert requested_keys(proxy, "GET") == requested_keys(proxy, "HEAD") == []
    creates = [request for request in proxy.recorded if request.headers.get("If-None-Match") == "*"]
    assert {f"/{id}.json" for id in IDS} <= {"/" + request.path.rpartition("/")[2] for request in creates}
    # Six listings of the destination, one of its probe, and one of the files of the session that has some.
    assert proxy.count("GET", "list-type=2") == 8


def test_a_repeated_copy_compares_the_listings(run, filled, url, bucket_url, proxy):
    run.ok("cp", url, bucket_url)
    proxy.reset()
    assert run.ok("cp", url, bucket_url) == "copied 0, same 12, conflicts 0\n"
    assert requested_keys(proxy, "PUT") == requested_keys(proxy, "HEAD") == []
    # The listing of a folder has no MD5 of files.
    assert all("/files/" in key for key in requested_keys(proxy, "GET"))


def test_the_server_is_probed_once_for_all_concurrent_copies(run, filled, url, bucket_url, proxy):
    run.ok("cp", url, bucket_url)
    probed = proxy.count("PUT", ".sessionbucket/probe")
    with open_store(bucket_url) as remote:
        conditional_write_support._results.clear()
        proxy.reset()
        remote.probe_conditional_writes()
    assert probed == proxy.count("PUT", ".sessionbucket/probe") > 0


def test_a_copy_from_a_bucket_sends_one_get_for_each_object(run, filled, url, bucket_url, other_url, proxy):
    run.ok("cp", url, bucket_url)
    proxy.reset()
    run.ok("cp", bucket_url, other_url)
    assert requested_keys(proxy, "GET") == sorted(tree(url))
    assert requested_keys(proxy, "HEAD") == []
    assert tree(other_url) == tree(url)


def test_a_body_is_copied_byte_for_byte(run, store, url, other_url, tmp_path):
    store.save(make_session("a"))
    path = tmp_path / "store" / "a.json"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\n\n"))
    run.ok("cp", url, other_url)
    assert tree(other_url) == tree(url)


@pytest.fixture
def after_listing(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], None]], None]:
    """Runs an event after the listing of the store at the location and before the first copy."""

    def run_event(location: str, event: Callable[[], None]) -> None:
        plain = RawSessions.inventory

        def inventory(self: RawSessions, prefix: str = "") -> Inventory:
            found = plain(self, prefix)
            if self._bucket.location == location:
                event()
            return found

        monkeypatch.setattr(RawSessions, "inventory", inventory)

    return run_event


def test_another_session_saved_after_the_listing_is_a_conflict(
    run, filled, url, other, other_url, after_listing
):
    after_listing(other.location, lambda: other.save(make_session("s03", "of another")))
    result = run("cp", url, other_url)
    assert result.exit_code == 1
    assert result.stdout == "copied 11, same 0, conflicts 1\n"
    session = other.load("s03")
    assert session is not None
    assert session.messages[0].text == "of another"


def test_an_equal_session_saved_after_the_listing_is_the_same(
    run, filled, url, other, other_url, after_listing
):
    after_listing(other.location, lambda: other.save(make_session("s01")))
    assert run.ok("cp", url, other_url) == "copied 11, same 1, conflicts 0\n"


def test_a_file_put_after_the_listing_is_not_replaced(run, filled, url, other, other_url, after_listing):
    after_listing(other.location, lambda: other.put_file("s03", "log.txt", b"of another"))
    result = run("cp", url, other_url)
    assert result.stdout == "copied 11, same 0, conflicts 1\n"
    with other.open_file("s03", "log.txt") as file:
        assert file.read() == b"of another"
    assert not other.exists("s03")


def test_a_part_saved_after_the_listing_is_not_replaced(run, filled, url, other, other_url, after_listing):
    after_listing(other.location, lambda: other.save_trace_events("s03", []))
    result = run("cp", url, other_url)
    assert result.stdout == "copied 11, same 0, conflicts 1\n"
    assert other.load_trace_events("s03") == []
    assert not other.exists("s03")


def test_a_turn_saved_after_the_listing_is_copied_with_its_parts(
    run, filled, url, other, other_url, after_listing
):
    event = TraceEvent.tool_execution("bash", success=True, exit_code=0, duration=0.5, output_bytes=3)

    def save_a_turn() -> None:
        session = filled.load("s05")
        assert session is not None
        session.tool_names.append("bash")
        filled.save_turn(session, trace_events=[event])

    after_listing(filled.location, save_a_turn)
    run.ok("cp", url, other_url)
    assert tree(other_url) == tree(url)
    assert other.load_trace_events("s05") == [event]


@pytest.mark.filterwarnings("always")
def test_with_conditional_writes_off_the_copy_does_not_rely_on_the_listing(
    run, filled, url, moto, bucket_url, after_listing
):
    with open_store(bucket_url + "&conditional_writes=off") as remote:

        def save() -> None:
            remote.save(make_session("s02", "of another"))

        after_listing(remote.location.removesuffix("/team"), save)
        result = run("cp", url, bucket_url + "&conditional_writes=off")
        assert result.stdout == "copied 11, same 0, conflicts 1\n"
        session = remote.load("s02")
    assert session is not None
    assert session.messages[0].text == "of another"


def test_a_session_under_a_legacy_name_without_the_prefix_is_found_in_the_destination(
    run, store, url, other, other_url, tmp_path
):
    store.save(make_session("a/b"))
    other.save(make_session("a/b", "of another"))
    (tmp_path / "other" / "a%2Fb.json").rename(tmp_path / "other" / "a_b.json")
    result = run("cp", url, other_url, "--prefix", "a/")
    assert result.stdout == "copied 0, same 0, conflicts 1\n"
    assert list(tree(other_url)) == ["a_b.json"]


def require_concurrent_calls(monkeypatch: pytest.MonkeyPatch, name: str, parties: int) -> None:
    """Let calls of a method of ``RawSessions`` continue only when ``parties`` of them run concurrently."""
    plain, barrier = getattr(RawSessions, name), Barrier(parties)

    def wait(*arguments: Any, **options: Any) -> Any:
        barrier.wait(30)
        return plain(*arguments, **options)

    monkeypatch.setattr(RawSessions, name, wait)


def test_concurrency_sessions_are_copied_concurrently(run, filled, url, other_url, monkeypatch):
    require_concurrent_calls(monkeypatch, "get_valid", 4)
    run.ok("cp", url, other_url, "--concurrency", "4")


@pytest.mark.parametrize(("method", "parties"), [("get_valid_part", 5), ("put_part", 3)])
def test_the_parts_of_a_session_are_compared_and_written_concurrently(
    run, filled, url, other_url, monkeypatch, method, parties
):
    require_concurrent_calls(monkeypatch, method, parties)
    run.ok("cp", url, other_url, "s03")


def test_a_concurrency_of_1_copies_all_sessions(run, filled, url, other_url):
    assert run.ok("cp", url, other_url, "-c", "1") == "copied 12, same 0, conflicts 0\n"
    assert tree(other_url) == tree(url)


def test_a_concurrency_below_1_is_wrong_usage(run, filled, url, other_url):
    run.error("cp", url, other_url, "-c", "0", code=2)
