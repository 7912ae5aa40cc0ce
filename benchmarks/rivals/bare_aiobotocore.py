"""aiobotocore and json, with one client."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from benchmarks.servers import Server

NAME = "bare aiobotocore"


class BareAiobotocore:
    """Documents in a bucket; use it as an async context manager."""

    def __init__(self, server: Server, bucket: str) -> None:
        self._server = server
        self._bucket = bucket
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._client: Any = await self._stack.enter_async_context(
            get_session().create_client(
                "s3", endpoint_url=self._server.endpoint_url, config=AioConfig(max_pool_connections=64)
            )
        )
        return self

    async def save(self, key: str, document: dict[str, Any]) -> None:
        """One unconditional PUT."""
        body = json.dumps(document).encode()
        await self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/json")

    async def load(self, key: str) -> dict[str, Any]:
        """One GET."""
        response = await self._client.get_object(Bucket=self._bucket, Key=key)
        async with response["Body"] as body:
            document: dict[str, Any] = json.loads(await body.read())
        return document

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()
