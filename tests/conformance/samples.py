"""Sessions and parts to store, each with its own contents, because equal bytes have one version."""

from __future__ import annotations

from itertools import count

from sessionbucket import Message, SessionData
from sessionbucket.models import (
    ArtifactStore,
    ToolArtifact,
    TraceEvent,
    VerificationCheck,
    VerificationReport,
    VerificationStatus,
)

_numbers = count()


def session_of(id: str = "s", *texts: str) -> SessionData:
    """A session with the texts as its messages, or with one text that no other session has."""
    return SessionData(
        id=id, messages=[Message.user(text) for text in texts or (f"text {next(_numbers)}",)], created_at=1
    )


def texts_of(session: SessionData | None) -> list[str]:
    assert session is not None
    return [message.text for message in session.messages]


def say(session: SessionData, text: str) -> None:
    session.messages.append(Message.user(text))


def artifacts_of(*contents: str) -> ArtifactStore:
    return ArtifactStore.with_limits(
        ToolArtifact(
            artifact_id=f"tool-output:test:{number}",
            artifact_uri=f"a3s://tool-output/test/{number}",
            tool_name="test",
            content=content,
            original_bytes=len(content),
            shown_bytes=1,
        )
        for number, content in enumerate(contents)
    )


def event_of(name: str) -> TraceEvent:
    return TraceEvent.tool_execution(name, success=True, exit_code=0, duration=0.009, output_bytes=12)


def report_of(subject: str) -> VerificationReport:
    check = VerificationCheck(
        id="check:test", kind="test", description="Run tests", status=VerificationStatus.PASSED, required=True
    )
    return VerificationReport.new(subject, [check])
