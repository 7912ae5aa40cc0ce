"""Erasure: after a purge or a redaction a text is gone from every version, whatever happened in between, and nothing else is."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from both_sides import first_on_sync, unwrapped
from conformance.canaries import CANARY, leaks, left
from conformance.conftest import Opener, new_bucket
from conformance.locations import FILE, MOTO, VERSIONED, WITHOUT_SERVER, Location, unique_name
from conformance.samples import artifacts_of, event_of, report_of, say, session_of, texts_of
from sessionbucket import (
    AccessDeniedError,
    EraseIncompleteError,
    InvalidArgumentError,
    SessionBucketError,
    SessionConflictError,
    SessionNotFoundError,
    StoreUnavailableError,
)
from sessionbucket._core.objects import VersionPage
from sessionbucket.testing import AsyncFaultyBucket, FaultyBucket

in_versioned_memory = pytest.mark.parametrize("location", VERSIONED[:1], indirect=True)
on_servers = pytest.mark.parametrize("location", VERSIONED[1:], indirect=True)
without_versions = pytest.mark.parametrize("location", WITHOUT_SERVER, indirect=True)
BOOKKEEPING = ".sessionbucket/"


def faulty(opener: Opener) -> Any:
    return opener.side.wrapper(opener.bucket(), FaultyBucket, AsyncFaultyBucket)


def fill(store: Any, opener: Opener, *, files: bool = True) -> Any:
    """Two sessions whose ids begin alike. The first has the text everywhere, in current and in old versions."""
    session = session_of("s", f"old {CANARY}")
    store.save(session)
    session.messages[0] = session_of("s", "clean").messages[0]
    session.config.name = f"titled {CANARY}"
    store.save_turn(
        session,
        artifacts=artifacts_of(CANARY),
        trace_events=[event_of(CANARY)],
        verification_reports=[report_of(CANARY)],
    )
    store.save_trace_events("s", [event_of("clean")])
    if files:
        store.put_file("s", "notes.txt", CANARY.encode())
    store.put_file("s", "deleted.txt", CANARY.encode())
    store.delete_file("s", "deleted.txt")
    opener.write(f"{BOOKKEEPING}leases/s.json", f'{{"owner": "{CANARY}"}}'.encode())
    shard = f'[1, "x"]\n["s", "etag", ["{CANARY}"]]'.encode()
    opener.write(f"{BOOKKEEPING}catalog/a.jsonl.gz", gzip.compress(shard))
    opener.write(f"{BOOKKEEPING}catalog/a.jsonl.gz", gzip.compress(shard + b"\n"))
    opener.write(f"{BOOKKEEPING}catalog/t.jsonl.gz", gzip.compress(b'[1, "x"]\n["t", "etag", []]'))
    for id in ("s2", "s.json"):
        store.save_turn(session_of(id, "other"), trace_events=[event_of("other")], overwrite=True)
        store.put_file(id, "notes.txt", b"other")
    return session


def others_are_whole(store: Any) -> bool:
    for id in ("s2", "s.json"):
        with store.open_file(id, "notes.txt") as file:
            assert file.read() == b"other"
        assert texts_of(store.load(id)) == ["other"]
        assert store.load_trace_events(id) == [event_of("other")]
    return True


def begin_upload(location: Location) -> None:
    """An upload whose program was killed."""
    if location.raw is not None:
        key = location.key("artifacts/s/files/notes.txt")
        id = location.raw.create_multipart_upload(Bucket=location.bucket, Key=key)["UploadId"]
        location.raw.upload_part(
            Bucket=location.bucket, Key=key, UploadId=id, PartNumber=1, Body=CANARY.encode()
        )


def of_session(opener: Opener) -> list[str]:
    """What is left of the session ``s``, and of the catalog's shards that had its row."""
    names = [name.removeprefix(opener.location.key("")) for name in left(opener)]
    mine = ("s.json", "traces/s.json", "verification/s.json", "artifacts/s/", f"{BOOKKEEPING}leases/")
    return [name for name in names if name.startswith((*mine[3:], f"{BOOKKEEPING}catalog/a")) or name in mine]


def test_a_purge_leaves_nothing_of_the_session_and_all_of_the_others(store: Any, opener: Opener):
    fill(store, opener)
    begin_upload(opener.location)
    assert len(leaks(opener)) >= 10
    report = store.purge("s")
    assert leaks(opener) == []
    assert of_session(opener) == []
    assert not store.exists("s")
    assert others_are_whole(store)
    assert (report.id, report.kept, report.recreated) == ("s", [], [])
    assert report.uploads_aborted == (1 if opener.location.raw else 0)
    assert report.erased_versions >= 14
    assert report.erased_bytes > 1000
    assert opener.location.key("s.json") in report.keys
    assert report.verified_at is not None
    assert any("replicas" in each for each in report.not_covered)
    assert opener.location.key(f"{BOOKKEEPING}catalog/t.jsonl.gz") in left(opener)


