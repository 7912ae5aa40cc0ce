"""LangGraph: a graph of two nodes in sequence, whose state has the same size after each turn."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any, TypedDict

import boto3
from botocore.config import Config
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.tigris import TigrisSaver
from langgraph.graph import END, START, StateGraph
from langgraph_checkpoint_objectstorage import ObjectStorageSaver

from benchmarks.frameworks import Open
from benchmarks.running import SYNC_ENGINES, Run, ours
from benchmarks.servers import Server
from sessionbucket.integrations.langgraph import BucketSaver

OBJECTSTORAGE, TIGRIS = "langgraph-checkpoint-objectstorage", "langgraph-checkpoint-tigris"
_TEXT = "What the user says. " * 100


class _State(TypedDict, total=False):
    count: int
    text: str


class Thread:
    """A thread of the graph."""

    def __init__(self, saver: BaseCheckpointSaver[Any], close: Callable[[], None] = lambda: None) -> None:
        builder = StateGraph(_State)
        for name in ("first", "second"):
            builder.add_node(name, lambda state: {"count": state.get("count", 0) + 1})
        builder.add_edge(START, "first")
        builder.add_edge("first", "second")
        builder.add_edge("second", END)
        self._graph = builder.compile(checkpointer=saver)
        self._config: Any = {"configurable": {"thread_id": "thread"}}
        self.close = close

    def prepare(self, turns: int) -> None:
        """Store turns with one checkpoint each, because some savers take minutes to store a thousand with four."""
        for _ in range(turns):
            self._graph.invoke({"text": _TEXT}, self._config, durability="exit")

    def take_turn(self) -> None:
        """Take a turn with the default durability, which stores four checkpoints or three, and the writes of each task."""
        self._graph.invoke({"text": _TEXT}, self._config)

    def resume(self) -> None:
        """Read the latest state."""
        assert self._graph.get_state(self._config).values["count"]  # noqa: S101 (a figure must be that of a success)


def contenders(run: Run) -> dict[str, Open]:
    """Ours by each engine, and the rivals."""
    found: dict[str, Open] = {ours(engine): partial(_ours, engine) for engine in run.engines(SYNC_ENGINES)}
    return found | {OBJECTSTORAGE: _objectstorage, TIGRIS: _tigris}


def _ours(engine: str, server: Server, bucket: str) -> Thread:
    saver = BucketSaver(server.store_url(bucket, engine, engine))
    return Thread(saver, saver.close)


def _objectstorage(server: Server, bucket: str) -> Thread:
    return Thread(
        ObjectStorageSaver.from_conn_string(
            f"s3://{bucket}/objectstorage",
            key=server.access_key,
            secret=server.secret_key,
            client_kwargs={"endpoint_url": server.endpoint_url},
        )
    )


def _tigris(server: Server, bucket: str) -> Thread:
    # It puts empty objects. SeaweedFS may respond to those before botocore has sent "Expect: 100-continue", which then waits a minute.
    os.environ["BOTO_EXPERIMENTAL__NO_EMPTY_CONTINUE"] = "true"
    client = boto3.client("s3", endpoint_url=server.endpoint_url, config=Config(max_pool_connections=64))
    return Thread(TigrisSaver(bucket, client=client, prefix="tigris/"), client.close)
