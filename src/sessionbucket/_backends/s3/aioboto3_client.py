"""The aioboto3 client of one bucket: one for each event loop, made on first use."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncGenerator
from importlib.util import find_spec
from typing import Any

from sessionbucket._backends.endpoints import check_endpoint, configured_endpoint
from sessionbucket._backends.s3.client_settings import (
    client_arguments,
    client_config,
    parse_listings_quickly,
    presign_for_every_region,
)
from sessionbucket._backends.s3.options import S3Options, check_callers_own
from sessionbucket._core.forks import reset_after_fork
from sessionbucket.errors import NotSupportedError

_of_parents: list[Any] = []
"""Clients of parent processes. They must never be collected here: their end would change the event loops of the parents."""
_connected: set[AsyncGenerator[Any, None]] = set()
"""The clients that have not closed. Otherwise the garbage collector would end one beside its event loop, if its store was never
closed."""


class Connection:
    """The client of one bucket. It uses a client of the caller's unchanged, and never closes it.

    A connection of aiohttp belongs to the event loop in which it was made. So a store that is used in a second loop
    (``asyncio.run`` twice, or loops of several threads) gets a second client there. A client closes at the latest with its event
    loop. After a fork, the child process makes its own clients.
    """

    def __init__(self, options: S3Options, session: Any = None, client: Any = None) -> None:
        """Raises ``InvalidArgumentError`` for a session or client that is not one of aioboto3, and ``NotSupportedError`` when
        aioboto3 is needed and not installed.
        """
        check_callers_own(session, client, is_async=True)
        if session is None and client is None and find_spec("aioboto3") is None:
            raise NotSupportedError(
                "async S3 needs aioboto3: install sessionbucket[async], or pass a ready aiobotocore client"
            )
        self._options = options
        self._given = client
        self._session = session
        self._of_loops: dict[asyncio.AbstractEventLoop, _LoopClient] = {}
        reset_after_fork(self._reset)

    def _reset(self) -> None:
        _of_parents.append(self._of_loops)
        self._of_loops = {}

    def __del__(self) -> None:
        unclosed = [
            (loop, own.opened)
            for loop, own in getattr(self, "_of_loops", {}).items()
            if own.opened is not None and own.opened.ag_frame is not None  # its generator has not ended
        ]
        for loop, opened in unclosed:
            if not loop.is_closed():
                loop.call_soon_threadsafe(_close_soon, loop, opened)
        if unclosed:
            warnings.warn(
                "an async store was never closed; use `async with`, or await its close()",
                ResourceWarning,
                source=self,
                stacklevel=2,
            )

    @property
    def may_repeat_silently(self) -> bool:
        """Whether the client may send a request twice without reporting it: aiohttp does, in a client of the caller's."""
        return self._given is not None

    @property
    def endpoint(self) -> str | None:
        """The endpoint that the client uses; None means AWS."""
        if self._given is not None:
            return str(self._given.meta.endpoint_url)
        return self._options.get("endpoint_url") or configured_endpoint(self._botocore_session())

    @property
    def region(self) -> str | None:
        """The region that the client uses."""
        if self._given is not None:
            return str(self._given.meta.region_name)
        region = self._options.get("region") or self._botocore_session().get_config_variable("region")
        return str(region) if region else None

    def _used_session(self) -> Any:
        """The caller's session, or one that the first call makes."""
        if self._session is None:
            self._session = _new_session(self._options)
        return self._session

    def _botocore_session(self) -> Any:
        session = self._used_session()
        return getattr(session, "_session", session)

    async def client(self) -> Any:
        """The client of this event loop, which the first call makes."""
        if self._given is not None:
            return self._given
        loop = asyncio.get_running_loop()
        own = self._of_loops.get(loop)
        if own is None:
            for other in [*self._of_loops]:
                if other.is_closed():
                    self._of_loops.pop(other, None)
            own = self._of_loops[loop] = _LoopClient()  # no other thread runs this loop
        if own.client is None:
            async with own.lock:
                if own.client is None:
                    opened = _connect(self._used_session(), self._options, self.endpoint)
                    _drop_ended()
                    _connected.add(opened)
                    own.client = await anext(opened)
                    own.opened = opened
        return own.client

    async def presigning_client(self) -> Any:
        """The client, ready to presign URLs."""
        client = await self.client()
        if self._given is None:
            presign_for_every_region(client)
        return client

    async def close(self) -> None:
        """Close the client of this event loop, unless it is the caller's."""
        own = self._of_loops.pop(asyncio.get_running_loop(), None)
        if own is not None and own.opened is not None:
            await own.opened.aclose()
            _connected.discard(own.opened)


class _LoopClient:
    """The client of one event loop, and the generator that closes it."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.client: Any = None
        self.opened: Any = None


def _close_soon(loop: asyncio.AbstractEventLoop, opened: AsyncGenerator[Any, None]) -> None:
    """Close an abandoned client in its event loop. If the loop ends first, that closes the client."""
    loop.create_task(_close(opened)).add_done_callback(lambda _: _drop_ended())


async def _close(opened: AsyncGenerator[Any, None]) -> None:
    await opened.aclose()


def _drop_ended() -> None:
    _connected.difference_update([each for each in _connected if each.ag_frame is None])  # type: ignore[attr-defined]


async def _connect(session: Any, options: S3Options, endpoint: str | None) -> AsyncGenerator[Any, None]:
    """Yield a client, and close it afterwards.

    A runner of event loops ends the asynchronous generators of a loop before it closes the loop
    (``loop.shutdown_asyncgens``). So the client closes in its own loop, even if nobody closes the store.
    """
    from aiobotocore.config import AioConfig  # noqa: PLC0415 (slow to import)

    from sessionbucket._backends.s3.aiohttp_session import OnceOnlySession  # noqa: PLC0415

    config = AioConfig(http_session_cls=OnceOnlySession, **client_config(options))
    async with session.client("s3", config=config, **client_arguments(options)) as client:
        check_endpoint(client, endpoint)
        yield client


def _new_session(options: S3Options) -> Any:
    import aioboto3  # noqa: PLC0415 (slow to import)
    from aiobotocore.session import AioSession  # noqa: PLC0415

    return aioboto3.Session(
        profile_name=options.get("profile"), botocore_session=parse_listings_quickly(AioSession())
    )
