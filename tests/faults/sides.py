"""The two sides of the package behind one face, so that a test is written once and run on both.

A store of the async side gets blocking methods here: each call runs in one event loop, in a thread of its own, so
calls from several threads are tasks of that loop.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self, TypeVar

import pytest

from sessionbucket import (
    AsyncFileBucket,
    AsyncObstoreBucket,
    AsyncS3Bucket,
    AsyncSessionStore,
    FileBucket,
    ObstoreBucket,
    S3Bucket,
    SessionStore,
)

T = TypeVar("T")


class SyncSide:
    """Plain calls."""

    name = "sync"

    def s3_bucket(self, bucket: str, **options: Any) -> Any:
        return S3Bucket(bucket, **options)

    def file_bucket(self, root: Any, **options: Any) -> Any:
        return FileBucket(root, **options)

    def store(self, bucket: Any, prefix: str = "") -> Any:
        return SessionStore(bucket, prefix)

    def aws_session(self, **credentials: str) -> Any:
        import boto3

        return boto3.Session(**credentials)

    def client(self, **arguments: Any) -> Any:
        """A ready client, as a user would make it."""
        import boto3

        return boto3.client("s3", **arguments)

    def close_client(self, client: Any) -> None:
        client.close()

    def close_bucket(self, bucket: Any) -> None:
        bucket.close()

    def stop(self) -> None:
        pass


class AsyncSide:
    """Calls into an event loop."""

    name = "async"

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="async-side")
        self._thread.start()

    def s3_bucket(self, bucket: str, **options: Any) -> Any:
        return AsyncS3Bucket(bucket, **options)

    def file_bucket(self, root: Any, **options: Any) -> Any:
        return AsyncFileBucket(root, **options)

    def store(self, bucket: Any, prefix: str = "") -> Any:
        return Blocking(AsyncSessionStore(bucket, prefix), self.run)

    def aws_session(self, **credentials: str) -> Any:
        import aioboto3

        return aioboto3.Session(**credentials)

    def client(self, **arguments: Any) -> Any:
        import aioboto3

        return self.run(aioboto3.Session().client("s3", **arguments).__aenter__())

    def close_client(self, client: Any) -> None:
        self.run(client.close())

    def close_bucket(self, bucket: Any) -> None:
        self.run(bucket.close())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def stop(self) -> None:
        self.run(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class SyncObstoreSide(SyncSide):
    """Plain calls to S3 by obstore."""

    name = "sync obstore"

    def s3_bucket(self, bucket: str, **options: Any) -> Any:
        return ObstoreBucket(bucket, **options)

    def client(self, **arguments: Any) -> Any:
        pytest.skip("obstore takes no client of the caller's own")


class AsyncObstoreSide(AsyncSide):
    """Calls to S3 by obstore in an event loop."""

    name = "async obstore"

    def s3_bucket(self, bucket: str, **options: Any) -> Any:
        return AsyncObstoreBucket(bucket, **options)

    aws_session = SyncSide.aws_session
    client = SyncObstoreSide.client


class Blocking:
    """An async object whose coroutine methods block."""

    def __init__(self, inner: Any, run: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        self._inner = inner
        self._run = run

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._inner, name)
        if not inspect.iscoroutinefunction(member):
            return member

        def call(*args: Any, **kwargs: Any) -> Any:
            result = self._run(member(*args, **kwargs))
            return Blocking(result, self._run) if hasattr(result, "__aenter__") else result

        return call

    def __enter__(self) -> Self:
        self._run(self._inner.__aenter__())
        return self

    def __exit__(self, *error: object) -> None:
        self._run(self._inner.__aexit__(*error))


def at_once(calls: Sequence[Callable[[], T]]) -> list[T | BaseException]:
    """Make all calls at the same time, and give what each returned or raised."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        gate.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        futures = [pool.submit(run, call) for call in calls]
    return [future.exception() or future.result() for future in futures]


def errors_in(results: Iterable[object]) -> list[BaseException]:
    return [result for result in results if isinstance(result, BaseException)]