def test_a_purge_erases_what_a_delete_left(store: Any, opener: Opener):
    fill(store, opener)
    store.delete("s")
    assert leaks(opener), "a delete erases nothing in a bucket that keeps versions"
    store.purge("s")
    assert leaks(opener) == []
    assert of_session(opener) == []
    assert store.purge("s").erased_versions == 0


@first_on_sync
@in_versioned_memory
def test_a_purge_can_be_repeated_after_a_crash_at_any_step(opener: Opener):
    step = 0
    while True:
        step += 1
        bucket = faulty(opener)
        store = opener.side.store(bucket)
        fill(opener.store(), opener)
        bucket.fail(nth=step, times=None, error=AccessDeniedError("crash", location=store.location))
        try:
            store.purge("s")
        except SessionBucketError:
            visible = opener.store().exists("s")
            has_deleted = any(
                call.operation in ("delete", "delete_if") and "s.json" in call.keys
                for call in bucket.calls[:-1]
            )
            assert not (has_deleted and visible), f"a crash at step {step} brought the session back"
            opener.store().purge("s")
            assert leaks(opener) == []
            assert of_session(opener) == []
            assert others_are_whole(opener.store())
        else:
            break
    assert step > 20


def test_a_session_that_is_created_anew_during_a_purge_stays(opener: Opener):
    bucket = faulty(opener)
    store, other = opener.side.store(bucket, opener.location.key("")), opener.store()
    fill(other, opener)

    def create() -> None:
        session = session_of("s", "new")
        other.save_turn(session, trace_events=[event_of("new")])
        say(session, "newer")
        other.save(session)

    bucket.run_before(create, "erase")
    report = store.purge("s")
    assert bucket.pending == []
    assert set(report.recreated) == {opener.location.key("s.json"), opener.location.key("traces/s.json")}
    assert texts_of(other.load("s")) == ["new", "newer"]
    assert other.load_trace_events("s") == [event_of("new")]
    assert [name for name in leaks(opener) if "catalog" not in name] == []


@in_versioned_memory
def test_what_is_saved_while_a_purge_lists_goes_with_the_session(opener: Opener):
    bucket = faulty(opener)
    store, other = opener.side.store(bucket), opener.store()
    session = fill(other, opener)

    def save() -> None:
        say(session, f"meanwhile {CANARY}")
        other.save(session)

    bucket.run_before(save, "delete", nth=1)
    store.purge("s")
    assert leaks(opener) == []
    with pytest.raises(SessionConflictError):
        other.save(session)


@in_versioned_memory
@pytest.mark.parametrize("is_executed", [True, False])
def test_a_purge_whose_delete_has_an_unknown_outcome_erases_nothing(opener: Opener, is_executed: bool):
    bucket = faulty(opener)
    store = opener.side.store(bucket)
    fill(opener.store(), opener)
    before = len(leaks(opener))
    # Only the delete of the session fails: an error of a later request would also end the purge.
    fault = bucket.drop_response if is_executed else bucket.drop_request
    fault("delete", key="*traces/s.json", times=None)
    with pytest.raises(StoreUnavailableError) as caught:
        store.purge("s")
    assert caught.value.outcome == "unknown"
    assert len(leaks(opener)) == before
    assert not any(call.operation == "erase" for call in bucket.calls)


@in_versioned_memory
@pytest.mark.parametrize("operation", ["erase", "delete_if", "list_versions"])
def test_lost_responses_of_a_purge_are_resolved(opener: Opener, operation: Any):
    bucket = faulty(opener)
    store = opener.side.store(bucket)
    fill(opener.store(), opener)
    bucket.drop_response(operation)
    store.purge("s")
    assert bucket.pending == []
    assert of_session(opener) == []


@without_versions
def test_a_purge_without_versions_deletes_everything(store: Any, opener: Opener):
    fill(store, opener)
    report = store.purge("s")
    assert report.kept == []
    assert opener.location.key("s.json") in report.keys
    assert [name for name in opener.names() if CANARY.encode() in opener.read(name)] == []
    assert f"{BOOKKEEPING}catalog/a.jsonl.gz" not in opener.names()
    assert others_are_whole(store)


