"""``cp``: all parts are copied, differing sessions are replaced only on request, and each result is reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.command_line import add_parts, make_session, tree
from sessionbucket import (
    BucketNotFoundError,
    Message,
    PreconditionFailedError,
    SessionStore,
    StoreUnavailableError,
    open_store,
)
from sessionbucket._sync.raw_sessions import RawSessions
from sessionbucket.models import ArtifactStore, ToolArtifact


@pytest.fixture
def filled(store: SessionStore) -> SessionStore:
    for id in ("a", "b", "a/c"):
        store.save(make_session(id))
    add_parts(store, "a")
    return store


def test_sessions_and_all_their_parts_are_copied_byte_for_byte(run, filled, url, other_url):
    assert run.ok("cp", url, other_url) == "copied 3, same 0, conflicts 0\n"
    assert tree(other_url) == tree(url)


def test_a_repeated_copy_writes_nothing(run, filled, url, other_url, tmp_path):
    run.ok("cp", url, other_url)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "other").rglob("*.json")}
    assert run.ok("cp", url, other_url) == "copied 0, same 3, conflicts 0\n"
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "other").rglob("*.json")} == before


def test_only_the_named_ids_are_copied_and_once_each(run, filled, url, other_url, other):
    assert run.ok("cp", url, other_url, "b", "a/c", "b").startswith("copied 2")
    assert other.list() == ["a/c", "b"]


def test_only_ids_with_the_prefix_are_copied(run, filled, url, other_url, other):
    run.ok("cp", url, other_url, "--prefix", "a")
    assert other.list() == ["a/c", "a"]


def test_ids_and_a_prefix_together_are_wrong_usage(run, filled, url, other_url):
    run.error("cp", url, other_url, "a", "--prefix", "a", code=2)


def test_a_differing_session_is_a_conflict_and_stays_unchanged(run, filled, url, other, other_url):
    other.save(make_session("a", "of another"))
    before = tree(other_url)["a.json"]
    result = run("cp", url, other_url)
    assert result.exit_code == 1
    assert result.stdout == "copied 2, same 0, conflicts 1\n"
    assert result.stderr.startswith("conflict: session 'a' differs")
    after = tree(other_url)
    assert after["a.json"] == before
    assert not [key for key in after if key.startswith(("artifacts/", "traces/", "verification/"))]


def test_overwrite_replaces_differing_sessions_and_parts(run, filled, url, other, other_url):
    other.save(make_session("a", "of another"))
    other.put_file("a", "log.txt", b"not it")
    other.save_trace_events("a", [])
    assert run.ok("cp", url, other_url, "--overwrite") == "copied 3, same 0, conflicts 0\n"
    assert tree(other_url) == tree(url)
    assert run.ok("cp", url, other_url, "--overwrite") == "copied 0, same 3, conflicts 0\n"


@pytest.mark.parametrize("part", ["artifacts", "traces", "verification", "log.txt", "image.png"])
def test_a_differing_part_is_a_conflict(run, filled, url, other, part):
    other_url = other.location
    run.ok("cp", url, other_url)
    match part:
        case "artifacts":
            other.save_artifacts("a", ArtifactStore())
        case "traces":
            other.save_trace_events("a", [])
        case "verification":
            other.save_verification_reports("a", [])
        case "log.txt":
            other.put_file("a", part, b"A log\n")
        case "image.png":
            other.put_file("a", part, b"short")
    before = tree(other_url)
    result = run("cp", url, other_url)
    assert result.exit_code == 1
    assert result.stdout == "copied 0, same 2, conflicts 1\n"
    assert part in result.stderr
    assert tree(other_url) == before


def test_a_part_that_differs_only_in_layout_is_the_same(run, filled, url, other_url, tmp_path):
    run.ok("cp", url, other_url)
    path = tmp_path / "other" / "traces" / "a.json"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\n\n"))
    assert run.ok("cp", url, other_url) == "copied 0, same 3, conflicts 0\n"


def test_missing_parts_are_added_to_an_equal_session(run, filled, url, other, other_url):
    run.ok("cp", url, other_url)
    other.delete_file("a", "log.txt")
    (Path(other_url.removeprefix("file://")) / "traces" / "a.json").unlink()
    assert run.ok("cp", url, other_url) == "copied 1, same 2, conflicts 0\n"
    assert tree(other_url) == tree(url)


def test_sessions_and_parts_of_the_destination_alone_are_kept(run, filled, url, other, other_url):
    run.ok("cp", url, other_url)
    add_parts(other, "b")
    other.save(make_session("z"))
    before = tree(other_url)
    assert run.ok("cp", url, other_url, "--overwrite") == "copied 0, same 3, conflicts 0\n"
    assert tree(other_url) == before


def test_the_session_object_is_written_last(run, filled, url, other_url, monkeypatch):
    def fail(self: RawSessions, id: str, body: bytes, **_: bool) -> None:
        raise StoreUnavailableError("it does not respond", location="there")

    monkeypatch.setattr(RawSessions, "put", fail)
    assert run("cp", url, other_url, "a").exit_code == 1
    assert set(tree(other_url)) == set(tree(url)) - {"a.json", "b.json", "a%2Fc.json"}


def test_missing_ids_are_reported_and_the_others_copied(run, filled, url, other, other_url):
    result = run("cp", url, other_url, "nope", "b")
    assert result.exit_code == 1
    assert result.stdout == "copied 1, same 0, conflicts 0, missing 1\n"
    assert "error: session 'nope' does not exist" in result.stderr
    assert other.list() == ["b"]


def test_a_corrupted_session_does_not_stop_the_others(run, filled, url, other, tmp_path):
    (tmp_path / "store" / "aa.json").write_bytes(b'{"id": "secret text')
    result = run("cp", url, other.location)
    assert result.exit_code == 1
    assert result.stdout == "copied 3, same 0, conflicts 0, failed 1\n"
    assert "error: session 'aa' was not copied" in result.stderr
    assert "secret text" not in result.stderr
    assert not other.exists("aa")


def test_no_part_of_a_session_with_a_corrupted_part_is_copied(run, filled, url, other_url, tmp_path):
    (tmp_path / "store" / "traces" / "a.json").write_bytes(b"[")
    result = run("cp", url, other_url)
    assert result.stdout == "copied 2, same 0, conflicts 0, failed 1\n"
    assert set(tree(other_url)) == {"b.json", "a%2Fc.json"}


def test_a_corrupted_session_in_the_destination_is_a_conflict(run, filled, url, other, tmp_path):
    other_url = other.location
    (tmp_path / "other" / "a.json").write_bytes(b"{")
    result = run("cp", url, other_url)
    assert result.exit_code == 1
    assert "cannot be read there" in result.stderr
    assert (tmp_path / "other" / "a.json").read_bytes() == b"{"
    run.ok("cp", url, other_url, "--overwrite")
    assert tree(other_url) == tree(url)


def test_artifacts_above_the_limits_are_copied(run, store, url, other_url):
    store.save(make_session("a"))
    artifacts = ArtifactStore.with_limits(max_artifacts=1000)
    for number in range(300):
        artifacts.put(
            ToolArtifact(
                artifact_id=str(number),
                artifact_uri=f"artifact://{number}",
                tool_name="bash",
                content="x",
                original_bytes=1,
                shown_bytes=1,
            )
        )
    store.save_artifacts("a", artifacts)
    run.ok("cp", url, other_url)
    assert tree(other_url) == tree(url)


def test_a_session_under_its_legacy_name_is_copied_with_its_parts(run, store, url, other_url, tmp_path):
    store.save(make_session("a/b"))
    store.save_trace_events("a/b", [])
    (tmp_path / "store" / "a%2Fb.json").rename(tmp_path / "store" / "a_b.json")
    (tmp_path / "store" / "traces" / "a%2Fb.json").rename(tmp_path / "store" / "traces" / "a_b.json")
    assert run.ok("cp", url, other_url, "a/b").startswith("copied 1")
    assert set(tree(other_url)) == {"a%2Fb.json", "traces/a%2Fb.json"}


def test_a_store_with_legacy_names_is_copied_to_encoded_keys(run, store, url, other, tmp_path):
    other_url = other.location
    store.save(make_session("a/b"))
    store.save(make_session("c"))
    (tmp_path / "store" / "a%2Fb.json").rename(tmp_path / "store" / "a_b.json")
    assert run.ok("cp", url, other_url) == "copied 2, same 0, conflicts 0\n"
    assert run.ok("cp", url, other_url) == "copied 0, same 2, conflicts 0\n"
    assert other.list() == ["a/b", "c"]


def test_a_legacy_name_is_not_accepted_as_an_id(run, store, url, other_url, tmp_path):
    store.save(make_session("a/b"))
    (tmp_path / "store" / "a%2Fb.json").rename(tmp_path / "store" / "a_b.json")
    result = run("cp", url, other_url, "a_b")
    assert result.exit_code == 1
    assert "it contains the id 'a/b'" in result.stderr


def test_a_session_that_another_writer_wrote_during_the_copy_is_a_conflict(
    run, filled, url, other_url, monkeypatch
):
    def put(*_: object, **__: object) -> str:
        raise PreconditionFailedError("key", location="there")

    monkeypatch.setattr("sessionbucket._sync.buckets.file.FileBucket.put", put)
    result = run("cp", url, other_url, "b")
    assert result.exit_code == 1
    assert "another writer wrote it meanwhile" in result.stderr


def test_a_store_cannot_be_copied_onto_itself(run, filled, url):
    assert "same store" in run.error("cp", url, url + "/")


def test_a_missing_source_is_an_error_and_is_not_created(run, tmp_path, other_url):
    missing = tmp_path / "missing"
    assert "does not exist" in run("cp", missing.as_uri(), other_url).stderr
    assert not missing.exists()


def test_a_store_that_disappears_ends_the_copy_with_a_summary(run, filled, url, other_url, monkeypatch):
    def fail(self: RawSessions, id: str) -> None:
        raise BucketNotFoundError("the bucket is gone", location="there")

    monkeypatch.setattr(RawSessions, "get_valid", fail)
    result = run("cp", url, other_url)
    assert result.exit_code == 1
    assert result.stdout == "copied 0, same 0, conflicts 0\n"
    assert result.stderr == "error: there: the bucket is gone\n"


def test_an_interrupted_copy_ends_with_a_summary(run, filled, url, other_url, monkeypatch):
    def interrupt(self: RawSessions, id: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(RawSessions, "get_valid", interrupt)
    result = run("cp", url, other_url)
    assert result.exit_code == 130
    assert result.stdout == "copied 0, same 0, conflicts 0\n"
    assert result.stderr == "error: interrupted\n"


def test_a_copy_of_many_sessions_copies_each_correctly(run, store, url, other, other_url):
    for number in range(60):
        store.save(make_session(f"s{number:02}", *["text"] * number))
    assert run.ok("cp", url, other_url).startswith("copied 60")
    session = other.load("s59")
    assert session is not None
    session.messages.append(Message.user("more"))
    other.save(session)
    assert run("cp", url, other_url).stdout == "copied 0, same 59, conflicts 1\n"


def test_both_urls_are_required_whatever_the_environment(run, filled, url, other_url):
    run.error("cp", url, code=2)


def test_the_options_of_both_urls_are_used(run, filled, url, other_url):
    run.ok("cp", url + "?fsync=false", other_url + "?fsync=false")
    with open_store(other_url) as copy:
        assert copy.list() == ["a/c", "a", "b"]
