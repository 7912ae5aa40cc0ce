"""The aioboto3 client of one bucket: one for each event loop, made on first use."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncGenerator
from typing import Any

from sessionbucket._backends.endpoints import configured_endpoint
from sessionbucket._backends.s3.client_settings import (
    client_arguments,
    client_config,
    parse_times_quickly,
    presign_for_every_region,
)
from sessionbucket._backends.s3.options import S3Options
from sessionbucket._core.forks import reset_after_fork
from sessionbucket.errors import NotSupportedError

_of_parents: list[Any] = []
"""Clients of parent processes. They must never be collected here: their end would change the event loops of the parents."""


class Connection:
    """The client of one bucket. It uses a client of the caller's unchanged, and never closes it.

    A connection of aiohttp belongs to the event loop in which it was made. So a store that is used in a second loop
    (``asyncio.run`` twice, or loops of several threads) gets a second client there. A client closes at the latest with its event
    loop. After a fork, the child process makes its own clients.
    """

    def __init__(self, options: S3Options, session: Any = None, client: Any = None) -> None:
        self._options = options
        self._given = client
        self._session = session if client is not None else session or _new_session(options)
        self._of_loops: dict[asyncio.AbstractEventLoop, _LoopClient] = {}
        reset_after_fork(self._reset)

    def _reset(self) -> None:
        _of_parents.append(self._of_loops)
        self._of_loops = {}

    def __del__(self) -> None:
        if any(each.is_open for each in getattr(self, "_of_loops", {}).values()):
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

    def _botocore_session(self) -> Any:
        return getattr(self._session, "_session", self._session)

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
                    own.opened = _connect(self._session, self._options)
                    own.client = await anext(own.opened)
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


class _LoopClient:
    """The client of one event loop, and the generator that closes it."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.client: Any = None
        self.opened: Any = None

    @property
    def is_open(self) -> bool:
        """Whether the generator has not ended."""
        return self.opened is not None and self.opened.ag_frame is not None


async def _connect(session: Any, options: S3Options) -> AsyncGenerator[Any, None]:
    """Yield a client, and close it afterwards.

    A runner of event loops ends the asynchronous generators of a loop before it closes the loop
    (``loop.shutdown_asyncgens``). So the client closes in its own loop, even if nobody closes the store.
    """
    from aiobotocore.config import AioConfig  # noqa: PLC0415 (slow to import)

    from sessionbucket._backends.s3.aiohttp_session import OnceOnlySession  # noqa: PLC0415

    config = AioConfig(http_session_cls=OnceOnlySession, **client_config(options))
    async with session.client("s3", config=config, **client_arguments(options)) as client:
        yield client


def _new_session(options: S3Options) -> Any:
    """An aioboto3 session. Raises ``NotSupportedError`` when aioboto3 is not installed."""
    try:
        import aioboto3  # noqa: PLC0415 (slow to import)
        from aiobotocore.session import AioSession  # noqa: PLC0415
    except ImportError as error:
        raise NotSupportedError(
            "async S3 needs aioboto3: install sessionbucket[async], or pass a ready aiobotocore client"
        ) from error
    return aioboto3.Session(
        profile_name=options.get("profile"), botocore_session=parse_times_quickly(AioSession())
    )