@pytest.mark.parametrize("location", [FILE], indirect=True)
def test_a_purge_of_a_folder_reports_fresh_temporary_files(store: Any, opener: Opener):
    fill(store, opener)
    opener.write(f"{BOOKKEEPING}tmp/{'a' * 32}.tmp", CANARY.encode())
    names = [name for name in opener.names() if name.endswith(".tmp")]
    report = store.purge("s")
    assert [name for name in opener.names() if name.endswith(".tmp")] == names
    assert any("temporary files" in each for each in report.not_covered) == bool(names)


def test_a_dry_run_changes_nothing_and_counts(store: Any, opener: Opener):
    fill(store, opener)
    before = sorted(left(opener))
    purge = store.purge("s", dry_run=True)
    redaction = store.redact("s", without_canary, files="delete", dry_run=True)
    assert sorted(left(opener)) == before
    assert purge.verified_at is None
    assert purge.erased_versions >= 10
    assert redaction.erased_versions >= 4
    assert opener.location.key("s.json") in redaction.keys
    assert store.load("s").config.name == f"titled {CANARY}"


@in_versioned_memory
def test_a_purge_of_a_session_with_a_legacy_name(store: Any, opener: Opener):
    store.save(session_of("x/y", f"one {CANARY}"))
    opener.write("a_b.json", opener.read("x%2Fy.json").replace(b'"x/y"', b'"a/b"'))
    store.purge("x/y")
    session = store.load("a/b")
    say(session, "two")
    store.save(session)
    store.delete("a/b")
    store.purge("a/b")
    assert left(opener) == []


@in_versioned_memory
def test_a_legacy_name_that_another_session_has_is_left_alone(store: Any, opener: Opener):
    store.save(session_of("x/y", "mine"))
    opener.write("a_b.json", opener.read("x%2Fy.json").replace(b'"x/y"', b'"a/b"'))
    opener.write("a_b.json", opener.read("x%2Fy.json").replace(b'"x/y"', b'"a\\\\b"'))
    report = store.purge("a/b")
    assert any("another session" in each for each in report.not_covered)
    assert left(opener).count("a_b.json") == 2


def without_canary(text: str) -> str:
    return text.replace(CANARY, "[redacted]")


def test_a_redaction_changes_every_string_and_erases_what_is_older(store: Any, opener: Opener):
    fill(store, opener, files=False)
    begin_upload(opener.location)
    report = store.redact("s", without_canary)
    assert [name for name in leaks(opener) if "leases" not in name] == []
    session = store.load("s")
    assert session.config.name == "titled [redacted]"
    assert [each.content for each in store.load_artifacts("s").artifacts] == ["[redacted]"]
    assert [each.subject for each in store.load_verification_reports("s")] == ["[redacted]"]
    assert store.load_trace_events("s") == [event_of("clean")]
    assert others_are_whole(store)
    assert report.kept == []
    assert opener.location.key("s.json") in report.keys
    say(session, "on")
    store.save(session)
    assert store.redact("s", without_canary).erased_versions == 1


def test_a_redaction_of_old_versions_alone_writes_nothing(store: Any, opener: Opener):
    session = session_of("s", CANARY)
    store.save(session)
    session.messages.clear()
    store.save(session)
    version = store.version_of(session)
    store.redact("s", without_canary)
    assert store.version_of(store.load("s")) == version
    assert leaks(opener) == []
    say(session, "goes on")
    store.save(session)


def test_the_files_of_a_session_are_kept_or_deleted_as_the_caller_chooses(store: Any, opener: Opener):
    fill(store, opener)
    before = sorted(left(opener))
    with pytest.raises(InvalidArgumentError, match=r"has files.*'notes\.txt'"):
        store.redact("s", without_canary)
    with pytest.raises(InvalidArgumentError, match="'refuse', 'keep' or 'delete'"):
        store.redact("s", without_canary, files="all")
    assert sorted(left(opener)) == before
    report = store.redact("s", without_canary, files="keep")
    assert any("files" in each for each in report.not_covered)
    with store.open_file("s", "notes.txt") as file:
        assert file.read() == CANARY.encode()
    store.redact("s", without_canary, files="delete")
    assert store.list_files("s") == []
    assert [name for name in leaks(opener) if "leases" not in name] == []


