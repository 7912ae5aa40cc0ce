"""Wrong usage and every kind of error end in one line, an exit code, and no secret."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import sessionbucket
from cli.command_line import make_session, restore_interrupts, tree
from sessionbucket import SessionStore

SOURCE = str(Path(sessionbucket.__file__).parents[1])


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": SOURCE, "PYTHONUTF8": "1", **environment},
    )


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return python("-m", "sessionbucket.cli", *arguments)


@pytest.mark.parametrize("name", ["", "ls", "show", "cp", "rm", "check"])
def test_help_describes_every_command(run, name):
    assert "Usage: sessionbucket" in run.ok(*filter(None, [name]), "--help").replace("root", "sessionbucket")


def test_without_a_command_the_help_is_shown(run):
    assert "show" in run.ok()


def test_the_version_is_one_line(run):
    assert run.ok("--version").startswith("sessionbucket ")


@pytest.mark.parametrize(
    "arguments",
    [["nope"], ["ls", "--bogus"], ["show"], ["rm"], ["ls", "--limit", "x"], ["ls", "--limit", "0"]],
)
def test_wrong_usage_is_one_line_and_exit_code_2(run, arguments):
    assert "--help" in run.error(*arguments, code=2)


def test_the_error_for_a_missing_store_url_names_the_variable(run):
    assert "SESSIONBUCKET_URL" in run.error("ls")


def test_a_url_with_a_secret_is_rejected_and_not_repeated(run):
    message = run.error("ls", "--store", "s3://key:hunter2@bucket/prefix")
    assert "hunter2" not in message


def test_the_help_loads_neither_boto3_nor_the_models():
    code = (
        "import sys; from sessionbucket.cli import main; sys.argv = ['sessionbucket', '--help']; main();"
        "sys.exit(any(name in sys.modules for name in ('boto3', 'botocore', 'pydantic')))"
    )
    assert python("-c", code).returncode == 0


def test_a_store_in_a_folder_does_not_load_boto3(store, url):
    code = (
        f"import sys; from sessionbucket.cli import main; sys.argv = ['sessionbucket', 'ls', '-s', {url!r}];"
        "main(); sys.exit('botocore' in sys.modules)"
    )
    assert python("-c", code).returncode == 0


@pytest.mark.parametrize("module", ["typer", "rich"])
def test_without_the_extra_the_error_names_it(module):
    code = f"import sys; sys.modules[{module!r}] = None; from sessionbucket.cli import main; sys.exit(main())"
    result = python("-c", code)
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        "error: the command line needs typer and rich: pip install 'sessionbucket[cli]'"
    ]


def test_the_process_ends_with_the_commands_exit_code(store, url):
    store.save(make_session("a"))
    assert command("ls", "--store", url).returncode == 0
    missing = command("show", "nope", "--store", url)
    assert missing.returncode == 1
    assert missing.stderr.count("\n") == 1
    assert command("nope").returncode == 2


def test_an_interrupt_is_one_line_and_exit_code_130(run, store, url, monkeypatch):
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(SessionStore, "list_page", interrupt)
    assert run.error("ls", "--store", url, code=130) == "error: interrupted"


def test_a_bug_is_one_line_with_its_place_and_without_its_message(run, store, url, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise ValueError("a session's secret text")

    monkeypatch.setattr(SessionStore, "list_page", fail)
    message = run.error("ls", "--store", url)
    assert "ValueError in test_failures.py" in message
    assert "secret text" not in message


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
@pytest.mark.parametrize("options", ["", "--json"])
def test_a_pipe_that_closes_early_causes_no_error_message(store, url, options, tmp_path):
    store.save(make_session("big", "line\n" * 100_000))
    errors = tmp_path / "errors"
    shell = f"{sys.executable} -m sessionbucket.cli show big --store {url} {options} 2>{errors} | head -c 10"
    done = subprocess.run(
        ["/bin/sh", "-c", shell],
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": SOURCE},
    )
    assert len(done.stdout) == 10
    assert errors.read_text() == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line(store, url):
    store.save(make_session("a"))
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sessionbucket.cli", "ls", "--store", url],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, "PYTHONPATH": SOURCE},
        )
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["error: the output cannot be written: No space left on device"]


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_an_interrupted_copy_leaves_no_partial_file(store, url, other, other_url, tmp_path):
    add_large_file(store, "a", tmp_path)
    stdout = interrupted_copy(url, other_url, lambda: list((tmp_path / "other").rglob("*.tmp")) != [])
    assert stdout == "copied 0, same 0, conflicts 0\n"
    assert tree(other_url) == {}


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_an_interrupted_copy_counts_the_sessions_that_it_copied(store, url, other, other_url, tmp_path):
    add_large_file(store, "a", tmp_path)  # the first session, whose copy is still running
    for id in ("b", "c", "d"):
        store.save(make_session(id))
    copied = {f"{id}.json" for id in ("b", "c", "d")}
    stdout = interrupted_copy(url, other_url, lambda: copied <= tree(other_url).keys())
    assert stdout == "copied 3, same 0, conflicts 0\n"
    assert tree(other_url).keys() == copied


def add_large_file(store: SessionStore, id: str, tmp_path: Path) -> None:
    """A session with a file that takes seconds to copy."""
    store.save(make_session(id))
    source = tmp_path / "store" / "artifacts" / id / "files"
    source.mkdir(parents=True)
    with (source / "big.bin").open("wb") as file:
        file.truncate(4 << 30)


def interrupted_copy(url: str, other_url: str, is_time: Callable[[], bool]) -> str:
    """Copy in a process that gets a SIGINT when ``is_time`` is true, and return its output."""
    with subprocess.Popen(
        [sys.executable, "-m", "sessionbucket.cli", "cp", url, other_url],
        preexec_fn=restore_interrupts,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": SOURCE},
    ) as copy:
        deadline = time.monotonic() + 30
        while not is_time() and time.monotonic() < deadline:
            time.sleep(0.01)
        copy.send_signal(signal.SIGINT)
        stdout, stderr = copy.communicate(timeout=30)
    assert copy.returncode == 130
    assert stderr == "error: interrupted\n"
    return stdout


def test_a_terminal_without_unicode_shows_escapes(store, url):
    store.save(make_session("ü", "grüezi"))
    done = python(
        "-m", "sessionbucket.cli", "show", "ü", "--store", url, PYTHONIOENCODING="ascii", PYTHONUTF8="1"
    )
    assert done.returncode == 0
    assert r"gr\xfcezi" in done.stdout
