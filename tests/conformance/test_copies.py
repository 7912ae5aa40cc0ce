"""Copies of sessions that a3s-code wrote: under legacy names, with parts and checkpoints that are never parsed."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.conftest import Opener
from conformance.locations import on_every_kind
from conformance.samples import event_of, session_of, texts_of
from conformance.test_legacy_names import OPAQUE, OPAQUE_BODY, body_of, names_of, write_legacy
from sessionbucket import CopyResult, Problem

CHECKPOINTS = ("loop_checkpoints/run-1.json", "workflow_checkpoints/flow_a.json")


def copy(
    opener: Opener, source: Any, target: Any, ids: list[str] | None = None, **options: Any
) -> list[CopyResult]:
    return list(opener.side.make("copy_sessions", source, target, ids, **options))


def outcomes(results: list[CopyResult]) -> list[tuple[str, str]]:
    return [(result.id, result.outcome) for result in results]


@pytest.fixture
def target(opener: Opener) -> Any:
    return opener.store("target")


@on_every_kind
def test_a_copy_has_the_encoded_keys_and_the_same_bytes(opener: Opener, target: Any):
    write_legacy(opener, "foo/bar", "foo_bar", parts=True)
    before = {name: opener.read(name) for name in opener.names()}
    source = opener.store()
    assert outcomes(copy(opener, source, target, ["foo/bar"])) == [("foo/bar", "copied")]
    names = [name.replace("foo_bar", "foo%2Fbar") for name in before]
    copied = sorted(name for name in opener.names() if name.startswith("target/"))
    assert copied == sorted(f"target/{name}" for name in names)
    for name, body in before.items():
        assert opener.read(name) == body
        assert opener.read("target/" + name.replace("foo_bar", "foo%2Fbar")) == body
    assert outcomes(copy(opener, source, target, ["foo/bar"])) == [("foo/bar", "same")]


def test_a_session_keeps_its_legacy_name_in_the_destination(opener: Opener, target: Any):
    write_legacy(opener, "foo/bar", "foo_bar", parts=True)
    opener.write("target/foo_bar.json", opener.read("foo_bar.json"))
    source = opener.store()
    for expected in ("copied", "same"):
        assert outcomes(copy(opener, source, target)) == [("foo_bar", expected)]
        copied = [name for name in opener.names() if name.startswith("target/")]
        assert copied == [f"target/{name}" for name in names_of("foo_bar")]
    target.save_trace_events("foo/bar", [event_of("other")])
    (result,) = copy(opener, source, target)
    assert (result.outcome, result.detail) == ("conflict", "traces")
    (result,) = copy(opener, source, target, overwrite=True)
    assert result.outcome == "copied"
    assert target.load_trace_events("foo/bar") == source.load_trace_events("foo/bar")
    assert [name for name in opener.names() if name.startswith("target/")] == copied


@pytest.mark.parametrize("folder", OPAQUE)
def test_parts_that_are_never_parsed_are_compared_byte_for_byte(opener: Opener, target: Any, folder: str):
    source = opener.store()
    source.save(session_of("s", "text"))
    opener.write(f"{folder}/s.json", b"[1]")
    assert outcomes(copy(opener, source, target)) == [("s", "copied")]
    opener.write(f"{folder}/s.json", b"[ 1]")
    assert copy(opener, source, target) == [CopyResult("s", "conflict", folder, 1)]
    assert opener.read(f"target/{folder}/s.json") == b"[1]"
    assert outcomes(copy(opener, source, target, overwrite=True)) == [("s", "copied")]
    assert opener.read(f"target/{folder}/s.json") == b"[ 1]"


def test_a_copy_of_a_whole_store_includes_the_checkpoints(opener: Opener, target: Any):
    source = opener.store()
    source.save(session_of("s"))
    for name in CHECKPOINTS:
        opener.write(name, OPAQUE_BODY)
    for options in ({"ids": ["s"]}, {"prefix": "s"}):
        copy(opener, source, target, **options)
        assert [name for name in opener.names() if name.startswith("target/")] == ["target/s.json"]
    results = copy(opener, source, target)
    assert [(result.kind, result.id, result.outcome, result.total) for result in results] == [
        ("session", "s", "same", 3),
        *(("checkpoint", name, "copied", 3) for name in CHECKPOINTS),
    ]
    for name in CHECKPOINTS:
        assert opener.read(f"target/{name}") == OPAQUE_BODY
    assert {outcome for _, outcome in outcomes(copy(opener, source, target))} == {"same"}
    opener.write(CHECKPOINTS[0], b"newer")
    assert outcomes(copy(opener, source, target))[1] == (CHECKPOINTS[0], "conflict")
    assert opener.read(f"target/{CHECKPOINTS[0]}") == OPAQUE_BODY
    assert outcomes(copy(opener, source, target, overwrite=True))[1] == (CHECKPOINTS[0], "copied")
    assert opener.read(f"target/{CHECKPOINTS[0]}") == b"newer"
    assert target.list() == ["s"]


def test_checkpoints_are_no_findings_and_stay_when_a_session_is_deleted(opener: Opener):
    store = opener.store()
    store.save(session_of("run-1"))
    for name in CHECKPOINTS:
        opener.write(name, OPAQUE_BODY)
    assert list(store.check()) == []
    store.delete("run-1")
    assert opener.names() == sorted(CHECKPOINTS)


@on_every_kind
def test_parts_that_are_never_parsed_without_their_session_are_found(opener: Opener):
    write_legacy(opener, "foo/bar", "foo_bar", parts=True)
    for folder in OPAQUE:
        opener.write(f"{folder}/gone.json", OPAQUE_BODY)
    store = opener.store()
    findings = list(store.check())
    assert sorted(finding.key for finding in findings) == [
        opener.location.key(f"{folder}/gone.json") for folder in OPAQUE
    ]
    assert {finding.problem for finding in findings} == {Problem.ORPHAN}
    store.delete("foo/bar")
    assert opener.names() == [f"{folder}/gone.json" for folder in OPAQUE]


def test_files_of_a_session_under_its_legacy_name_are_no_findings(opener: Opener):
    write_legacy(opener, "foo/bar", "foo_bar")
    store = opener.store()
    store.put_file("foo/bar", "x.bin", b"x")
    assert list(store.check()) == []
    opener.write("foo_bar.json", body_of(session_of("foo_bar")))
    assert len(list(store.check())) == 1


def test_a_copy_under_the_encoded_key_is_found_by_its_id(opener: Opener, target: Any):
    write_legacy(opener, "a:b", "a:b")
    copy(opener, opener.store(), target)
    assert texts_of(target.load("a:b")) == ["of a3s-code"]
    assert "target/a%3Ab.json" in opener.names()
