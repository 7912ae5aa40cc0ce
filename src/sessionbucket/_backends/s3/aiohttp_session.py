"""An HTTP session of aiobotocore's that sends each request once, and never waits without end."""

from __future__ import annotations

import asyncio
from typing import Any

from aiobotocore.httpsession import AIOHTTPSession
from botocore.exceptions import ReadTimeoutError

_SLOWEST = 64 * 1024
"""Bytes a second below which an upload counts as stalled."""


class OnceOnlySession(AIOHTTPSession):  # type: ignore[misc] # aiobotocore has no types
    """Without aiohttp's silent second try, and with a bound on the time that a request takes to be sent.

    When a kept connection breaks before the answer, aiohttp sends an idempotent request again without telling
    (``ClientSession._request``), and counts PUT among these. A conditional PUT that had been done would then be
    answered 412, as if someone else had written, in what looks like its first try.

    Its timeouts do not cover the sending: it waits without end for ``100 Continue``, and for a server that stops
    reading. So no leave is asked for, and the answer has to begin within the timeouts and the time that the body may take.
    """

    async def _get_session(self, proxy_url: str | None) -> Any:
        session = await super()._get_session(proxy_url)
        session._retry_connection = False  # noqa: SLF001 (aiohttp has no public switch)
        return session

    async def send(self, request: Any) -> Any:
        request.headers.pop("Expect", None)  # not among the signed headers
        body = request.body
        size = len(body) if isinstance(body, bytes | bytearray) else 0
        timeout = self._timeout
        bound = (timeout.sock_connect or 0) + (timeout.sock_read or 0) + size / _SLOWEST
        try:
            async with asyncio.timeout(bound):
                return await super().send(request)
        except TimeoutError as error:
            raise ReadTimeoutError(endpoint_url=request.url, error=error) from error
