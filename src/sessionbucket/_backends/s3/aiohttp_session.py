"""An HTTP session of aiobotocore that sends each request once, within a time limit."""

from __future__ import annotations

import asyncio
from typing import Any

from aiobotocore.httpsession import AIOHTTPSession
from botocore.exceptions import ReadTimeoutError

from sessionbucket._backends.connection_options import SLOWEST_UPLOAD


class OnceOnlySession(AIOHTTPSession):  # type: ignore[misc] # aiobotocore has no types
    """Disables aiohttp's silent second attempt, and limits the time in which a request is sent.

    When a kept connection breaks before the response, aiohttp sends an idempotent request again without reporting it
    (``ClientSession._request``), and counts PUT as idempotent. A conditional PUT that had been done would then get a
    412, as if another client had written, in what looks like its first attempt.

    Its timeouts do not cover sending: it waits forever for ``100 Continue``, and for a server that stops
    reading. So this session sends no ``Expect`` header, and the response must begin within the timeouts and the time that the
    body may take.
    """

    async def _get_session(self, proxy_url: str | None) -> Any:
        session = await super()._get_session(proxy_url)
        session._retry_connection = False  # noqa: SLF001 (aiohttp has no public option)
        return session

    async def send(self, request: Any) -> Any:
        request.headers.pop("Expect", None)  # it is not signed
        body = request.body
        size = len(body) if isinstance(body, bytes | bytearray) else 0
        timeout = self._timeout
        bound = (timeout.sock_connect or 0) + (timeout.sock_read or 0) + size / SLOWEST_UPLOAD
        try:
            async with asyncio.timeout(bound):
                return await super().send(request)
        except TimeoutError as error:
            raise ReadTimeoutError(endpoint_url=request.url, error=error) from error
