"""An HTTP session of aiobotocore that sends each request once, and limits the time of a whole response."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from aiobotocore.httpsession import AIOHTTPSession
from botocore.exceptions import ReadTimeoutError

from sessionbucket._backends.time_limits import TimeLimit, request_seconds


class OnceOnlySession(AIOHTTPSession):  # type: ignore[misc] # aiobotocore has no types
    """Disables aiohttp's silent second attempt, and limits the time of a request and of the body of its response.

    When a kept connection breaks before the response, aiohttp sends an idempotent request again without reporting it
    (``ClientSession._request``), and counts PUT as idempotent. A conditional PUT that had been done would then get a
    412, as if another client had written, in what looks like its first attempt.

    Its timeouts do not cover sending: it waits forever for ``100 Continue``, and for a server that stops
    reading. So this session sends no ``Expect`` header, and the response must begin within the timeouts and the time that the
    body may take. Its timeout of a read never ends a response that arrives byte by byte, so the limit covers the body, too.
    """

    async def _get_session(self, proxy_url: str | None) -> Any:
        session = await super()._get_session(proxy_url)
        session._retry_connection = False  # noqa: SLF001 (aiohttp has no public option)
        return session

    async def send(self, request: Any) -> Any:
        request.headers.pop("Expect", None)  # it is not signed
        body = request.body
        sending = len(body) if isinstance(body, bytes | bytearray) else 0
        timeout = self._timeout
        seconds = request_seconds(timeout.sock_connect or 0, timeout.sock_read or 0, sending=sending)
        started = time.monotonic()
        streams, request.stream_output = (
            request.stream_output,
            True,
        )  # otherwise aiobotocore reads the body here
        try:
            async with asyncio.timeout(seconds):
                response = await super().send(request)
            limit = TimeLimit(seconds, spent=time.monotonic() - started)
            response.raw.content = _TimedBody(response.raw.content, limit)
            if not streams:
                await response.content
        except TimeoutError as error:
            raise ReadTimeoutError(endpoint_url=request.url, error=error) from error
        return response


class _TimedBody:
    """The body of a response: aiohttp's, read within the limit."""

    def __init__(self, content: Any, limit: TimeLimit) -> None:
        self._content = content
        self._limit = limit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    async def read(self, n: int = -1) -> bytes:
        if n >= 0:
            return await self._read_once(n)
        chunks = []
        while chunk := await self._read_once(-1):
            chunks.append(chunk)
        return b"".join(chunks)

    async def _read_once(self, most: int) -> bytes:
        """The bytes that have arrived, at most ``most`` of them if it is not negative. None have at the end only."""
        started = time.monotonic()
        async with asyncio.timeout(max(self._limit.left, 0)):
            chunk: bytes = await (self._content.readany() if most < 0 else self._content.read(most))
        self._limit.spend(time.monotonic() - started, len(chunk))
        return chunk
