"""Releases of a3s-code itself, against a fake model server: their folders are stores here, and they resume what is written here."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from both_sides import SyncSide
from conformance.locations import FIXTURES
from conformance.samples import artifacts_of, event_of, say, session_of, texts_of
from sessionbucket import Message, SessionData, summarize
from sessionbucket._codec import codec_of

RELEASES = ("2.0.1", "2.4.0")
"""Their wheels are for Linux on x86_64 and CPython 3.11."""

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).with_name("program.py")
IDS = {
    "plain": "plain",
    "user/1": "user_1",
    "schedule:nightly": "schedule:nightly",
    "日本": "日本",
    "../up\\and..down": "__up_and_down",
}
"""Ids, and the stems of the files that a3s-code gives them."""
SAME_NAMES = ("plain", "with-dash_1", "a@b+c=d,e~f")
"""Ids whose encoded and legacy names agree."""


class FakeModel(BaseHTTPRequestHandler):
    """Speaks the chat API of OpenAI. To a prompt with a ``$`` it calls the tool ``bash`` with the command behind it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        last = request["messages"][-1]
        message: dict[str, Any] = {"role": "assistant", "content": "Done."}
        reason = "stop"
        if request.get("tools") and last["role"] == "user" and "$" in str(last["content"]):
            arguments = json.dumps({"command": str(last["content"]).partition("$ ")[2]})
            call = {"name": "bash", "arguments": arguments}
            message["tool_calls"] = [{"index": 0, "id": "call_1", "type": "function", "function": call}]
            reason = "tool_calls"
        if request.get("stream"):
            parts = [{"delta": message, "finish_reason": None}, {"delta": {}, "finish_reason": reason}]
            self.respond("text/event-stream", "".join(map(self.event, parts)) + "data: [DONE]\n\n")
        else:
            self.respond("application/json", self.chunk({"message": message, "finish_reason": reason}))

    def chunk(self, choice: dict[str, Any]) -> str:
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        return json.dumps({"id": "1", "model": "fake", "choices": [{"index": 0, **choice}], "usage": usage})

    def event(self, choice: dict[str, Any]) -> str:
        return f"data: {self.chunk(choice)}\n\n"

    def respond(self, content_type: str, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def model_url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), FakeModel) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module", params=RELEASES)
