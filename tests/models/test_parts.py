"""Artifacts and their limits, trace events, verification reports."""

from datetime import timedelta

import pytest

from sessionbucket._codec import codec_of
from sessionbucket.models import (
    ArtifactStore,
    ToolArtifact,
    TraceEvent,
    VerificationCheck,
    VerificationReport,
)


def artifact(uri: str, content: str = "x") -> ToolArtifact:
    return ToolArtifact(
        artifact_id=uri, artifact_uri=uri, tool_name="t", content=content, original_bytes=1, shown_bytes=1
    )


def uris(store: ArtifactStore) -> list[str]:
    return [kept.artifact_uri for kept in store]


def check(status: str, *, required: bool = False) -> VerificationCheck:
    return VerificationCheck(id="c", kind="test", description="d", status=status, required=required)


def test_artifacts_are_kept_in_order_and_found_by_uri():
    store = ArtifactStore()
    for uri in "abc":
        store.put(artifact(uri))
    assert uris(store) == ["a", "b", "c"]
    assert len(store) == 3
    assert store.get("b") == artifact("b")
    assert store.get("z") is None


def test_an_artifact_put_again_replaces_the_old_one_and_becomes_the_newest():
    store = ArtifactStore.with_limits([artifact("a"), artifact("b")])
    store.put(artifact("a", "new"))
    assert uris(store) == ["b", "a"]
    assert store.get("a").content == "new"


def test_the_257th_artifact_drops_the_oldest():
    store = ArtifactStore()
    for number in range(257):
        store.put(artifact(str(number)))
    assert len(store) == 256
    assert uris(store)[0] == "1"


def test_the_byte_limit_counts_utf_8_and_drops_the_oldest():
    store = ArtifactStore.with_limits([artifact("a", "éé"), artifact("b", "xx")], max_bytes=6)
    assert store.total_bytes == 6
    store.put(artifact("c", "x"))
    assert uris(store) == ["b", "c"]
    assert store.total_bytes == 3


def test_an_artifact_over_the_limit_alone_drops_everything():
    store = ArtifactStore.with_limits([artifact("a")], max_bytes=3)
    store.put(artifact("b", "xxxx"))
    assert len(store) == 0
    usual = ArtifactStore()
    usual.put(artifact("a", "x" * (16 * 1024 * 1024)))
    assert len(usual) == 1
    usual.put(artifact("b"))
    assert uris(usual) == ["b"]


def test_the_usual_limits_apply_on_a_read():
    made = ArtifactStore.with_limits([artifact(str(number)) for number in range(300)], max_artifacts=400)
    codec = codec_of(ArtifactStore)
    loaded = codec.decode(codec.encode(made, key="k"), key="k")
    assert len(loaded) == 256
    assert uris(loaded)[-1] == "299"


def test_of_two_artifacts_with_one_uri_a_read_keeps_the_last():
    store = ArtifactStore(artifacts=[artifact("a"), artifact("b"), artifact("a", "last")])
    assert uris(store) == ["b", "a"]
    assert store.get("a").content == "last"


def test_retained_artifacts_survive_both_limits():
    manifest = ArtifactStore(artifacts=[artifact("a", "aa"), artifact("b")], retained_uris=["a", "elsewhere"])
    assert uris(manifest) == ["a", "b"]
    store = ArtifactStore.with_limits(manifest, max_artifacts=2, max_bytes=3)
    store.retained_uris = manifest.retained_uris
    store.put(artifact("c"))
    assert uris(store) == ["a", "c"]
    store.put(artifact("d", "dddd"))
    assert uris(store) == ["a"]
    store.retained_uris = ["a", "e"]
    store.put(artifact("e", "eeee"))
    assert uris(store) == ["a", "e"]


def test_retained_artifacts_survive_a_read_and_a_write():
    many = [artifact(str(number)) for number in range(300)]
    made = ArtifactStore.with_limits(many, max_artifacts=400)
    made.retained_uris = ["3", "1"]
    codec = codec_of(ArtifactStore)
    body = codec.encode(made, key="k")
    loaded = codec.decode(body, key="k")
    assert uris(loaded)[:3] == ["1", "3", "46"]
    assert len(loaded) == 256
    assert loaded.retained_uris == ["3", "1"]
    empty = b'{\n  "artifacts": [],\n  "retained_uris": []\n}'
    assert codec.encode(codec.decode(empty, key="k"), key="k") == empty


