"""Both sides of the library behind one interface, so that a test is written once and runs on both.

A test is written as plain calls. On the async side, `Blocking` stands in for each async object: every call runs in one event
loop, in a thread of its own, and blocks until it is done. So calls from several threads are tasks of that loop.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Self, TypeVar

import pytest

import sessionbucket
from sessionbucket import testing as kit

first_on_sync = pytest.mark.parametrize(
    "side", ["sync", pytest.param("async", marks=pytest.mark.slow)], indirect=True
)
"""For a long test whose rule does not depend on the side: the slow run has the async side."""

T = TypeVar("T")

THREADS = 32
"""The threads of the event loop: each blocking function of a test takes one, and so does each file operation under it."""


class SyncSide:
    """The sync side: plain calls."""

    name = "sync"

    def name_of(self, sync_name: str) -> str:
        """The name of the counterpart of a public sync name."""
        return sync_name

    def make(self, sync_name: str, *args: Any, **kwargs: Any) -> Any:
        """Call the public class or function with this sync name, or its counterpart: ``make("SessionStore", bucket)``."""
        public = sessionbucket if hasattr(sessionbucket, self.name_of(sync_name)) else kit
        return self.wrap(getattr(public, self.name_of(sync_name))(*map(unwrapped, args), **kwargs))

    def wrap(self, made: Any) -> Any:
        """An object of this side, with methods that block."""
        return made

    def adapt(self, bucket: sessionbucket.Bucket) -> Any:
        """A sync bucket that a test has written, as a bucket of this side."""
        return bucket

    def wrapper(self, bucket: Any, sync_kind: type, async_kind: type) -> Any:
        """A bucket of this side in the wrapper of this side."""
        kind = sync_kind if self.name.startswith("sync") else async_kind
        return self.wrap(kind(unwrapped(bucket)))

    def s3_bucket(self, bucket: str, **options: Any) -> Any:
        return self.make("S3Bucket", bucket, **options)

    def file_bucket(self, root: Any, **options: Any) -> Any:
        return self.make("FileBucket", root, **options)

    def store(self, bucket: Any, prefix: str = "", **options: Any) -> Any:
        return self.make("SessionStore", bucket, prefix, **options)

    def aws_session(self, **credentials: str) -> Any:
        import boto3

        return boto3.Session(**credentials)

    def client(self, **arguments: Any) -> Any:
        """A ready client, as a user would make it."""
        import boto3

        return boto3.client("s3", **arguments)

    def close_client(self, client: Any) -> None:
        client.close()

    def stop(self) -> None:
        pass


class AsyncSide(SyncSide):
    """The async side: calls into an event loop."""

    name = "async"

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="async-side"))
        self._thread = threading.Thread(target=self._loop.run_forever, name="async-side")
        self._thread.start()

    def name_of(self, sync_name: str) -> str:
        verb, _, rest = sync_name.partition("_")
        return f"{verb}_async_{rest}" if rest else f"Async{sync_name}"

    def wrap(self, made: Any) -> Any:
        return blocking(made, self.run)

    def adapt(self, bucket: sessionbucket.Bucket) -> Any:
        from testing.bucket_adapter import AsyncBucketAdapter

        return self.wrap(AsyncBucketAdapter(bucket))

    def aws_session(self, **credentials: str) -> Any:
        import aioboto3

        return aioboto3.Session(**credentials)

    def client(self, **arguments: Any) -> Any:
        import aioboto3

        return self.run(aioboto3.Session().client("s3", **arguments).__aenter__())

    def close_client(self, client: Any) -> None:
        self.run(client.close())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("a blocking call was made in the event loop, which would wait for itself")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def stop(self) -> None:
        self.run(self._loop.shutdown_asyncgens())
        self.run(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class SyncObstoreSide(SyncSide):
    """Plain calls to S3 by obstore."""

    name = "sync obstore"

    def s3_bucket(self, bucket: str, **options: Any) -> Any:
        return self.make("ObstoreBucket", bucket, **options)

    def client(self, **arguments: Any) -> Any:
        pytest.skip("obstore accepts no client of the caller's")


class AsyncObstoreSide(AsyncSide):
    """Calls to S3 by obstore in an event loop."""

    name = "async obstore"

    s3_bucket = SyncObstoreSide.s3_bucket
    aws_session = SyncSide.aws_session
    client = SyncObstoreSide.client


Run = Callable[[Coroutine[Any, Any, Any]], Any]


class Blocking:
    """An async object with blocking methods."""

    def __init__(self, inner: Any, run: Run) -> None:
        self._inner = inner
        self._run = run

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._inner, name)
        if not callable(member):
            return blocking(member, self._run)

        def call(*args: Any, **kwargs: Any) -> Any:
            takes_function = name in TAKES_AN_ASYNC_FUNCTION
            passed = [
                in_thread(arg) if takes_function and callable(arg) else as_argument(arg) for arg in args
            ]
            named = {key: unwrapped(value) for key, value in kwargs.items()}
            return blocking(self._run(_called(member, passed, named)), self._run)

        return call

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("_inner", "_run"):
            super().__setattr__(name, value)
        else:
            setattr(self._inner, name, value)

    def __iter__(self) -> Iterator[Any]:
        return blocking(self._inner.__aiter__(), self._run)

    def __next__(self) -> Any:
        try:
            return self._run(_called(anext, [self._inner], {}))
        except StopAsyncIteration:
            raise StopIteration from None

    def close(self) -> None:
        self._call("aclose", "close")

    def __enter__(self) -> Self:
        entered = self._call("__aenter__", "__enter__")
        return self if entered is self._inner else blocking(entered, self._run)

    def __exit__(self, *error: object) -> None:
        self._call("__aexit__", "__exit__", *error)

    def _call(self, async_name: str, sync_name: str, *args: Any) -> Any:
        method = getattr(self._inner, async_name, None) or getattr(self._inner, sync_name)
        return self._run(_called(method, args, {}))


TAKES_AN_ASYNC_FUNCTION = ("update", "edit", "run_before")
"""The methods whose function may be async. A test's function blocks, so on the async side it runs in a thread."""


