"""Files of the reference, and real conversations in its format, come back byte for byte."""

from pathlib import Path

import pytest

from sessionbucket._codec import codec_of
from sessionbucket._codec.model_codec import with_signed_exponents
from sessionbucket.models import (
    ArtifactStore,
    ConfirmationPolicy,
    ContextUsage,
    Message,
    PermissionPolicy,
    SessionConfig,
    SessionData,
    SessionQueueConfig,
    TokenUsage,
    ToolArtifact,
    TraceEvent,
    VerificationCheck,
    VerificationReport,
)

FIXTURES = Path(__file__).parent.parent / "fixtures"

GOLDEN = {
    "session_min": SessionData,
    "session_policies": SessionData,
    "queue_default": SessionQueueConfig,
    "messages_numbers": list[Message],
    "artifacts": ArtifactStore,
    "artifacts_empty": ArtifactStore,
    "traces": list[TraceEvent],
    "verification": list[VerificationReport],
}


def golden(name: str) -> bytes:
    return (FIXTURES / "a3s" / f"{name}.json").read_bytes()


def encode(type_, value) -> bytes:
    return codec_of(type_).encode(value, key="k")


@pytest.mark.parametrize("name", GOLDEN)
def test_a_golden_file_comes_back_byte_for_byte(name):
    codec = codec_of(GOLDEN[name])
    assert codec.encode(codec.decode(golden(name), key="k"), key="k") == golden(name)


def test_a_release_of_pydantic_without_signs_of_exponents_prints_the_same(monkeypatch):
    """Pydantic up to 2.12 prints ``1e16``; a text in a string stays as it is."""
    monkeypatch.setattr("sessionbucket._codec.model_codec._LACKS_THE_SIGN", True)
    unsigned = golden("messages_numbers").replace(b"e+", b"e")
    assert unsigned.count(b"e16") == 3
    assert with_signed_exponents(unsigned) == golden("messages_numbers")
    assert with_signed_exponents(golden("messages_numbers")) == golden("messages_numbers")
    assert with_signed_exponents(b"1e16") == b"1e+16"


def test_every_golden_file_is_tested():
    assert {path.stem for path in (FIXTURES / "a3s").glob("*.json")} == set(GOLDEN)


@pytest.mark.parametrize("path", sorted((FIXTURES / "real").glob("*.json")), ids=lambda path: path.stem)
def test_a_real_conversation_comes_back_byte_for_byte(path):
    codec = codec_of(SessionData)
    body = path.read_bytes()
    assert codec.encode(codec.decode(body, key="k"), key="k") == body


def reference_session() -> SessionData:
    return SessionData(
        id="test-session-1",
        config=SessionConfig(
            name="Test Session",
            workspace="/tmp/workspace",
            system_prompt="You are helpful.",
            max_context_length=200_000,
        ),
        state="Active",
        messages=[Message.user("Hello"), Message.assistant("Hi there!")],
        context_usage=ContextUsage(used_tokens=100, percent=0.0005, turns=2),
        total_usage=TokenUsage(prompt_tokens=50, completion_tokens=50, total_tokens=100),
        tool_names=["bash", "read"],
        created_at=1_700_000_000,
        updated_at=1_700_000_100,
    )


def test_the_reference_session_made_in_python_is_the_golden_file():
    assert encode(SessionData, reference_session()) == golden("session_min")


def test_policies_made_in_python_are_the_golden_file():
    session = reference_session()
    session.config.queue_config = SessionQueueConfig()
    session.config.confirmation_policy = ConfirmationPolicy.enabled_policy()
    session.config.permission_policy = PermissionPolicy().allow_all("Bash(cargo:*)")
    assert encode(SessionData, session) == golden("session_policies")


def test_artifacts_made_in_python_are_the_golden_files():
    store = ArtifactStore()
    assert encode(ArtifactStore, store) == golden("artifacts_empty")
    store.put(
        ToolArtifact(
            artifact_id="tool-output:test:a",
            artifact_uri="a3s://tool-output/test/a",
            tool_name="test",
            content="artifact content",
            original_bytes=16,
            shown_bytes=4,
        )
    )
    assert encode(ArtifactStore, store) == golden("artifacts")


def test_a_trace_event_made_in_python_is_the_golden_file():
    metadata = {"artifact": {"artifact_uri": "a3s://tool-output/read/abc"}}
    event = TraceEvent.tool_execution(
        "read", success=True, exit_code=0, duration=0.009, output_bytes=12, metadata=metadata
    )
    assert encode(list[TraceEvent], [event]) == golden("traces")


def test_a_verification_report_made_in_python_is_the_golden_file():
    check = VerificationCheck.required_check("check:test", "test", "Run tests")
    check.status = "passed"
    report = VerificationReport.new("program:test", [check])
    assert encode(list[VerificationReport], [report]) == golden("verification")


def test_an_empty_list_is_written_as_one():
    assert encode(list[TraceEvent], []) == b"[]"
