from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import cache
from itertools import count
from typing import Any

import pytest
import pytest_asyncio

from both_sides import AsyncSide, SyncSide
from conformance.locations import (
    CEPH,
    ENGINES,
    FILE,
    MEMORY,
    OBSTORE,
    ON_AZURE,
    ON_SEAWEEDFS,
    OTHER_SERVERS,
    VERSIONED,
    WITHOUT_SERVER,
    Location,
)
from conformance.slow_cases import is_other_combination, is_slow

AZURE_TOO = {
    f"test_{subject}"
    for subject in (
        "bucket",
        "bucket_listing",
        "bucket_objects",
        "bucket_streams",
        "files",
        "health",
        "listing",
        "store",
    )
}
"""The modules that also run on Azure's protocol. The other modules send the same requests."""

OTHER_SERVERS_TOO = {"test_bucket", "test_bucket_streams", "test_store"}
"""The modules that also run on the servers of the slow run alone: the suites of the port and of the store, and streams."""

STORE_RULES = {
    f"test_{subject}"
    for subject in (
        "checks",
        "conflicts",
        "copies",
        "dropped_members",
        "fork",
        "legacy_names",
        "load_many",
        "parts",
        "sessions",
        "turns",
        "update",
        "versions",
    )
}
"""The modules whose rules depend on no server: ``test_store`` runs on every kind. A test of theirs that involves the server is
marked with ``on_every_kind``."""

ON_VERSIONS = {"test_erasure", "test_history"}
"""The modules that need a bucket with versions."""

DOCUMENTS = {"test_documents", "test_document_sequences", "test_wrappers"}
"""The modules that run without a server, and on SeaweedFS with each engine."""


class NativeAsyncSide(AsyncSide):
    """The async side for tests that are async themselves: its objects do not block, and belong to the test's event loop."""

    def __init__(self) -> None:
        pass

    def wrap(self, made: Any) -> Any:
        return made

    def stop(self) -> None:
        pass


NATIVE_ASYNC = NativeAsyncSide()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that has a location on its kinds, unless it chooses its own."""
    chosen = any(mark.args[0] == "location" for mark in metafunc.definition.iter_markers("parametrize"))
    if "location" in metafunc.fixturenames and not chosen:
        module = metafunc.module.__name__.rpartition(".")[2]
        kinds: Sequence[str] = WITHOUT_SERVER if module in STORE_RULES | DOCUMENTS else ENGINES
        kinds = VERSIONED if module in ON_VERSIONS else kinds
        more = (ON_AZURE,) if module in AZURE_TOO else ON_SEAWEEDFS if module in DOCUMENTS else ()
        others = OTHER_SERVERS if module in OTHER_SERVERS_TOO else ()
        metafunc.parametrize("location", (*kinds, *more, *others), indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    other: dict[tuple[str, str], list[pytest.Item]] = {}
    kept: set[tuple[str, str]] = set()
    for item in items:
        if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
            module, side, values = (
                item.module.__name__.rpartition(".")[2],
                _side_of(item),
                item.callspec.params,
            )
            test = (item.nodeid.partition("[")[0], side)
            if is_other_combination(module, side, values):
                other.setdefault(test, []).append(item)
            else:
                kept.add(test)
            if is_slow(module, item.originalname, side, values):
                item.add_marker(pytest.mark.slow)
    left_out = {item for test, of_test in other.items() if test in kept for item in of_test}
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=list(left_out))


def _side_of(item: pytest.Function) -> str:
    """The side that a test runs on, or an empty string for one that needs both. The suites of the kit are a class for each side."""
    if "side" in item.callspec.params:
        return str(item.callspec.params["side"])
    if item.cls is None:
        return "async" if inspect.iscoroutinefunction(item.obj) else ""
    return "async" if "Async" in item.cls.__name__ else "sync"


@pytest.fixture
def location(request: pytest.FixtureRequest, location_of: Callable[[str], Location]) -> Location:
    """A new, empty location of each kind in turn."""
    return location_of(request.param)


class Clients:
    """Buckets of servers, each with its own client. Tests reuse them, because a client takes up to 35 ms to make."""

    def __init__(self) -> None:
        self._buckets: dict[object, list[Any]] = {}

    def bucket(self, side: SyncSide, location: Location, number: int) -> Any:
        """The bucket of a location's server with this number, starting at zero."""
        buckets = self._buckets.setdefault(
            (side.name, location.endpoint_url, location.bucket, location.engine), []
        )
        while len(buckets) <= number:
            buckets.append(new_bucket(side, location, location.bucket))
        return buckets[number]

    def all(self) -> list[Any]:
        return [bucket for buckets in self._buckets.values() for bucket in buckets]