@first_on_sync
@in_versioned_memory
def test_a_redaction_can_be_repeated_after_a_crash_at_any_step(opener: Opener):
    step = 0
    while True:
        step += 1
        bucket = faulty(opener)
        store = opener.side.store(bucket)
        opener.store().purge("s")
        fill(opener.store(), opener, files=False)
        bucket.fail(nth=step, times=None, error=AccessDeniedError("crash", location=store.location))
        try:
            store.redact("s", without_canary)
        except SessionBucketError:
            opener.store().redact("s", without_canary)
        else:
            break
        assert [name for name in leaks(opener) if "leases" not in name] == []
        assert opener.store().load("s").config.name == "titled [redacted]"
        assert others_are_whole(opener.store())
    assert step > 20


def test_a_writer_between_makes_the_redaction_start_over(opener: Opener):
    bucket = faulty(opener)
    store, other = opener.side.store(bucket, opener.location.key("")), opener.store()
    session = fill(other, opener, files=False)
    stale = other.load("s")

    def save() -> None:
        say(session, f"meanwhile {CANARY}")
        other.save(session)

    bucket.run_before(save, "put", key="*s.json", nth=3)
    store.redact("s", without_canary)
    assert bucket.pending == []
    assert texts_of(other.load("s"))[-1] == "meanwhile [redacted]"
    assert [name for name in leaks(opener) if "leases" not in name] == []
    with pytest.raises(SessionConflictError):
        other.save(stale)


def test_nothing_newer_than_the_redaction_is_erased(opener: Opener):
    bucket = faulty(opener)
    store, other = opener.side.store(bucket, opener.location.key("")), opener.store()
    fill(other, opener, files=False)

    def save_twice() -> None:
        session = other.load("s")
        say(session, "later")
        other.save(session)
        say(session, "later still")
        other.save(session)

    bucket.run_before(save_twice, "erase")
    store.redact("s", without_canary)
    versions = [texts_of(other.history.load("s", each.version_id)) for each in other.history.versions("s")]
    assert versions == [["clean", "later", "later still"], ["clean", "later"], ["clean"]]
    assert [name for name in leaks(opener) if "leases" not in name] == []


@in_versioned_memory
def test_equal_bytes_are_told_apart_by_who_wrote_them(opener: Opener):
    """Our own save is an old version below equal bytes: what lies between is newer than our save, and stays."""
    bucket = faulty(opener)
    store, other = opener.side.store(bucket), opener.store()
    session = session_of("s", "clean")
    other.save(session)

    def detour() -> None:
        say(session, "detour")
        other.save(session)
        del session.messages[1:]
        other.save(session)

    bucket.run_before(detour, "list_versions", nth=9)
    store.redact("s", without_canary)
    assert bucket.pending == []
    assert len(list(other.history.versions("s"))) == 3


@in_versioned_memory
@pytest.mark.parametrize("is_executed", [True, False])
def test_a_redaction_whose_save_has_an_unknown_outcome_erases_nothing(opener: Opener, is_executed: bool):
    bucket = faulty(opener)
    store = opener.side.store(bucket)
    fill(opener.store(), opener, files=False)
    (bucket.drop_response if is_executed else bucket.drop_request)("put", key="s.json", times=None)
    bucket.fail("head", key="s.json", times=None)
    bucket.fail("exists", key="s.json", times=None)
    with pytest.raises(SessionBucketError) as caught:
        store.redact("s", without_canary)
    assert getattr(caught.value, "outcome", None) == "unknown"
    assert not any(call.operation == "erase" for call in bucket.calls)


BAD_CHANGES: list[tuple[Callable[[str], Any], str]] = [
    (lambda text: None, "must return the new string"),
    (lambda text: "\ud800", "lone surrogate"),
    (lambda text: text + "!", "could not be read"),
    (lambda text: "t" if text == "s" else text, "an id cannot be redacted"),
]


@in_versioned_memory
@pytest.mark.parametrize(("change", "words"), BAD_CHANGES)
def test_a_bad_change_erases_nothing(store: Any, opener: Opener, change: Callable[[str], Any], words: str):
    store.save(session_of("s", "one"))
    store.save(session_of("s", "two"), overwrite=True)
    with pytest.raises(InvalidArgumentError, match=words):
        store.redact("s", change)
    assert texts_of(store.load("s")) == ["two"]
    assert len(left(opener)) == 2
    with pytest.raises(InvalidArgumentError):
        store.redact("s", "no function")
    with pytest.raises(SessionNotFoundError):
        store.redact("missing", without_canary)


@in_versioned_memory
def test_a_redaction_keeps_every_other_byte_and_reports_names(store: Any, opener: Opener):
    store.save(session_of("s", "text"))
    body = opener.read("s.json").replace(
        b'"created_at": 1,',
        b'"created_at": 1,\n  "x":{"' + CANARY.encode() + b'":[1.50,"' + CANARY.encode() + b'"]},',
    )
    opener.write("s.json", body)
    report = store.redact("s", without_canary)
    assert opener.read("s.json") == body.replace(b'"' + CANARY.encode() + b'"]', b'"[redacted]"]')
    assert any("names of members" in each for each in report.not_covered)


