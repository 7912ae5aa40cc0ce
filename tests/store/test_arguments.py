"""Whatever an argument is, a call works or raises an error of the library, and a call that raises has changed nothing."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import sessionbucket
from both_sides import SyncSide, unwrapped
from conformance.locations import FILE, MEMORY, MOTO, OBSTORE, Location
from conformance.samples import artifacts_of, event_of, report_of, session_of
from sessionbucket import (
    Document,
    Finding,
    IfAbsent,
    IfMatch,
    InvalidArgumentError,
    MemoryBucket,
    Problem,
    SessionBucketError,
    SessionData,
    SessionStore,
)
from sessionbucket._core.write_ids import WrittenVersion

EXAMPLES = 25
ON_A_SERVER = 10
MOST_ITEMS = 5


class Unprintable:
    """An object of no type that the library handles."""

    def __init__(self, *_: object) -> None:
        """Can be called like a function of the caller's."""

    def __repr__(self) -> str:
        return "<unprintable>"


async def an_async_function(*_: object) -> None:
    """A change that only the async side can await."""


def raising(*_: object) -> None:
    raise _OfTheCallerError


class _OfTheCallerError(Exception):
    """An error of the caller's own function, which reaches the caller unchanged."""


TEXTS = [
    "",
    "x",
    "s",
    "a/b",
    "..",
    "/",
    "\0",
    "\n",
    "\ud800",
    "é" * 300,
    "x" * 2000,
    "text/plain",
    '"v"',
    "%",
    "3",
]
NUMBERS = [0, -1, 1, 5, 10**30, 1.5, float("nan"), float("inf"), True]
ODD: list[Any] = [
    None,
    *TEXTS,
    *NUMBERS,
    b"",
    b"x",
    bytearray(b"x"),
    memoryview(b"abcd")[::2],
    [],
    ["x"],
    [5],
    [None],
    (),
    {},
    {"a": 1},
    {"x"},
    Unprintable(),
    Unprintable,
    Path("/nothing/here"),
    timedelta(hours=1),
    timedelta(-1),
    session_of("other", "text"),
    event_of("x"),
    IfAbsent(),
    IfMatch('"v"'),
    lambda *_: None,
    lambda *_: "text",
    lambda *_: 5,
    lambda *_: b"x",
    lambda *_: session_of("another", "text"),
    an_async_function,
    raising,
]
odd = st.sampled_from(ODD)

GOOD: dict[str, list[Any]] = {
    "id": ["s"],
    "ids": [["s"], ["kept"]],
    "name": ["log.txt"],
    "key": ["folder/new"],
    "keys": [["folder/new"]],
    "source": ["folder/kept"],
    "target": ["folder/new"],
    "body": [b"x"],
    "data": [b"x", b"x" * 100],
    "prefix": ["", "k"],
    "limit": [1, 1000],
    "cursor": [None],
    "concurrency": [1, 4],
    "attempts": [1, 10],
    "max_bytes": [1 << 20],
    "overwrite": [False],
    "if_version": [None],
    "if_absent": [False, True],
    "change": [lambda *_: None],
    "create": [None, lambda: session_of("s", "text")],
    "session": [session_of("s", "text")],
    "artifacts": [artifacts_of("x")],
    "events": [[event_of("x")]],
    "trace_events": [[event_of("x")], None],
    "reports": [[report_of("x")]],
    "verification_reports": [[report_of("x")], None],
    "content_type": ["text/plain"],
    "expires_in": [timedelta(hours=1)],
    "filename": ["log.txt"],
    "findings": [[Finding("nothing", Problem.STALE, "", removable=True)]],
    "seen": [None, Document("folder/new", b"x", 1, None, WrittenVersion('"v"', ()))],
    "version": ['"v"'],
    "condition": [IfAbsent()],
    "metadata": [{"a": "b"}],
    "delimiter": ["", "/"],
    "start_after": [""],
    "size": [None],
    "n": [1, -1],
}


def public_methods(kind: type) -> list[str]:
    """The names of the methods that take arguments."""
    names = [name for name in dir(kind) if not name.startswith("_")]
    functions = [name for name in names if inspect.isfunction(getattr(kind, name))]
    return [name for name in functions if len(inspect.signature(getattr(kind, name)).parameters) > 1]