def test_a_tool_event_keeps_keys_and_artifact_uris_of_its_metadata():
    metadata = {
        "z": [{"artifact_uri": "u2"}, {"deep": {"artifact_uri": "u1", "x": [[{"artifact_uri": "u2"}]]}}],
        "a": {"artifact_uri": 5},
        "artifact_uri": "u3",
    }
    event = TraceEvent.tool_execution(
        "read",
        success=True,
        exit_code=0,
        duration=timedelta(microseconds=9999),
        output_bytes=12,
        metadata=metadata,
    )
    assert event.metadata_keys == ["a", "artifact_uri", "z"]
    assert event.artifact_uris == ["u1", "u2", "u3"]
    assert event.duration_ms == 9
    assert event.details is None
    assert event.schema_id == "a3s.trace_event.v1"


def test_an_event_without_metadata_has_seven_members():
    event = TraceEvent.tool_execution("grep", success=False, exit_code=1, duration=0.002, output_bytes=24)
    assert event.model_dump(mode="json") == {
        "schema": "a3s.trace_event.v1",
        "kind": "tool_execution",
        "name": "grep",
        "success": False,
        "exit_code": 1,
        "duration_ms": 2,
        "output_bytes": 24,
    }


def test_metadata_that_is_no_object_has_no_keys():
    event = TraceEvent.tool_execution(
        "x", success=True, exit_code=0, duration=0, output_bytes=0, metadata=[{"artifact_uri": "u"}]
    )
    assert event.metadata_keys == []
    assert event.artifact_uris == ["u"]


def test_a_duration_is_capped_at_64_bits():
    event = TraceEvent.tool_execution("x", success=True, exit_code=0, duration=1e20, output_bytes=0)
    assert event.duration_ms == 2**64 - 1


@pytest.mark.parametrize(
    ("metadata", "details"),
    [
        (
            {"trace": {"program_name": "p", "success": True, "step_count": 3, "other": 1}},
            {"program_name": "p", "success": True, "step_count": 3, "failed_steps": None},
        ),
        ({"trace": 5}, dict.fromkeys(("program_name", "success", "step_count", "failed_steps"))),
        ({"other": 1}, None),
        (None, None),
    ],
)
def test_a_program_event_summarizes_its_trace(metadata, details):
    event = TraceEvent.program_execution(
        "p", success=True, exit_code=0, duration=1, output_bytes=0, metadata=metadata
    )
    assert event.kind == "program_execution"
    assert event.details == details


def test_a_required_check_needs_review():
    made = VerificationCheck.required_check("check:test", "test", "Run tests")
    assert made.required is True
    assert made == VerificationCheck.required_check(id="check:test", kind="test", description="Run tests")
    assert made.status == "needs_review"
    made.required = False
    assert made.required is False
    assert VerificationCheck(id="c", kind="k", description="d", status="passed").required is False


def test_an_optional_check_need_not_pass():
    made = VerificationCheck.optional("c", "k", "d")
    assert (made.required, made.status) == (False, "needs_review")
    assert VerificationReport.new("s", [made]).status == "passed"


def test_a_check_with_another_status_is_a_copy():
    made = VerificationCheck.required_check("c", "k", "d")
    passed = made.with_status("passed")
    assert (made.status, passed.status, passed.required) == ("needs_review", "passed", True)
    with pytest.raises(ValueError, match="done"):
        made.with_status("done")


def test_a_subclass_keeps_the_constructor_and_the_field():
    class Mine(VerificationCheck):
        owner: str = "me"

    assert type(Mine.required_check("c", "k", "d")) is Mine
    assert Mine(id="c", kind="k", description="d", status="passed").required is False


@pytest.mark.parametrize(
    ("checks", "status"),
    [
        ([], "skipped"),
        ([check("passed")], "passed"),
        ([check("passed", required=True), check("needs_review")], "passed"),
        ([check("skipped")], "passed"),
        ([check("skipped", required=True)], "needs_review"),
        ([check("needs_review", required=True)], "needs_review"),
        ([check("needs_review", required=True), check("failed")], "failed"),
    ],
)
def test_a_reports_status_follows_from_its_checks(checks, status):
    assert VerificationReport.new("s", checks).status == status


def test_a_residual_risk_needs_review_unless_a_check_failed():
    report = VerificationReport.new("s", [check("passed")])
    report.add_residual_risk("flaky")
    assert (report.status, report.residual_risks) == ("needs_review", ["flaky"])
    failed = VerificationReport.new("s", [check("failed")])
    failed.add_residual_risk("flaky")
    assert failed.status == "failed"


def test_a_stored_status_is_not_computed_again():
    report = VerificationReport(subject="s", status="passed", checks=[check("failed", required=True)])
    codec = codec_of(VerificationReport)
    assert codec.decode(codec.encode(report, key="k"), key="k").status == "passed"
