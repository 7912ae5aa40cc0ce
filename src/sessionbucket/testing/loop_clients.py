"""A session whose clients can be closed in their event loops, so that a fixture without a loop can make an async store."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

from sessionbucket import AsyncBucket
from sessionbucket.testing.seaweedfs import ACCESS_KEY, SECRET_KEY


class LoopClients:
    """An aioboto3 session that notes the event loops in which its clients are made.

    A client closes at the latest with its loop. ``close`` is for a loop that outlives its test.
    """

    def __init__(self) -> None:
        self._loops: list[asyncio.AbstractEventLoop] = []

    def client(self, *args: Any, **kwargs: Any) -> Any:
        """As ``aioboto3.Session.client``."""
        self._loops.append(asyncio.get_running_loop())
        return _session().client(*args, **kwargs)

    @property
    def _session(self) -> Any:
        """The session of aiobotocore, in which a bucket looks its settings up."""
        return _session()._session  # noqa: SLF001 (aioboto3 has no public name for it)

    def close(self, bucket: AsyncBucket) -> None:
        """Close the bucket in every loop that can still run."""
        for loop in self._loops:
            if not loop.is_closed() and not loop.is_running():
                loop.run_until_complete(bucket.close())
        self._loops.clear()


@cache
def _session() -> Any:
    """One session for all clients: a new one reads botocore's data files again.

    A session keeps the credentials that it finds first, and under moto's mock these would be moto's.
    """
    import aioboto3  # noqa: PLC0415 (slow to import)

    return aioboto3.Session(aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY)
