"""boto3 and json without a library. Only ``update`` writes conditionally."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from benchmarks.servers import Server

NAME = "bare boto3"
_KEY = "conversation.json"
_CONFLICTS = ("PreconditionFailed", "ConditionalRequestConflict")


class BareBoto3:
    """Documents in a bucket, with one client and as many connections as sessionbucket."""

    def __init__(self, server: Server, bucket: str) -> None:
        self.client: Any = boto3.client(
            "s3", endpoint_url=server.endpoint_url, config=Config(max_pool_connections=64)
        )
        self._bucket = bucket

    def save(self, key: str, document: dict[str, Any]) -> None:
        """One unconditional PUT."""
        body = json.dumps(document).encode()
        self.client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/json")

    def load(self, key: str) -> dict[str, Any]:
        """One GET."""
        response = self.client.get_object(Bucket=self._bucket, Key=key)
        document: dict[str, Any] = json.loads(response["Body"].read())
        return document

    def update(self, key: str, change: Callable[[dict[str, Any]], None]) -> None:
        """Load, change and save with If-Match. After a conflict, repeat at once."""
        while True:
            response = self.client.get_object(Bucket=self._bucket, Key=key)
            document = json.loads(response["Body"].read())
            change(document)
            body = json.dumps(document).encode()
            try:
                self.client.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=body,
                    ContentType="application/json",
                    IfMatch=response["ETag"],
                )
            except ClientError as error:
                if error.response["Error"]["Code"] not in _CONFLICTS:
                    raise
            else:
                return

    def names(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Yield key and size of every object directly under the prefix."""
        paginator = self.client.get_paginator("list_objects_v2")
        for page in paginator.paginate(Bucket=self._bucket, Prefix=prefix, Delimiter="/"):
            for row in page.get("Contents", []):
                yield row["Key"], row["Size"]


class BareConversation:
    """One conversation as one document."""

    def __init__(self, bare: BareBoto3, document: dict[str, Any]) -> None:
        self._bare = bare
        self._document = document
        self._length = len(document["messages"])
        bare.save(_KEY, document)

    def resume(self) -> dict[str, Any]:
        """One GET."""
        return self._bare.load(_KEY)

    def take_turn(self) -> None:
        """One unconditional PUT with two more messages."""
        messages = self._document["messages"]
        messages[self._length :] = messages[:2]
        self._bare.save(_KEY, self._document)