def python(request: pytest.FixtureRequest) -> Path:
    """The Python of an environment with this release, which is made once and kept in pytest's cache."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        pytest.skip("a3s-code has wheels for Linux on x86_64 only")
    folder = request.config.cache.mkdir("a3s-code") / request.param
    with FileLock(f"{folder}.lock"):
        problem = None if (folder / "ready").exists() else installed(folder, request.param)
    if problem:
        end = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        end(f"a3s-code {request.param} cannot be installed: {problem}")
    return folder / "bin" / "python"


def installed(folder: Path, release: str) -> str | None:
    """Install a release into a new environment. Returns the problem, if there is one."""
    base = sys.executable if sys.version_info[:2] == (3, 11) else shutil.which("python3.11")
    if base is None:
        return "its wheels need python3.11"
    shutil.rmtree(folder, ignore_errors=True)
    options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:")
    for command in (
        [base, "-m", "venv", str(folder)],
        [str(folder / "bin" / "python"), "-m", "pip", "install", *options, f"a3s-code=={release}"],
    ):
        ran = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        if ran.returncode:
            return ran.stderr.strip().rpartition("\n")[2] or f"{command[1:3]} failed"
    (folder / "ready").touch()
    return None


class A3sCode:
    """a3s-code with a folder of sessions."""

    def __init__(self, python: Path, model_url: str, folder: Path, workspace: Path) -> None:
        self.folder = folder
        self.workspace = workspace
        self._command = [str(python), str(PROGRAM), model_url]

    def run(self, *commands: tuple[str, ...]) -> list[Any]:
        """The results of the commands, in one process."""
        ran = subprocess.run(
            [*self._command, str(self.folder), str(self.workspace)],
            input=json.dumps(commands),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return [result.get("value", result.get("error")) for result in json.loads(ran.stdout)]

    def write(self, id: str, *prompts: str) -> None:
        """Start a session, send it the prompts, and save it."""
        sends = [("send", id, prompt) for prompt in prompts]
        assert self.run(("start", id), *sends, ("verify", id, "true"), ("save", id))[-1] is None

    def resume(self, id: str, *prompts: str) -> list[str]:
        """Resume a session, send it the prompts, save it, and return the texts of its history."""
        sends = [("send", id, prompt) for prompt in prompts]
        *_, saved, history = self.run(("resume", id), *sends, ("save", id), ("history", id))
        assert saved is None
        return [block["text"] for each in history for block in each["content"] if block["type"] == "text"]

    def files(self) -> dict[str, bytes]:
        """Every file of the folder but the locks of ours."""
        paths = (path for path in self.folder.rglob("*") if path.is_file())
        found = {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in paths}
        return {name: body for name, body in found.items() if not name.startswith(".sessionbucket/")}


@pytest.fixture
def a3s(python: Path, model_url: str, tmp_path: Path) -> A3sCode:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    return A3sCode(python, model_url, tmp_path / "sessions", workspace)


@pytest.fixture
def open_folder(side: SyncSide) -> Callable[[Path], Any]:
    return lambda folder: side.store(side.file_bucket(folder))


def test_a_folder_of_a3s_code_is_a_store(a3s: A3sCode, open_folder: Callable[[Path], Any]):
    for id in IDS:
        a3s.write(id, f"I am {id}")
    before = a3s.files()
    store = open_folder(a3s.folder)
    assert sorted(store.list()) == sorted(IDS.values())
    assert list(store.check()) == []
    for id in IDS:
        session = store.load(id)
        assert texts_of(session) == [f"I am {id}", "Done."]
        assert len(store.load_verification_reports(id)) == 1
        store.save(session)
        store.save_artifacts(id, store.load_artifacts(id))
        store.save_trace_events(id, store.load_trace_events(id))
        store.save_verification_reports(id, store.load_verification_reports(id))
    assert a3s.files() == before
    for id in IDS:
        store.delete(id)
    assert a3s.files() == {}


def test_the_summaries_of_a_folder_of_a3s_code_are_those_of_its_sessions(
    a3s: A3sCode, open_folder: Callable[[Path], Any]
):
    store = open_folder(a3s.folder)
    for text in ("first", "second"):
        for id in IDS:
            a3s.write(id, text)
        expected = {id: summarize(store.load(id)) for id in IDS}
        for _ in range(2):
            found = list(store.summaries())
            assert {summary.id: summary for summary in found} == expected
            assert len(found) == len(IDS)


def test_tool_calls_come_back_byte_for_byte(a3s: A3sCode, open_folder: Callable[[Path], Any]):
    a3s.write("s", "run $ seq 1 50000", "run $ false", "run $ printf 'a\\tb\\001 é 😀 \\\\ \"'")
    before = a3s.files()
    store = open_folder(a3s.folder)
    session = store.load("s")
    results = [
        block for message in session.messages for block in message.content if block.type == "tool_result"
    ]
    assert [result.is_error for result in results] == [False, True, False]
    assert len(store.load_trace_events("s")) == 4
    artifacts = store.load_artifacts("s")
    assert max(artifact.original_bytes for artifact in artifacts) > 100_000
    store.save(session, overwrite=True)
    store.save_artifacts("s", artifacts)
    store.save_trace_events("s", store.load_trace_events("s"))
    assert a3s.files() == before


@pytest.mark.parametrize("id", SAME_NAMES)
def test_a3s_code_resumes_a_session_that_was_made_here(
    a3s: A3sCode, open_folder: Callable[[Path], Any], id: str
):
    store = open_folder(a3s.folder)
    session = session_of(id, "made here")
    session.messages.append(
        Message.tool_use("call_9", "bash", {"command": "ls", "limit": 1e16}, "Let me see.")
    )
    session.messages.append(Message.tool_result("call_9", "a.txt"))
    session.config.workspace = str(a3s.workspace)
    store.save_turn(session, artifacts=artifacts_of("output"), trace_events=[event_of("ls")])
    assert a3s.resume(id, "and there") == ["made here", "Let me see.", "and there", "Done."]
    again = store.load(id)
    assert again.messages[:3] == session.messages
    assert store.load_artifacts(id) == artifacts_of("output")
    assert store.load_trace_events(id)[0] == event_of("ls")


@pytest.mark.parametrize("id", IDS)
def test_a3s_code_resumes_its_own_session_after_a_save_here(
    a3s: A3sCode, open_folder: Callable[[Path], Any], id: str
):
    a3s.write(id, "first")
    names = a3s.files().keys()
    store = open_folder(a3s.folder)
    store.update(id, lambda session: say(session, "of ours"))
    store.append_trace_events(id, [event_of("of ours")])
    assert a3s.resume(id, "last") == ["first", "Done.", "of ours", "last", "Done."]
    assert a3s.files().keys() == names
    assert texts_of(store.load(id))[2:] == ["of ours", "last", "Done."]
    assert event_of("of ours") in store.load_trace_events(id)


@pytest.mark.parametrize("id", IDS)
def test_a3s_code_does_not_find_a_session_that_was_deleted_here(
    a3s: A3sCode, open_folder: Callable[[Path], Any], id: str
):
    a3s.write(id, "first")
    store = open_folder(a3s.folder)
    stale = store.load(id)
    store.delete(id)
    (problem,) = a3s.run(("resume", id))
    assert "not found" in problem.lower()
    say(stale, "late")
    with pytest.raises(Exception, match="deleted"):
        store.save(stale)
    assert a3s.files() == {}


def test_a3s_code_resumes_from_a_folder_that_was_copied_through_a_bucket(
    a3s: A3sCode, python: Path, model_url: str, side: SyncSide, tmp_path: Path
):
    for id in SAME_NAMES:
        a3s.write(id, f"I am {id}")
    bucket = side.store(side.make("MemoryBucket"), "team")
    copied = A3sCode(python, model_url, tmp_path / "copied", a3s.workspace)
    for source, target in (
        (side.store(side.file_bucket(a3s.folder)), bucket),
        (bucket, side.store(side.file_bucket(copied.folder))),
    ):
        assert {result.outcome for result in side.make("copy_sessions", source, target)} == {"copied"}
    assert copied.files() == a3s.files()
    for id in SAME_NAMES:
        assert copied.resume(id, "more") == [f"I am {id}", "Done.", "more", "Done."]


def test_a3s_code_prints_numbers_as_this_library_does(a3s: A3sCode, open_folder: Callable[[Path], Any]):
    messages = codec_of(list[Message]).decode(
        (FIXTURES / "a3s" / "messages_numbers.json").read_bytes(), key="messages"
    )
    session = SessionData(id="s", messages=messages)
    session.config.workspace = str(a3s.workspace)
    store = open_folder(a3s.folder)
    store.save(session)
    ours = a3s.files()["s.json"]
    a3s.run(("resume", "s"), ("save", "s"))
    theirs = a3s.files()["s.json"]
    assert theirs != ours
    start, end = b'  "messages": [', b'\n  "context_usage"'
    assert theirs.partition(start)[2].partition(end)[0] == ours.partition(start)[2].partition(end)[0]
