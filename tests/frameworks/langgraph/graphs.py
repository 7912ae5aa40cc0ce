"""Graphs and savers for the tests, with calls that count their requests."""

from __future__ import annotations

import asyncio
import operator
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph

from sessionbucket import (
    PAGE_LIMIT,
    Always,
    AsyncBucketWrapper,
    AsyncMemoryBucket,
    AsyncSessionStore,
    BucketCall,
    BucketWrapper,
    MemoryBucket,
    SessionStore,
    StoredObject,
)
from sessionbucket.integrations.langgraph import BucketSaver

NAMES = {"list_page": "LIST", "get": "GET", "put": "PUT", "delete": "DELETE", "head": "HEAD", "copy": "COPY"}


def name_of(call: BucketCall) -> str:
    """The request's name, which shows an unconditional PUT."""
    name = NAMES.get(call.operation, call.operation)
    return f"unconditional {name}" if name == "PUT" and isinstance(call.condition, Always) else name


class CountingBucket(BucketWrapper):
    """Counts the requests, and the bytes of what is put."""

    def __init__(self, inner: MemoryBucket) -> None:
        super().__init__(inner)
        inner.capabilities = inner.capabilities._replace(page_limit=PAGE_LIMIT)  # as a server lists
        self.calls: Counter[str] = Counter()
        self.bytes = 0

    def request(self, call: BucketCall, send: Callable[[], Any]) -> Any:
        self.calls[name_of(call)] += 1
        return send()

    def put(self, key: str, body: bytes, **options: Any) -> str:
        self.bytes += len(body)
        return super().put(key, body, **options)


class AsyncCountingBucket(AsyncBucketWrapper):
    """The async counterpart."""

    def __init__(self, inner: AsyncMemoryBucket) -> None:
        super().__init__(inner)
        inner.capabilities = inner.capabilities._replace(page_limit=PAGE_LIMIT)  # as a server lists
        self.calls: Counter[str] = Counter()
        self.bytes = 0

    async def request(self, call: BucketCall, send: Callable[[], Any]) -> Any:
        self.calls[name_of(call)] += 1
        return await send()

    async def put(self, key: str, body: bytes, **options: Any) -> str:
        self.bytes += len(body)
        return await super().put(key, body, **options)


class Side:
    """A saver with counted requests, and a graph's calls of one side, which block here."""

    def __init__(self, is_async: bool, **options: Any) -> None:
        self.is_async = is_async
        if is_async:
            self.bucket: Any = AsyncCountingBucket(AsyncMemoryBucket())
            self.store: Any = AsyncSessionStore(self.bucket)
        else:
            self.bucket = CountingBucket(MemoryBucket())
            self.store = SessionStore(self.bucket)
        self.saver = BucketSaver(self.store, **options)

    def call(self, target: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method, or on the async side its counterpart."""
        if self.is_async:
            return asyncio.run(getattr(target, f"a{name}")(*args, **kwargs))
        return getattr(target, name)(*args, **kwargs)

    def counted(self, target: Any, name: str, *args: Any, **kwargs: Any) -> dict[str, int]:
        """The requests of a call."""
        self.bucket.calls.clear()
        self.call(target, name, *args, **kwargs)
        return dict(self.bucket.calls)

    def list(self, *args: Any, **options: Any) -> list[Any]:
        async def collect() -> list[Any]:
            return [each async for each in self.saver.alist(*args, **options)]

        return asyncio.run(collect()) if self.is_async else list(self.saver.list(*args, **options))

    def make_older(self, age: timedelta, part: str) -> None:
        """Move the times of the objects that have this part in their keys."""
        objects = self.bucket.inner._objects._objects
        for key, stored in list(objects.items()):
            if part in key:
                info = stored.info._replace(updated_at=stored.info.updated_at - age)
                objects[key] = StoredObject(info, stored.body)

    def objects(self) -> dict[str, StoredObject]:
        """Every object of the bucket."""
        return dict(self.bucket.inner._objects._objects)

    def set_objects(self, objects: dict[str, StoredObject]) -> None:
        """Make these the objects of the bucket, without a request."""
        memory = self.bucket.inner._objects
        memory._objects = dict(objects)
        memory._keys = sorted(key.encode() for key in objects)

    def bodies(self) -> dict[str, bytes]:
        """The body of every object of the bucket."""
        return {key: stored.body for key, stored in self.objects().items()}


class State(TypedDict, total=False):
    count: int
    notes: Annotated[list[str], operator.add]
    document: str


def two_nodes(saver: BucketSaver, first: Callable[[State], State] | None = None) -> Any:
    """A graph of two nodes in sequence, each of which adds one to the count."""

    def add(state: State) -> State:
        return {"count": state.get("count", 0) + 1}

    builder = StateGraph(State)
    builder.add_node("first", first or add)
    builder.add_node("second", add)
    builder.add_edge(START, "first")
    builder.add_edge("first", "second")
    builder.add_edge("second", END)
    return builder.compile(checkpointer=saver)


def thread(id: str) -> Any:
    return {"configurable": {"thread_id": id}}
