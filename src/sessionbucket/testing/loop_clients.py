"""aioboto3 clients that close with their event loop, so that a fixture without a loop can make an async store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from functools import cache
from types import TracebackType
from typing import Any


class LoopClients:
    """An aioboto3 session whose clients close with their event loop, or before."""

    def __init__(self) -> None:
        self._clients: list[_LoopClient] = []

    def client(self, *args: Any, **kwargs: Any) -> _LoopClient:
        """As ``aioboto3.Session.client``."""
        client = _LoopClient(_open(args, kwargs))
        self._clients.append(client)
        return client

    def close(self) -> None:
        """Close the clients of loops that outlive their test."""
        for client in self._clients:
            client.close()
        self._clients.clear()


class _LoopClient:
    """One client, held open by an asynchronous generator.

    Every runner of an event loop ends the loop's generators before it closes the loop
    (``loop.shutdown_asyncgens``), so the client is closed in its own loop.
    """

    def __init__(self, opened: AsyncGenerator[Any, None]) -> None:
        self._opened = opened
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __aenter__(self) -> Any:
        self._loop = asyncio.get_running_loop()
        return await anext(self._opened)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._opened.aclose()

    def close(self) -> None:
        if self._loop and not self._loop.is_closed() and not self._loop.is_running():
            self._loop.run_until_complete(self._opened.aclose())


async def _open(args: tuple[Any, ...], kwargs: dict[str, Any]) -> AsyncGenerator[Any, None]:
    async with _session().client(*args, **kwargs) as client:
        yield client


@cache
def _session() -> Any:
    """One session for all clients: a new one reads botocore's data files again."""
    import aioboto3  # noqa: PLC0415 (slow to import)

    return aioboto3.Session()
