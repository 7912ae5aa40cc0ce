"""``export``: tables of a store, by one process or several, and the sessions that cannot be read."""

from __future__ import annotations

import base64
import builtins
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyarrow")

from pyarrow import parquet

from cli.command_line import Command, make_session, restore_interrupts
from sessionbucket import Keyring, SessionStore, open_store


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    return tmp_path / "lake"


def ids_in(lake: Path) -> list[str]:
    files = sorted(lake.glob("sessions/*.parquet"))
    return sorted(id for file in files for id in parquet.read_table(file)["session_id"].to_pylist())


def test_an_export_of_what_has_not_changed_writes_nothing(
    run: Command, store: SessionStore, url: str, lake: Path
):
    store.save(make_session("a"))
    at = (Path(url.removeprefix("file://")) / "a.json").stat().st_mtime - 10
    os.utime(Path(url.removeprefix("file://")) / "a.json", (at, at))
    run.ok("export", url, "--to", str(lake))
    assert "0 written, 1 unchanged" in run.ok("export", "--store", url, "--to", str(lake))


def test_only_the_prefix_is_exported_and_without_text(
    run: Command, store: SessionStore, url: str, lake: Path
):
    for id in ("alice/1", "bob/1"):
        store.save(make_session(id, "hello"))
    run.ok("export", url, "--to", lake.as_uri(), "--prefix", "alice/", "--no-text")
    assert ids_in(lake) == ["alice/1"]
    (file,) = lake.glob("messages/*.parquet")
    assert parquet.read_table(file)["text"].to_pylist() == [None]
    assert "has the export of" in run.error("export", url, "--to", str(lake), "--prefix", "bob/")


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_a_corrupted_session_is_named_and_the_others_are_exported(
    run: Command, store: SessionStore, url: str, lake: Path, workers: str
):
    for id in ("a1", "b2", "c3"):
        store.save(make_session(id))
    (Path(url.removeprefix("file://")) / "b2.json").write_bytes(b'{"id": ')
    line = run.error("export", url, "--to", str(lake), "--workers", workers)
    assert line.startswith("error: session 'b2' was not exported whole: 'b2.json' cannot be read")
    assert ids_in(lake) == ["a1", "c3"]


def test_several_processes_export_an_encrypted_store(run: Command, tmp_path: Path, lake: Path):
    keys = json.dumps({"primary": "k", "keys": {"k": base64.b64encode(b"x" * 32).decode()}})
    (tmp_path / "keys.json").write_text(keys)
    url = (tmp_path / "secret").as_uri()
    with open_store(url, encryption=Keyring.from_json(keys)) as store:
        for number in range(8):
            store.save(make_session(f"s{number}x", "hello"))
    arguments = ["export", url, "--to", str(lake), "--ranges", "4", "--workers", "2"]
    shown = run.ok("--keyring", str(tmp_path / "keys.json"), *arguments)
    assert shown == "8 sessions in 4 ranges: 4 written, 0 unchanged\n"
    assert ids_in(lake) == [f"s{number}x" for number in range(8)]


def test_a_mistyped_folder_is_no_empty_store(run: Command, tmp_path: Path, lake: Path):
    run.error("export", str(tmp_path / "missing"), "--to", str(lake))
    assert not list(lake.glob("sessions/*"))


def test_without_pyarrow_the_error_names_the_extra(
    run: Command, store: SessionStore, url: str, lake: Path, monkeypatch: pytest.MonkeyPatch
):
    load = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return load(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    line = run.error("export", url, "--to", str(lake))
    assert line == "error: an export needs pyarrow: install sessionbucket[parquet]"


@pytest.mark.slow
def test_a_worker_that_is_killed_is_named(
    run: Command, store: SessionStore, url: str, lake: Path, monkeypatch: pytest.MonkeyPatch
):
    for id in ("a1", "b2"):
        store.save(make_session(id))
    monkeypatch.setattr("sessionbucket.cli.export._start_worker", _die)
    assert "repeat the export" in run.error(
        "export", url, "--to", str(lake), "--workers", "2", "--ranges", "2"
    )


def _die(_: object) -> None:
    os._exit(9)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs SIGINT")
def test_ctrl_c_ends_the_export_and_its_workers_in_one_line(
    store: SessionStore, url: str, lake: Path, run: Command
):
    for number in range(40):
        store.save(make_session(f"s{number:02}x"))
    command = [sys.executable, "-m", "sessionbucket.cli", "export", url, "--to", str(lake), "--workers", "2"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=restore_interrupts,
    ) as process:
        while not (lake / "_manifest" / "ranges.json").exists():
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)
        shown, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "error: interrupted\n"), shown
    run.ok("export", url, "--to", str(lake), "--workers", "1")
    assert len(ids_in(lake)) == 40
