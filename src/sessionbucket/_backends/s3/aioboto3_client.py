"""The aioboto3 client of one bucket: one for each event loop, made on first use."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from sessionbucket._backends.s3.client_settings import (
    client_arguments,
    client_config,
    parse_times_quickly,
    presign_for_every_region,
)
from sessionbucket._backends.s3.options import S3Options
from sessionbucket.errors import NotSupportedError


class Connection:
    """The client of one bucket. It uses a client of the caller's unchanged, and never closes it.

    A connection of aiohttp belongs to the event loop in which it was made. So a store that is used in a second loop
    (``asyncio.run`` twice) gets a second client there.
    """

    def __init__(self, options: S3Options, session: Any = None, client: Any = None) -> None:
        self._options = options
        self._session = session
        self._client = client
        self._own = client is None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stack = AsyncExitStack()
        self._lock = asyncio.Lock()

    @property
    def may_repeat_silently(self) -> bool:
        """Whether the client may send a request twice without reporting it: aiohttp does, in a client of the caller's."""
        return not self._own

    async def client(self) -> Any:
        """The client of this event loop, which the first call makes."""
        loop = asyncio.get_running_loop()
        if not self._own or self._loop is loop:
            return self._client
        if self._loop is not None:
            self._lock = asyncio.Lock()
        async with self._lock:
            if self._loop is not loop:
                self._stack = AsyncExitStack()
                self._client = await self._stack.enter_async_context(self._connect())
                self._loop = loop
        return self._client

    async def presigning_client(self) -> Any:
        """The client, ready to presign URLs."""
        client = await self.client()
        if self._own:
            presign_for_every_region(client)
        return client

    def _connect(self) -> Any:
        try:
            import aioboto3  # noqa: PLC0415 (slow to import)
            from aiobotocore.config import AioConfig  # noqa: PLC0415
            from aiobotocore.session import get_session  # noqa: PLC0415

            from sessionbucket._backends.s3.aiohttp_session import OnceOnlySession  # noqa: PLC0415
        except ImportError as error:
            raise NotSupportedError(
                "async S3 needs aioboto3: install sessionbucket[async], or pass a ready aiobotocore client"
            ) from error
        session = self._session or aioboto3.Session(
            profile_name=self._options.get("profile"), botocore_session=parse_times_quickly(get_session())
        )
        return session.client(
            "s3",
            config=AioConfig(http_session_cls=OnceOnlySession, **client_config(self._options)),
            **client_arguments(self._options),
        )

    async def close(self) -> None:
        """Close the client of this event loop, unless it is the caller's."""
        if self._own and self._loop is asyncio.get_running_loop():
            self._loop = None
            self._client = None
            await self._stack.aclose()
