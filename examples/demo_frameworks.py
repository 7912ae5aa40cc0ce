"""The second act of the demo: agent frameworks keep their state in the store of the first act.

``demo.py`` runs it. A scene whose framework is not installed is left out.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.syntax import Syntax

GRAPH = Path(__file__).with_name("demo_graph.py")
_TASKS = ("flights", "hotels")
SECONDS_OF_A_SLOW_TASK = 60
MOST_SECONDS = 40


class Scenes:
    """The scenes, each of which checks what it says."""

    def __init__(
        self,
        url: str,
        console: Console,
        *,
        section: Callable[[str], None],
        run: Callable[[str], dict[str, Any]],
        expect: Callable[[bool, str], None],
    ) -> None:
        """``url`` is that of the store. The functions are those of the first act: they show and run code, and check claims."""
        self._url = url
        self._console = console
        self._section = section
        self._run = run
        self._expect = expect

    def play(self) -> None:
        """Play the scenes of the frameworks that are installed."""
        missing = [name for name in ("langgraph", "openai-agents") if not _is_installed(name)]
        if "langgraph" not in missing:
            self._kill_and_resume()
        if "openai-agents" not in missing:
            self._two_workers()
            self._lost_response()
        if missing:
            self._section("Agent frameworks")
            self._console.print(
                f"The second act needs {' and '.join(missing)}: [green]make demo[/] installs them."
            )

    def _kill_and_resume(self) -> None:
        from sessionbucket.integrations.langgraph import BucketSaver  # noqa: PLC0415 (it needs the framework)

        self._section("LangGraph: killed in a parallel step, resumed by another process")
        source = GRAPH.read_text().partition("class Trip")[2]
        self._console.print(
            Syntax("class Trip" + source, "python", theme="ansi_dark", background_color="default"),
            soft_wrap=True,
        )
        saver = BucketSaver(self._url)
        thread: Any = {"configurable": {"thread_id": "trip-to-lisbon"}}

        def has_flights() -> bool:
            found = saver.get_tuple(thread)
            return any(channel == "found" for _, channel, _ in (found and found.pending_writes) or ())

        first = self._start(SECONDS_OF_A_SLOW_TASK)
        with first:
            try:
                end = time.monotonic() + MOST_SECONDS
                while first.poll() is None and not has_flights() and time.monotonic() < end:
                    time.sleep(0.1)
            finally:
                first.kill()
            killed = first.communicate()[0].splitlines()
        self._expect(len(killed) == len(_TASKS), "the first run has not started both tasks")
        with self._start(0) as second:
            resumed = second.communicate()[0].splitlines()
        for line in killed:
            self._console.print(f"  [dim]│[/] {line}")
        self._console.print(f"  [dim]│[/] [red]SIGKILL of process {first.pid}, in the middle of hotels[/]")
        for line in resumed:
            self._console.print(f"  [dim]│[/] {line}")
        ran = [line.partition(" runs")[0] for line in (*killed, *resumed[:-1])]
        self._expect(ran.count("flights") == 1, "a task that was finished ran again")
        self._expect(
            resumed[-1:] == ["a flight at 9:40 and a room by the river"], "the resumed run lacks a result"
        )
        saver.close()
        self._console.print(
            "The second process had only the URL. The task that was finished, [bold]flights[/], ran once."
        )

    def _start(self, seconds: int) -> subprocess.Popen[str]:
        command = [sys.executable, str(GRAPH), self._url, str(seconds)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 (a program of this folder)

    def _two_workers(self) -> None:
        self._section("OpenAI Agents SDK: two workers, one session")
        items = self._run(f"""
            import asyncio
            from sessionbucket.integrations.openai_agents import BucketSession

            url = "{self._url}"

            async def work(worker):
                session = BucketSession("support-7", url)
                for number in range(12):
                    await session.add_items([{{"role": "user", "content": f"{{worker}} {{number}}"}}])
                await session.close()

            async def work_together():
                await asyncio.gather(work("Ann"), work("Ben"))
                session = BucketSession("support-7", url)
                items = await session.get_items()
                await session.close()
                return items

            items = asyncio.run(work_together())
        """)["items"]
        texts = [item["content"] for item in items]
        for worker in ("Ann", "Ben"):
            own = [text for text in texts if text.startswith(worker)]
            added = [f"{worker} {number}" for number in range(12)]
            self._expect(own == added, f"an item of {worker} is lost, doubled, or out of order")
        self._console.print(
            f"{len(texts)} items, 12 of each worker in its order, none lost: {', '.join(texts[:6])}, …"
        )

    def _lost_response(self) -> None:
        self._section("OpenAI Agents SDK: the response to a write is lost")
        items = self._run("""
            from sessionbucket import AsyncSessionStore, open_async_store
            from sessionbucket.testing import AsyncFaultyBucket

            async def lose_a_response():
                async with open_async_store(url) as store:
                    bucket = AsyncFaultyBucket(store.bucket)
                    session = BucketSession("support-8", AsyncSessionStore(bucket, "sessions"))
                    await session.add_items([{"role": "user", "content": "Cancel my order."}])
                    bucket.drop_response("put", key="*support-8.log")
                    await session.add_items([{"role": "user", "content": "No, keep it."}])
                    assert not bucket.pending
                    return await session.get_items()

            items = asyncio.run(lose_a_response())
        """)["items"]
        texts = [item["content"] for item in items]
        self._expect(texts == ["Cancel my order.", "No, keep it."], "an item is lost or doubled")
        self._console.print(
            "The server stored the second item, and its response never came. The session found the write "
            f"by its id, and did not repeat it: {len(texts)} items."
        )


def _is_installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
