"""obstore and json, with one store."""

from __future__ import annotations

import json
from typing import Any

import obstore
from obstore.store import S3Store

from benchmarks.servers import REGION, Server

NAME = "bare obstore"


class BareObstore:
    """Documents in a bucket, sync and async."""

    def __init__(self, server: Server, bucket: str) -> None:
        self._store = S3Store(
            bucket,
            endpoint=server.endpoint_url,
            region=REGION,
            access_key_id=server.access_key,
            secret_access_key=server.secret_key,
            virtual_hosted_style_request=False,
            client_options={"allow_http": True},
        )

    def save(self, key: str, document: dict[str, Any]) -> None:
        """One unconditional PUT."""
        self.put(key, json.dumps(document).encode())

    def load(self, key: str) -> dict[str, Any]:
        """One GET."""
        document: dict[str, Any] = json.loads(self.get(key))
        return document

    def put(self, key: str, body: bytes) -> None:
        """One unconditional PUT."""
        obstore.put(self._store, key, body, use_multipart=False)

    def get(self, key: str) -> bytes:
        """One GET."""
        return bytes(obstore.get(self._store, key).bytes())

    async def save_async(self, key: str, document: dict[str, Any]) -> None:
        """One unconditional PUT."""
        await obstore.put_async(self._store, key, json.dumps(document).encode(), use_multipart=False)

    async def load_async(self, key: str) -> dict[str, Any]:
        """One GET."""
        response = await obstore.get_async(self._store, key)
        document: dict[str, Any] = json.loads(bytes(await response.bytes_async()))
        return document

    def names(self, prefix: str) -> list[tuple[str, int]]:
        """Key and size of every object directly under the prefix. obstore returns them after it has listed all pages."""
        found = obstore.list_with_delimiter(self._store, prefix)
        return [(row["path"], row["size"]) for row in found["objects"]]
