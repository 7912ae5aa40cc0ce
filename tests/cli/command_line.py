"""Runs the command line, and makes sessions for stores."""

from __future__ import annotations

import signal
from pathlib import Path

from typer.testing import CliRunner, Result

from sessionbucket import Message, SessionData, SessionStore
from sessionbucket.cli.app import app
from sessionbucket.models import (
    ArtifactStore,
    ToolArtifact,
    TraceEvent,
    VerificationCheck,
    VerificationReport,
)


class Command:
    """Runs the command line like a user, and fails on every traceback."""

    def __call__(self, *arguments: str, input: str | None = None) -> Result:
        result = CliRunner().invoke(app, list(arguments), input=input)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        return result

    def ok(self, *arguments: str, input: str | None = None) -> str:
        result = self(*arguments, input=input)
        assert result.exit_code == 0, result.output
        return result.stdout

    def error(self, *arguments: str, code: int = 1) -> str:
        """The single line on stderr of a failing command."""
        result = self(*arguments)
        assert result.exit_code == code, result.output
        lines = result.stderr.splitlines()
        assert len(lines) == 1, result.stderr
        assert lines[0].startswith("error: ")
        return lines[0]


def make_session(id: str, *texts: str) -> SessionData:
    session = SessionData(id=id, created_at=1_700_000_000)
    session.messages = [Message.user(text) for text in texts or ("hello",)]
    return session


def add_parts(store: SessionStore, id: str) -> None:
    artifact = ToolArtifact(
        artifact_id="a",
        artifact_uri="artifact://a",
        tool_name="bash",
        content="out",
        original_bytes=3,
        shown_bytes=3,
    )
    store.save_artifacts(id, ArtifactStore(artifacts=[artifact]))
    event = TraceEvent.tool_execution("bash", success=True, exit_code=0, duration=0.5, output_bytes=3)
    store.save_trace_events(id, [event, event])
    check = VerificationCheck.required_check("c", "test", "the tests pass")
    store.save_verification_reports(id, [VerificationReport.new("build", [check])])
    store.put_file(id, "log.txt", b"a log\n")
    store.put_file(id, "image.png", b"\x89PNG" * 1000)


def tree(url: str) -> dict[str, bytes]:
    """The bodies of all keys of a folder's store."""
    root = Path(url.removeprefix("file://"))
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".sessionbucket" not in path.parts
    }


def restore_interrupts() -> None:
    """Make a new process react to SIGINT. A background process inherits that the signal is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
