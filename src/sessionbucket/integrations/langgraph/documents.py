"""Classes whose methods exist twice, blocking and async, on the documents of one folder.

A method is written once, as a coroutine. Its blocking counterpart runs the same coroutine over documents that never suspend it.
"""

from __future__ import annotations

import asyncio
import copy
import os
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial, wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar, cast
from uuid import uuid4

from sessionbucket import (
    AsyncDocumentStore,
    DocumentInfo,
    DocumentStore,
    InvalidArgumentError,
    open_async_documents,
    open_documents,
)

if TYPE_CHECKING:
    from sessionbucket import AsyncSessionStore, SessionStore

    UrlOrStore = str | os.PathLike[str] | SessionStore[Any] | AsyncSessionStore[Any]

AT_ONCE = 16
_REMEMBERED = 4096

K = TypeVar("K")
V = TypeVar("V")
P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S", bound="OnDocuments")


class OnDocuments:
    """A class whose coroutines use ``_documents``. ``blocking`` makes the blocking counterpart of a method."""

    _opened: _Opened
    _is_blocking = False

    def _open(self, url_or_store: UrlOrStore, folder: str) -> None:
        """Set the documents. Sends no request. Raises ``InvalidArgumentError`` for another type."""
        if not isinstance(url_or_store, str | os.PathLike) and not hasattr(url_or_store, "documents"):
            raise InvalidArgumentError(
                f"url_or_store is {type(url_or_store).__name__} and must be a URL, a path or a store"
            )
        self._opened = _Opened(url_or_store, folder)

    @property
    def _documents(self) -> AsyncDocumentStore:
        return self._opened.blocking if self._is_blocking else self._opened.awaited

    def _on_blocking_documents(self) -> Self:
        """The same object with documents that never suspend a coroutine. Everything else is shared."""
        other = copy.copy(self)
        other._is_blocking = True  # noqa: SLF001 (of the same class)
        return other

    async def _rows(self, prefix: str = "", **options: Any) -> list[DocumentInfo]:
        return [row async for row in self._documents.list(prefix, **options)]

    async def _at_once(self, calls: Sequence[Callable[[], Coroutine[Any, Any, T]]]) -> list[T]:
        """Run calls, 16 at a time. Raises the first error, after the calls of that time have ended."""
        if len(calls) <= 1:
            return [await call() for call in calls]
        if self._is_blocking:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                return list(pool.map(lambda call: finish(call()), calls))
        results: list[T] = []
        for start in range(0, len(calls), AT_ONCE):
            window = [call() for call in calls[start : start + AT_ONCE]]
            for result in await asyncio.gather(*window, return_exceptions=True):
                if isinstance(result, BaseException):
                    raise result
                results.append(result)
        return results

    async def aclose(self) -> None:
        """Close the connections of this event loop and those of blocking calls. Further calls open new ones."""
        await self._opened.close(["awaited", "blocking"])

    def close(self) -> None:
        """Close the connections of blocking calls. Further calls open new ones."""
        finish(self._opened.close(["blocking"]))


class _Opened:
    """The document stores of a URL or a store, which are opened on first use and shared by copies of an object."""

    def __init__(self, source: UrlOrStore, folder: str) -> None:
        self._source, self._folder = source, folder
        if source == "memory://":
            self._source = f"memory://{uuid4().hex}"  # blocking and async methods need one store

    @cached_property
    def awaited(self) -> AsyncDocumentStore:
        """For event loops; a blocking store serves them by threads."""
        if isinstance(self._source, str | os.PathLike):
            return open_async_documents(self._source, self._folder, integration=True)
        documents = self._source.documents(self._folder, integration=True)
        if isinstance(documents, AsyncDocumentStore):
            return documents
        return cast("AsyncDocumentStore", _Awaitable(documents, asyncio.to_thread))

    @cached_property
    def blocking(self) -> AsyncDocumentStore:
        """For blocking calls: its coroutines never suspend. Raises ``InvalidArgumentError`` when the store given is an async one."""
        if isinstance(self._source, str | os.PathLike):
            documents = open_documents(self._source, self._folder, integration=True)
        else:
            given = self._source.documents(self._folder, integration=True)
            if isinstance(given, AsyncDocumentStore):
                raise InvalidArgumentError(
                    f"a blocking call is refused: {self._source!r} is an async store; use the async method, or pass a URL"
                )
            documents = given
        return cast("AsyncDocumentStore", _Awaitable(documents, _call))

    async def close(self, names: Sequence[str]) -> None:
        for name in names:
            if name in self.__dict__:
                await getattr(self, name).close()


class _Awaitable:
    """A blocking document store with the methods of an async one. ``run`` calls the blocking methods."""

    def __init__(self, documents: DocumentStore, run: Callable[..., Awaitable[Any]]) -> None:
        self._documents, self._run = documents, run

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        return partial(self._run, getattr(self._documents, name))

    async def list(self, *args: Any, **options: Any) -> AsyncGenerator[DocumentInfo, None]:
        for row in await self._run(lambda: [*self._documents.list(*args, **options)]):
            yield row


async def _call(call: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    return call(*args, **options)


def blocking(method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]]) -> Callable[Concatenate[S, P], T]:
    """The blocking counterpart of an async method."""

    @wraps(method)
    def run(self: S, /, *args: P.args, **options: P.kwargs) -> T:
        return finish(method(self._on_blocking_documents(), *args, **options))

    return run


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends. It needs no event loop, and does not disturb one that runs in this thread."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError(coroutine)


def iterate(items: AsyncGenerator[T, None]) -> Iterator[T]:
    """Iterate over an async generator that never suspends."""
    try:
        while True:
            yield finish(items.__anext__())
    except StopAsyncIteration:
        return
    finally:
        finish(items.aclose())


class Recent(OrderedDict[K, V]):
    """The latest entries of a mapping; older ones are forgotten."""

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        if len(self) > _REMEMBERED:
            self.popitem(last=False)