@without_versions
def test_a_redaction_without_versions_rewrites(store: Any, opener: Opener):
    fill(store, opener, files=False)
    store.redact("s", without_canary)
    assert [name for name in opener.names() if CANARY.encode() in opener.read(name)] == [
        f"{BOOKKEEPING}leases/s.json"
    ]


@on_servers
@pytest.mark.parametrize("lock", ["hold", "GOVERNANCE", "COMPLIANCE"])
def test_an_object_lock_is_reported_and_the_session_stays_deleted(
    opener: Opener, lock: str, request: pytest.FixtureRequest
):
    raw, name = opener.location.raw, unique_name()
    raw.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    bucket = new_bucket(opener.side, opener.location, name)
    request.addfinalizer(bucket.close)
    store = opener.side.store(bucket)
    session = session_of("s", "one")
    store.save(session)
    say(session, "two")
    store.save(session)
    [_, old] = store.history.versions("s")
    at = {"Bucket": name, "Key": "s.json", "VersionId": old.version_id}
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    if lock == "hold":
        raw.put_object_legal_hold(**at, LegalHold={"Status": "ON"})
    else:
        raw.put_object_retention(**at, Retention={"Mode": lock, "RetainUntilDate": until})
    with pytest.raises(EraseIncompleteError, match="object lock") as caught:
        store.purge("s")
    report = caught.value.report
    [kept] = report.kept
    assert (kept.key, kept.version_id) == ("s.json", old.version_id)
    assert ("legal hold" if lock == "hold" else lock.lower()) in kept.reason
    assert kept.until == (None if lock == "hold" else until)
    assert report.erased_versions == 1
    assert not store.exists("s")
    if lock == "GOVERNANCE":
        assert store.purge("s", bypass_governance=True).erased_versions == 2
    elif lock == "hold":
        raw.put_object_legal_hold(**at, LegalHold={"Status": "OFF"})
        store.purge("s")
    else:
        with pytest.raises(EraseIncompleteError):
            store.purge("s", bypass_governance=True)
        return
    assert "Versions" not in raw.list_object_versions(Bucket=name, Prefix="s.json")


@pytest.mark.slow
def test_thousands_of_versions_are_listed_and_erased(store: Any, opener: Opener):
    if opener.side.name == "async":
        pytest.skip("the sync side sends the same requests")
    if opener.location.kind == MOTO:
        pytest.skip(
            "moto compares all versions with each other, and takes longer for a delete than the time limit"
        )
    bucket = opener.bucket()
    store.save(session_of("s", CANARY))
    body = opener.read("s.json")
    for _ in range(2_499):
        bucket.put(opener.location.key("s.json"), body)
    store.save(session_of("s2", "other"))
    ids = [row.version_id for row in store.history.versions("s")]
    assert len(set(ids)) == 2_500
    assert store.history.erase("s", keep=1_200).erased_versions == 1_300
    assert store.purge("s").erased_versions == 1_201
    assert leaks(opener) == []
    key = opener.location.key("s.json")
    assert not any(
        bucket.get_version(key, id, max_bytes=1_000_000) for id in ids
    )  # what no listing shows, either
    assert store.list() == ["s2"]


@in_versioned_memory
def test_a_purge_lists_again_until_nothing_is_left_when_listings_are_incomplete(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
):
    store = opener.store()
    fill(store, opener)
    for number in range(60):
        store.save_trace_events("s", [event_of(f"{CANARY} {number}")])
    kind = type(unwrapped(opener.bucket()))
    complete = kind.list_versions

    def without_half(page: VersionPage) -> VersionPage:
        rows = page.versions
        return page._replace(versions=rows[: len(rows) // 2]) if len(rows) > 3 else page

    def incomplete(self: Any, *args: Any, **kwargs: Any) -> Any:
        return without_half(complete(self, *args, **kwargs))

    async def incomplete_async(self: Any, *args: Any, **kwargs: Any) -> Any:
        return without_half(await complete(self, *args, **kwargs))

    with monkeypatch.context() as patch:
        patch.setattr(kind, "list_versions", incomplete if opener.side.name == "sync" else incomplete_async)
        store.purge("s")
    assert leaks(opener) == []
    assert of_session(opener) == []
    assert others_are_whole(store)