async def _called(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """The result of a function that is called in the event loop, awaited if it is awaitable."""
    result = function(*args, **kwargs)
    return await result if inspect.isawaitable(result) else result


def in_thread(function: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """An async function that runs a blocking one in a thread, so that it may call the event loop."""

    async def run(*args: Any) -> Any:
        return await asyncio.to_thread(function, *args)

    return run


async def each_in_thread(items: Generator[T, None, None]) -> AsyncGenerator[T, None]:
    """The items of a blocking generator, each of which is taken in a thread, so that it may call the event loop."""
    end: Any = object()
    try:
        while (item := await asyncio.to_thread(next, items, end)) is not end:
            yield item
    finally:
        items.close()


def blocking(made: Any, run: Run) -> Any:
    """The object itself, or `Blocking` over it if it has async methods or chunks."""
    return Blocking(made, run) if _is_async(type(made)) else made


@cache
def _is_async(kind: type) -> bool:
    if kind is sessionbucket.AsyncObjectStream or hasattr(kind, "__anext__"):
        return True
    members = [member for each in kind.__mro__ for member in vars(each).values()]
    return any(map(inspect.iscoroutinefunction, members)) or any(map(inspect.isasyncgenfunction, members))


def unwrapped(value: Any) -> Any:
    """The async object of a `Blocking`, or the value itself."""
    return value._inner if isinstance(value, Blocking) else value


def as_argument(value: Any) -> Any:
    """The value as an async method takes it: a generator becomes an async one."""
    return each_in_thread(value) if inspect.isgenerator(value) else unwrapped(value)


def at_once(calls: Sequence[Callable[[], T]]) -> list[T | BaseException]:
    """Make all calls at the same time, and return the result or error of each."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        gate.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        futures = [pool.submit(run, call) for call in calls]
    return [future.exception() or future.result() for future in futures]


def errors_in(results: Iterable[object]) -> list[BaseException]:
    return [result for result in results if isinstance(result, BaseException)]
