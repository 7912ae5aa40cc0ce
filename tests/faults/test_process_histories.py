"""Four engines in four processes write one history, with interrupts, forks, faults, late requests, and a server that is killed."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from faults import history_writers
from faults.conftest import BUCKET
from faults.history import Event, check_events, seconds_of, seed
from faults.history_writers import SESSIONS
from faults.proxy import FaultProxy, requests
from faults.proxy_faults import (
    Chaos,
    LateDeliveries,
    act_and_respond,
    cut_body,
    drop_request,
    drop_response,
    reset_upload,
    respond,
)
from sessionbucket import SessionData, open_store
from sessionbucket.testing.seaweedfs import SeaweedServer

ENGINES = ("boto3", "obstore", "async aioboto3", "async obstore")
FAULTS = [
    drop_response,
    drop_request,
    reset_upload,
    cut_body(50),
    respond(503, "SlowDown"),
    act_and_respond(500, "InternalError"),
]
RATE = 0.12
SECONDS = 5.0

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGALRM")


@pytest.fixture
def server(seaweed: SeaweedServer, seaweed_bucket: str) -> SeaweedServer:
    return seaweed


@pytest.fixture
def proxy(server: SeaweedServer) -> Iterator[FaultProxy]:
    with FaultProxy(server.endpoint_url) as proxy:
        yield proxy
        proxy.settle()
        assert not proxy.failures


class Writers:
    """The writers of all engines, each in its own process."""

    def __init__(self, url: str, seed: int, kinds: Sequence[str], seconds: float, folder: Path) -> None:
        self._outputs = [folder / f"{engine}.jsonl" for engine in ENGINES]
        self._errors = [folder / f"{engine}.log" for engine in ENGINES]
        self._processes = []
        for engine, output, errors in zip(ENGINES, self._outputs, self._errors, strict=True):
            name = engine.replace(" ", "-")
            command = [sys.executable, history_writers.__file__, engine, url, name, str(seed), str(seconds)]
            with output.open("wb") as out, errors.open("wb") as err:
                process = subprocess.Popen([*command, *kinds], stdout=out, stderr=err)
            self._processes.append(process)

    def wait(self) -> list[Event]:
        """Wait for all writers to end, and return their events."""
        for process in self._processes:
            process.wait()
        for process, errors in zip(self._processes, self._errors, strict=True):
            assert process.returncode == 0, errors.read_text()
        return [Event(**json.loads(line)) for path in self._outputs for line in path.read_text().splitlines()]


def url_of(endpoint_url: str, prefix: str) -> str:
    return f"s3://{BUCKET}/{prefix}?endpoint_url={endpoint_url}&region=us-east-1&read_timeout=10"


def tokens_of(url: str) -> dict[str, list[str]]:
    with open_store(url) as store:
        sessions: dict[str, Any] = {id: store.load(id) for id in SESSIONS}
    return {id: session.tool_names if session else [] for id, session in sessions.items()}


def check(events: Sequence[Event], found: dict[str, list[str]], chosen: int) -> None:
    outcomes = Counter((event.kind, event.outcome) for event in events)
    check_events(events, found, chosen)
    shares = Counter(event.outcome for event in events)
    assert shares["written"] > len(events) / 3, outcomes  # otherwise the history proves nothing
    sys.stdout.write(f"history of {len(events)} operations: {dict(outcomes)}\n")


@pytest.mark.slow
def test_late_requests_undo_no_acknowledged_write(proxy: FaultProxy, tmp_path: Path) -> None:
    """Without deletes: S3's content ETags cannot tell a session from an equal one that was created after a delete."""
    chosen = seed()
    late = LateDeliveries(chosen)
    prefix = tmp_path.name
    with open_store(url_of(proxy.target, prefix)) as store:
        for id in SESSIONS:
            store.save(SessionData(id=id))
    faults = [*FAULTS, late, late]
    proxy.on(requests(), late.after_each(Chaos(chosen, RATE, faults)), times=None)
    events = Writers(
        url_of(proxy.url, prefix),
        chosen,
        ["append", "save", "save", "overwrite"],
        seconds_of(SECONDS),
        tmp_path,
    ).wait()
    proxy.reset()
    late.deliver_all(proxy)
    assert late.delivered > 0
    check(events, tokens_of(url_of(proxy.target, prefix)), chosen)


@pytest.mark.slow
def test_deletes_and_overwrites_between_appends_are_reported_right(proxy: FaultProxy, tmp_path: Path) -> None:
    chosen = seed()
    prefix = tmp_path.name
    proxy.on(requests(), Chaos(chosen, RATE, FAULTS), times=None)
    kinds = ["append", "append", "save", "save", "overwrite", "delete"]
    events = Writers(url_of(proxy.url, prefix), chosen, kinds, seconds_of(SECONDS), tmp_path).wait()
    proxy.reset()
    check(events, tokens_of(url_of(proxy.target, prefix)), chosen)


@pytest.mark.slow
def test_a_server_that_is_killed_and_restarted_loses_and_doubles_nothing(
    aws_environment: None, seaweed: SeaweedServer, tmp_path: Path
) -> None:
    chosen = seed()
    generator = random.Random(chosen)
    server = SeaweedServer(folder=tmp_path / "data")
    with server:
        server.ensure_bucket(BUCKET)
        port = int(server.endpoint_url.rpartition(":")[2])
        url = url_of(server.endpoint_url, "p")
        writers = Writers(url, chosen, ["append", "save", "overwrite"], seconds_of(4 * SECONDS), tmp_path)
        ended = threading.Event()

        def kill_again_and_again() -> None:
            nonlocal server
            while not ended.wait(generator.uniform(2, 6)):
                server.stop()
                server = SeaweedServer(folder=tmp_path / "data", port=port)
                server.__enter__()

        killer = threading.Thread(target=kill_again_and_again)
        killer.start()
        try:
            events = writers.wait()
        finally:
            ended.set()
            killer.join()
        check(events, tokens_of(url), chosen)
        server.stop()


def test_the_check_of_events_detects_wrong_histories() -> None:
    def event(
        token: str, kind: Any = "append", outcome: Any = "written", start: float = 0, end: float = 1
    ) -> Event:
        return Event(kind, "a", token, outcome, start, end)

    events = [
        event("t1"),
        event("t2", outcome="unknown"),
        event("t3", outcome="not written"),
        event("r", "overwrite", start=2, end=3),
        event("t4", start=4, end=5),
    ]
    check_events(events, {"a": ["r", "t4"]}, 1)
    check_events(events, {"a": ["r", "t2", "t4"]}, 1)
    for found in (["t1", "r", "t4"], ["r"], ["t4"], ["r", "t4", "t4"], ["r", "t4", "t3"], ["r", "t4", "x"]):
        with pytest.raises(AssertionError, match="SEED=1"):
            check_events(events, {"a": found}, 1)
