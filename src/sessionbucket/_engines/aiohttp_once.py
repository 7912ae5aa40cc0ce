"""An HTTP session of aiobotocore's that sends each request once."""

from __future__ import annotations

from typing import Any

from aiobotocore.httpsession import AIOHTTPSession


class OnceOnlySession(AIOHTTPSession):  # type: ignore[misc] # aiobotocore has no types
    """Without aiohttp's silent second try.

    When a kept connection breaks before the answer, aiohttp sends an idempotent request again without telling
    (``ClientSession._request``), and counts PUT among these. A conditional PUT that had been done would then be
    answered 412, as if someone else had written, in what looks like its first try.
    """

    async def _get_session(self, proxy_url: str | None) -> Any:
        session = await super()._get_session(proxy_url)
        session._retry_connection = False  # noqa: SLF001 (aiohttp has no public switch)
        return session
