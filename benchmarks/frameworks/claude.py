"""The Claude Agent SDK: a transcript, as the SDK mirrors it, without the SDK's command line."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from itertools import count
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from benchmarks.frameworks import Open
from benchmarks.running import ASYNC_ENGINES, Run, ours
from benchmarks.servers import Server
from sessionbucket.integrations.claude_agent_sdk import BucketSessionStore

EXAMPLE = "the SDK's example S3SessionStore"
_PATH = "sdist/claude_agent_sdk-*/examples/session_stores/s3_session_store.py"
_KEY: Any = {"project_key": "project", "session_id": "session"}
_TEXT = "What somebody says. " * 10
_numbers = count()


class Transcript:
    """A transcript in one event loop."""

    def __init__(self, store: Any, close: Callable[[], Any]) -> None:
        self._store, self._close = store, close
        self._runner = asyncio.Runner()

    def prepare(self, turns: int) -> None:
        """Append the turns one by one."""
        for _ in range(turns):
            self.take_turn()

    def take_turn(self) -> None:
        """Append a message and its reply."""
        entries = [
            {"type": role, "uuid": f"{next(_numbers):032x}", "message": {"role": role, "content": _TEXT}}
            for role in ("user", "assistant")
        ]
        self._runner.run(self._store.append(_KEY, entries))

    def resume(self) -> None:
        """Load the transcript."""
        assert self._runner.run(self._store.load(_KEY))  # noqa: S101 (a figure must be that of a success)

    def close(self) -> None:
        """Close the client and the event loop."""
        self._runner.run(self._close())
        self._runner.close()


def contenders(run: Run) -> dict[str, Open]:
    """Ours by each engine, and the example of the SDK's source distribution, if ``make bench`` has unpacked it."""
    found: dict[str, Open] = {ours(engine): partial(_ours, engine) for engine in run.engines(ASYNC_ENGINES)}
    for path in Path(sys.prefix).glob(_PATH):
        return found | {EXAMPLE: partial(_example, path)}
    run.note(f"{EXAMPLE} was left out: {sys.prefix.rpartition('/')[2]}/{_PATH} does not exist")
    return {}


def _ours(engine: str, server: Server, bucket: str) -> Transcript:
    store = BucketSessionStore(server.store_url(bucket, engine, engine))
    return Transcript(store, store.close)


def _example(path: Path, server: Server, bucket: str) -> Transcript:
    spec = spec_from_file_location("s3_session_store", path)
    assert spec is not None  # noqa: S101 (narrowing)
    assert spec.loader is not None  # noqa: S101 (narrowing)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    client = boto3.client("s3", endpoint_url=server.endpoint_url, config=Config(max_pool_connections=64))

    async def close() -> None:
        client.close()

    return Transcript(module.S3SessionStore(bucket=bucket, prefix="transcripts", client=client), close)
