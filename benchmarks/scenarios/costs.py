"""The cost of each operation on AWS, from the requests that a server counted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from itertools import count

from benchmarks.documents import conversation, session_of
from benchmarks.findings import Cost
from benchmarks.prices import dollars
from benchmarks.running import KB, SYNC_ENGINES, Run, ours
from benchmarks.scenarios.agents import rivals, turns_of
from benchmarks.servers import MOTO, Server
from sessionbucket import Message, SessionData, SessionStore, open_store

RESUME, TURN = "resume 200 messages", "save a turn of 200 messages"
_LISTED = 1000
_MILLION = 1_000_000


def measure(run: Run) -> None:
    """Count on moto, whose server here counts requests. They are the same on any server."""
    server = run.servers.get(MOTO)
    with ExitStack() as stack:
        for engine in run.engines(SYNC_ENGINES):
            store = stack.enter_context(open_store(server.store_url(server.new_bucket(), "", engine)))
            store.probe_conditional_writes()  # AWS is not probed, so no operation there includes a probe
            _count(run, server, ours(engine), _operations(run, store))
        for name, rival in rivals(run, server, server.new_bucket()).items():
            _count(
                run,
                server,
                name,
                {RESUME: rival.resume, TURN: rival.take_turn},
            )


def _count(run: Run, server: Server, subject: str, operations: dict[str, Callable[[], object]]) -> None:
    for operation, act in operations.items():
        server.counted()
        act()
        requests = server.counted()
        run.findings.costs.append(Cost(operation, subject, requests, dollars(requests) * _MILLION))


def _operations(run: Run, store: SessionStore) -> dict[str, Callable[[], object]]:
    numbers = count()
    many = run.pick(_LISTED, 10)
    store.save(session_of(5 * KB, "kept"))
    store.save(conversation(2, "deleted"))
    take_turn = turns_of(store)

    def another_turn(session: SessionData) -> None:
        session.messages.append(Message.user("another"))

    def list_many() -> None:
        assert len(store.list_page(limit=many).sessions) == many  # noqa: S101 (the row must describe the counted requests)

    for number in range(many):
        store.save(SessionData(id=f"listed-{number}"))
    return {
        "save a new session": lambda: store.save(session_of(5 * KB, f"new-{next(numbers)}")),
        "load a session": lambda: store.load("kept"),
        "update a session (load, change, save)": lambda: store.update("kept", another_turn),
        "check whether a session exists": lambda: store.exists("kept"),
        f"list a page of {many:,} sessions": list_many,
        "delete a session": lambda: store.delete("deleted"),
        RESUME: lambda: store.load("conversation"),
        TURN: take_turn,
    }
