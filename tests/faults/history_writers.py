"""A program that writes a history: ``python history_writers.py ENGINE URL NAME SEED SECONDS KIND…``.

It appends unique tokens to sessions, saves sessions that it keeps, overwrites and deletes, as far as the kinds allow, and prints
each operation with its outcome as a line of JSON. A share of the operations is interrupted: sync ones by SIGALRM, whose handler
raises ``KeyboardInterrupt`` as Ctrl-C does; async ones by a cancellation. With boto3, two children that are forked during the work
go on with the same store.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from sessionbucket import (
    ConflictError,
    SessionData,
    StoreUnavailableError,
    open_async_store,
    open_store,
)

SESSIONS = ("a", "b", "c")
_INTERRUPTED = 0.15
_LONGEST = 0.05  # seconds until an interrupt


class Alarm:
    """Interrupts the main thread at a random moment of an operation."""

    def __init__(self, generator: random.Random) -> None:
        self._generator = generator
        self._armed = False
        signal.signal(signal.SIGALRM, self._interrupt)

    def _interrupt(self, *_: object) -> None:
        if self._armed:
            self._armed = False
            raise KeyboardInterrupt

    def arm(self) -> None:
        self._armed = True
        if self._generator.random() < _INTERRUPTED:
            signal.setitimer(signal.ITIMER_REAL, self._generator.uniform(0.0001, _LONGEST))

    def disarm(self) -> None:
        self._armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)


@dataclass
class Writer:
    """Chooses the operations of one writer, and reports their outcomes."""

    name: str
    generator: random.Random
    kinds: list[str]
    number: int = 0
    kept: dict[str, SessionData] = field(default_factory=dict)
    """Sessions that the writer has loaded or saved; a save of one continues after an interrupt."""

    def next_operation(self) -> tuple[str, str, str]:
        self.number += 1
        kind, session = self.generator.choice(self.kinds), self.generator.choice(SESSIONS)
        return kind, session, f"{self.name}-{self.number}"

    def report(self, kind: str, session: str, token: str, outcome: str, start: float) -> None:
        if outcome == "not written":
            self.kept.pop(session, None)
        row = {
            "kind": "append" if kind == "save" else kind,
            "session": session,
            "token": token,
            "outcome": outcome,
            "start": start,
            "end": time.monotonic(),
        }
        os.write(sys.stdout.fileno(), json.dumps(row).encode() + b"\n")


def appended(token: str) -> Any:
    return lambda session: session.tool_names.append(token)


def act(store: Any, writer: Writer, kind: str, session: str, token: str) -> None:
    match kind:
        case "append":
            store.update(session, appended(token), create=lambda: SessionData(id=session), attempts=5)
        case "save":
            if session not in writer.kept:
                writer.kept[session] = store.load(session) or SessionData(id=session)
            writer.kept[session].tool_names.append(token)
            store.save(writer.kept[session])
        case "overwrite":
            store.save(SessionData(id=session, tool_names=[token]), overwrite=True)
        case "delete":
            store.delete(session)


async def act_async(store: Any, writer: Writer, kind: str, session: str, token: str) -> None:
    match kind:
        case "append":
            await store.update(session, appended(token), create=lambda: SessionData(id=session), attempts=5)
        case "save":
            if session not in writer.kept:
                writer.kept[session] = await store.load(session) or SessionData(id=session)
            writer.kept[session].tool_names.append(token)
            await store.save(writer.kept[session])
        case "overwrite":
            await store.save(SessionData(id=session, tool_names=[token]), overwrite=True)
        case "delete":
            await store.delete(session)


def write(store: Any, writer: Writer, until: float) -> None:
    alarm = Alarm(writer.generator)
    while time.monotonic() < until:
        operation = writer.next_operation()
        start = time.monotonic()
        outcome = "unknown"
        try:
            try:
                alarm.arm()
                act(store, writer, *operation)
                outcome = "written"
            except (ConflictError, StoreUnavailableError) as error:
                outcome = error.outcome
            alarm.disarm()
        except KeyboardInterrupt:
            outcome = "unknown"
            alarm.disarm()
        writer.report(*operation, outcome, start)


async def write_async(url: str, writer: Writer, until: float) -> None:
    async with open_async_store(url) as store:
        while time.monotonic() < until:
            operation = writer.next_operation()
            start = time.monotonic()
            seconds = (
                writer.generator.uniform(0, _LONGEST) if writer.generator.random() < _INTERRUPTED else None
            )
            try:
                await asyncio.wait_for(act_async(store, writer, *operation), seconds)
                outcome = "written"
            except (ConflictError, StoreUnavailableError) as error:
                outcome = error.outcome
            except TimeoutError:
                outcome = "unknown"
            writer.report(*operation, outcome, start)


def main(engine: str, url: str, name: str, seed: int, seconds: float, kinds: list[str]) -> None:
    generator = random.Random(f"{seed} {name}")
    until = time.monotonic() + seconds
    writer = Writer(name, generator, kinds)
    build_the_models()
    url += f"&engine={engine.removeprefix('async ')}"
    if engine.startswith("async"):
        asyncio.run(write_async(url, writer, until))
        return
    store = open_store(url)
    write(store, writer, until - seconds * 2 / 3)
    forks = 2 if engine == "boto3" else 0
    children = [fork(store, f"{name}-{number}", generator, kinds, until) for number in range(forks)]
    write(store, writer, until)
    for child in children:
        _, status = os.waitpid(child, 0)
        if status:
            raise SystemExit(f"a forked writer of {name} ended with status {status}")


def build_the_models() -> None:
    """Build what a first save and load build. Where pydantic is interrupted in it, its own error hides the interrupt."""
    with open_store("memory://") as store:
        store.save(SessionData(id="first"))
        store.load("first")


def fork(store: Any, name: str, generator: random.Random, kinds: list[str], until: float) -> int:
    """Start a writer that inherits the store."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            write(store, Writer(name, random.Random(f"{generator.random()} {name}"), kinds), until)
            status = 0
        finally:
            os._exit(status)
    return child


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]), sys.argv[6:])