def arguments_of(function: Callable[..., Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Arguments for a function: good ones, and one or all of them odd."""
    parameters = [each for each in inspect.signature(function).parameters.values() if each.name != "self"]
    names = [each.name for each in parameters if each.kind is not each.VAR_KEYWORD]
    chosen = {name: st.one_of(st.sampled_from(GOOD.get(name, ODD)), odd) for name in names}
    mostly_good = {name: st.sampled_from(GOOD.get(name, ODD)) for name in names}
    return st.one_of(
        st.fixed_dictionaries(chosen),
        st.sampled_from(names).flatmap(lambda name: st.fixed_dictionaries({**mostly_good, name: odd})),
    )


def as_argument(side: SyncSide, name: str, value: Any) -> Any:
    """A stream of chunks is an iterator of the side."""
    if name == "chunks" and isinstance(value, list):
        return _async_iterator(value) if side.name.startswith("async") else iter(value)
    return value


async def _async_iterator(items: list[Any]) -> Any:
    for item in items:
        yield item


def call(
    side: SyncSide, function: Callable[..., Any], arguments: Mapping[str, Any]
) -> SessionBucketError | None:
    """Call a function of either side, and take the first items of an iterator. Returns the error, if it is the library's."""
    passed = {name: as_argument(side, name, value) for name, value in arguments.items()}
    run = getattr(side, "run", None)
    try:
        if run is None:
            result = function(**passed)
            if inspect.isgenerator(result):
                list(islice(result, MOST_ITEMS))
                result.close()
        else:
            run(_called(function, passed))
    except SessionBucketError as error:
        return error
    except _OfTheCallerError:
        return None
    return None


async def _called(function: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    result = function(**arguments)
    if inspect.isasyncgen(result):
        taken = 0
        async for _ in result:
            taken += 1
            if taken == MOST_ITEMS:
                break
        await result.aclose()
    elif inspect.isawaitable(result):
        await result


def contents(bucket: Any) -> dict[str, bytes]:
    """The bodies of all objects but the bookkeeping."""
    keys = [info.key for info in bucket.list_page("", limit=bucket.capabilities.page_limit).objects]
    found = {key: bucket.get(key, max_bytes=1 << 30) for key in keys if ".sessionbucket/" not in key}
    return {key: each.body for key, each in found.items() if each is not None}


def on_one_of(fixture: str, first: str, second: str) -> pytest.MarkDecorator:
    """Runs the sync side on the first bucket, and leaves the other pairs to the slow run."""
    others = [("sync", second), ("async", first), ("async", second)]
    slow = [pytest.param(*case, marks=pytest.mark.slow) for case in others]
    return pytest.mark.parametrize(("side", fixture), [("sync", first), *slow], indirect=True)


without_server = on_one_of("bucket", MEMORY, FILE)
on_moto = on_one_of("s3_bucket", MOTO, f"{MOTO}+{OBSTORE}")


@pytest.fixture
def bucket(request: pytest.FixtureRequest, side: SyncSide, location_of: Callable[[str], Location]) -> Any:
    if request.param == MEMORY:
        return side.make("MemoryBucket")
    return side.file_bucket(location_of(FILE).root, fsync=False)


@pytest.fixture
def store(side: SyncSide, bucket: Any) -> Any:
    """A store with a session ``kept`` and all its parts, which no test names."""
    store = side.store(bucket)
    store.save(session_of("kept", "text"))
    store.save_artifacts("kept", artifacts_of("x"))
    store.save_trace_events("kept", [event_of("x")])
    store.save_verification_reports("kept", [report_of("x")])
    store.put_file("kept", "log.txt", b"log")
    store.documents("mine").put("folder/kept", b"kept")
    return store


KEPT = "the objects of the session and the document that no call names"


def kept_in(found: Mapping[str, bytes]) -> dict[str, bytes]:
    return {key: body for key, body in found.items() if "kept" in key}


def check_call(
    side: SyncSide, bucket: Any, function: Callable[..., Any], arguments: Mapping[str, Any]
) -> None:
    before = contents(bucket)
    error = call(side, function, arguments)
    after = contents(bucket)
    assert kept_in(after) == kept_in(before), KEPT
    if error is not None:
        assert after == before, f"{error} was raised, and objects changed"


@without_server
@pytest.mark.parametrize("method", public_methods(SessionStore))
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_a_session_store_takes_any_argument(
    side: SyncSide, store: Any, bucket: Any, method: str, data: st.DataObject
):
    function = getattr(unwrapped(store), method)
    check_call(side, bucket, function, data.draw(arguments_of(function)))


@without_server
@pytest.mark.parametrize("method", public_methods(sessionbucket.DocumentStore))
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_a_document_store_takes_any_argument(
    side: SyncSide, store: Any, bucket: Any, method: str, data: st.DataObject
):
    documents = unwrapped(side.make("DocumentStore", bucket, "mine"))
    function = getattr(documents, method)
    before = contents(bucket)
    arguments = data.draw(arguments_of(function))
    error = call(side, function, arguments)
    after = contents(bucket)
    if method != "delete_prefix":
        assert kept_in(after) == kept_in(before), KEPT
    if error is not None:
        assert after == before


@without_server
@pytest.mark.parametrize("method", public_methods(sessionbucket.RawSessions))
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_the_raw_sessions_take_any_argument(
    side: SyncSide, store: Any, bucket: Any, method: str, data: st.DataObject
):
    function = getattr(unwrapped(store).raw, method)
    check_call(side, bucket, function, data.draw(arguments_of(function)))


@without_server
@pytest.mark.parametrize("method", public_methods(MemoryBucket))
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_a_bucket_takes_any_argument(
    side: SyncSide, store: Any, bucket: Any, method: str, data: st.DataObject
):
    function = getattr(unwrapped(bucket), method)
    check_call(side, bucket, function, data.draw(arguments_of(function)))


@pytest.fixture
def s3_bucket(
    request: pytest.FixtureRequest, side: SyncSide, location_of: Callable[[str], Location]
) -> Iterator[Any]:
    location = location_of(request.param)
    kind = "ObstoreBucket" if location.engine else "S3Bucket"
    bucket = side.make(kind, location.bucket, endpoint_url=location.endpoint_url, max_attempts=1)
    yield bucket
    bucket.close()


@on_moto
@pytest.mark.parametrize("method", public_methods(sessionbucket.S3Bucket))
@settings(max_examples=ON_A_SERVER)
@given(data=st.data())
def test_a_bucket_of_a_server_takes_any_argument(
    side: SyncSide, s3_bucket: Any, method: str, data: st.DataObject
):
    function = getattr(unwrapped(s3_bucket), method)
    call(side, function, data.draw(arguments_of(function)))


@without_server
@settings(max_examples=EXAMPLES)
@given(n=odd)
def test_a_file_reader_takes_any_argument(side: SyncSide, store: Any, n: Any):
    with store.open_file("kept", "log.txt") as reader:
        error = call(side, unwrapped(reader).read, {"n": n})
        assert error is not None or (isinstance(n, int) and not isinstance(n, bool))
        assert error is None or reader.read() == b"log"


OPENING = ("open_store", "open_documents")
OF_STORES = ("FileBucket", "S3Bucket", "ObstoreBucket", "SessionStore", "DocumentStore", "BucketWrapper")
OPTIONS = [*sessionbucket.StoreOptions.__annotations__, "access_key_id", "nothing"]
urls = st.sampled_from(
    ["memory://", "s3://bucket", "gs://bucket", "az://bucket", "file:///nothing", "ftp://x", "s3://["]
)


@pytest.mark.parametrize("name", [*OPENING, *OF_STORES])
@settings(max_examples=EXAMPLES)
@given(data=st.data())
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_opening_takes_any_argument(
    side: SyncSide, name: str, data: st.DataObject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)  # a relative path is a folder here
    function = getattr(sessionbucket, side.name_of(name))
    parameters = inspect.signature(function).parameters
    arguments: dict[str, Any] = {}
    for each in parameters.values():
        if each.kind is each.VAR_KEYWORD:
            arguments.update(data.draw(st.dictionaries(st.sampled_from(OPTIONS), odd, max_size=2)))
        elif each.name == "url":
            arguments["url"] = data.draw(st.one_of(urls, odd))
        elif each.default is each.empty or data.draw(st.booleans()):
            arguments[each.name] = data.draw(odd)
    if name == "FileBucket":
        arguments["create"] = False
    elif name in OPENING:
        arguments.setdefault("create", False)
        if not str(arguments["url"]).startswith("file"):
            del arguments["create"]
    call(side, function, arguments)


@without_server
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_a_copy_takes_any_argument(side: SyncSide, store: Any, bucket: Any, data: st.DataObject):
    function = getattr(sessionbucket, side.name_of("copy_sessions"))
    other = side.store(side.make("MemoryBucket"))
    arguments = data.draw(arguments_of(function))
    stores = {"source": unwrapped(store), "destination": unwrapped(other)}
    if data.draw(st.booleans()):
        stores.pop(data.draw(st.sampled_from([*stores])))
    check_call(side, bucket, function, {**arguments, **stores})


@given(kind=odd)
@example(kind=SessionData)
def test_a_model_is_any_argument(side: SyncSide, kind: Any):
    error = call(
        side,
        getattr(sessionbucket, side.name_of("SessionStore")),
        {"bucket": unwrapped(side.make("MemoryBucket")), "model": kind},
    )
    assert isinstance(error, InvalidArgumentError) or kind in (None, SessionData)