def new_bucket(side: SyncSide, location: Location, name: str) -> Any:
    """A bucket of the location's server, which need not exist. Its timeouts suit a loaded machine."""
    options = {"endpoint_url": location.endpoint_url, "read_timeout": 20.0, "retry_timeout": 60.0}
    if location.engine == OBSTORE:
        bucket = side.make("ObstoreBucket", name, cloud=location.cloud, **options)
    else:
        bucket = side.s3_bucket(name, session=aws_session_of(side), **options)
    bucket.sends_bare_etags = (
        location.kind == CEPH
    )  # a store's probe finds it out; the suites of the port have none
    return bucket


class Opener:
    """Opens buckets and stores of one side at one location, each with its own client."""

    def __init__(self, side: SyncSide, location: Location, clients: Clients) -> None:
        self.side = side
        self.location = location
        self._clients = clients
        self._numbers = count()
        self._memory = side.make("MemoryBucket", keep_versions=location.is_versioned)

    def bucket(self) -> Any:
        if self.location.kind == MEMORY:
            return self._memory
        if self.location.kind == FILE:
            return self.side.file_bucket(self.location.root)
        return self._clients.bucket(self.side, self.location, next(self._numbers))

    def store(self, prefix: str = "", **arguments: Any) -> Any:
        return self.side.store(self.bucket(), self.location.key(prefix), **arguments)

    def write(self, name: str, body: bytes) -> None:
        """Put an object without the store."""
        if self.location.kind == MEMORY:
            self._memory.put(name, body)
        else:
            self.location.write(name, body)

    def fill(self, names: Sequence[str], body: bytes = b"{}") -> None:
        """Put many objects of one body in the fastest way."""
        if self.location.kind == MEMORY:
            for name in names:
                self._memory.put(name, body)
        else:
            self.location.fill(names, body)

    def read(self, name: str) -> bytes:
        """The body of an object, read without the store."""
        if self.location.kind == MEMORY:
            found = self._memory.get(name, max_bytes=1 << 30)
            assert found is not None
            return found.body
        return self.location.read(name)

    def names(self) -> list[str]:
        """The names of all objects of the location, listed without the store."""
        if self.location.kind == MEMORY:
            page = self._memory.list_page("", limit=self._memory.capabilities.page_limit)
            return sorted(info.key for info in page.objects)
        return self.location.names()


@cache
def aws_session_of(side: SyncSide) -> Any:
    """One session for all clients: a new one reads botocore's data files again."""
    return side.aws_session()


@pytest.fixture(scope="session")
def clients(sides: dict[str, SyncSide]) -> Iterator[Clients]:
    clients = Clients()
    yield clients
    for bucket in clients.all():
        bucket.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def native_clients() -> AsyncIterator[Clients]:
    """Buckets of one event loop, which all async tests of a module share."""
    clients = Clients()
    yield clients
    for bucket in clients.all():
        await bucket.close()


@pytest.fixture
def opener(side: SyncSide, location: Location, clients: Clients) -> Opener:
    return Opener(side, location, clients)


@pytest.fixture
def store(opener: Opener) -> Any:
    return opener.store()


@pytest.fixture
def bucket(opener: Opener) -> Any:
    return opener.bucket()
