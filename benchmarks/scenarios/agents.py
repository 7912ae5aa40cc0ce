"""The operations of an agent: resume a conversation of 200 messages, and save a turn of it, beside other session stores."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.documents import conversation, document_of
from benchmarks.findings import Setting
from benchmarks.measuring import race
from benchmarks.rivals import bare_boto3
from benchmarks.running import SYNC_ENGINES, Run, ours
from benchmarks.servers import Server
from sessionbucket import SessionStore, open_store

MESSAGES = 200
STRANDS, SNAPSHOTS = "strands-agents, messages", "strands-agents, snapshots"
LANGGRAPH, OPENAI = "langgraph objectstorage", "openai-agents, SQLite file"
FOLDER = "folder"

Contenders = dict[str, Callable[[], object]]


def measure(run: Run) -> None:
    """Measure on each server, and in a folder."""
    for server in run.each_server():
        with ExitStack() as stack:
            bucket = server.new_bucket()
            stores = {
                ours(engine): stack.enter_context(open_store(server.store_url(bucket, engine, engine)))
                for engine in run.engines(SYNC_ENGINES)
            }
            others = rivals(run, server, bucket)
            with run.folder() as folder:
                measure_agents(run, server.name, stores, others | _local(run, folder))
    with run.folder() as folder, open_store((folder / "ours").as_uri()) as store:
        session = conversation(MESSAGES)
        others = {name: module.in_folder(folder / name, session) for name, module in _modules(run).items()}
        measure_agents(run, FOLDER, {ours(FOLDER): store}, others | _local(run, folder))


def rivals(run: Run, server: Server, bucket: str) -> dict[str, Any]:
    """The rivals' conversations in a bucket, with all messages. Each has ``resume`` and ``take_turn``."""
    session = conversation(MESSAGES)
    bare = bare_boto3.BareConversation(bare_boto3.BareBoto3(server, bucket), document_of(session))
    others = {name: module.on_s3(server, bucket, session) for name, module in _modules(run).items()}
    return {bare_boto3.NAME: bare} | others


def _modules(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if run.has("strands"):
        from benchmarks.rivals import strands  # noqa: PLC0415 (may be missing)

        found |= {STRANDS: strands.Messages, SNAPSHOTS: strands.Snapshots}
    if run.has("langgraph_checkpoint_objectstorage"):
        from benchmarks.rivals import langgraph  # noqa: PLC0415 (may be missing)

        found[LANGGRAPH] = langgraph
    return found


def _local(run: Run, folder: Path) -> dict[str, Any]:
    """A conversation in a local database, which needs no server: the floor."""
    if not run.has("agents"):
        return {}
    from benchmarks.rivals.openai_agents import SqliteConversation  # noqa: PLC0415 (may be missing)

    return {OPENAI: SqliteConversation(folder, conversation(MESSAGES))}


def turns_of(store: SessionStore) -> Callable[[], None]:
    """A function that saves a turn of two messages after the 200 that a running agent has in memory."""
    session = conversation(MESSAGES)
    turn = session.messages[:2]
    store.save(session)

    def take_turn() -> None:
        session.messages[MESSAGES:] = turn
        store.save(session)

    return take_turn


def measure_agents(run: Run, where: str, stores: dict[str, SessionStore], others: dict[str, Any]) -> None:
    """Measure resumes and turns of these contenders."""
    turns: Contenders = {name: turns_of(store) for name, store in stores.items()}
    resumes: Contenders = {name: partial(store.load, "conversation") for name, store in stores.items()}
    turns |= {name: other.take_turn for name, other in others.items()}
    resumes |= {name: other.resume for name, other in others.items()}
    for operation, contenders in (("resume", resumes), ("turn", turns)):
        timings = race(contenders, rounds=run.pick(11, 2), calls=run.pick(3, 1))
        run.findings.add(Setting("agents", operation, where, MESSAGES), timings, against=STRANDS)
