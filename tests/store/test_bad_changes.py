"""An ``update`` whose change gives no session that can be written raises one clear error, and writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from both_sides import SyncSide, unwrapped
from conformance.locations import FILE, MEMORY, Location
from conformance.samples import session_of
from sessionbucket import InvalidArgumentError, Message, SessionData
from store.own_stores import DictStore


class OwnSession(BaseModel):
    """A model of a user's, which prints NaN as null by default."""

    model_config = ConfigDict(extra="allow")

    id: str
    score: float = 0.0
    data: Any = None


@pytest.fixture(params=[MEMORY, FILE])
def bucket(request: pytest.FixtureRequest, side: SyncSide, location_of: Callable[[str], Location]) -> Any:
    if request.param == MEMORY:
        return side.make("MemoryBucket")
    return side.file_bucket(location_of(FILE).root)


def body_of(bucket: Any) -> bytes:
    found = bucket.get("s.json", max_bytes=1 << 20)
    assert found is not None
    body: bytes = found.body
    return body


def refused(store: Any, bucket: Any, change: Callable[[Any], Any]) -> str:
    before = body_of(bucket)
    with pytest.raises(InvalidArgumentError, match="nothing was written") as caught:
        store.update("s", change)
    assert body_of(bucket) == before
    return str(caught.value)


@pytest.mark.parametrize(
    ("result", "named"),
    [
        ("text", "str"),
        (Message.user("hi"), "Message"),
        (5, "int"),
        ([], "list"),
        (session_of("other"), "'other'"),
    ],
)
def test_a_change_that_returns_something_else_is_named(side: SyncSide, bucket: Any, result: Any, named: str):
    store = side.store(bucket)
    store.save(session_of("s"))
    message = refused(store, bucket, lambda session: result)
    assert "`change` of update('s')" in message
    assert named in message


def test_an_async_change_needs_an_async_store(sides: dict[str, SyncSide]):
    async def change(session: SessionData) -> None:
        session.model_name = "m"

    sync, asynchronous = sides["sync"], sides["async"]
    bucket = sync.make("MemoryBucket")
    store = sync.store(bucket)
    store.save(session_of("s"))
    assert "an async function needs an async store" in refused(store, bucket, change)
    other = unwrapped(asynchronous.store(asynchronous.make("MemoryBucket")))
    asynchronous.run(other.save(session_of("s")))
    assert asynchronous.run(other.update("s", change)).model_name == "m"


def test_an_async_create_is_refused(side: SyncSide, bucket: Any):
    async def create() -> SessionData:
        return session_of("s")

    with pytest.raises(InvalidArgumentError, match="`create` must not be async"):
        unwrapped_update(side, side.store(bucket), create)


def unwrapped_update(side: SyncSide, store: Any, create: Callable[[], Any]) -> Any:
    result = unwrapped(store).update("s", lambda session: None, create=create)
    return side.run(result) if side.name.startswith("async") else result


def cycle() -> dict[str, Any]:
    made: dict[str, Any] = {}
    made["itself"] = made
    return made


BAD_VALUES = [
    pytest.param("\ud800", id="surrogate"),
    pytest.param(cycle(), id="cycle"),
    pytest.param(object(), id="object"),
    pytest.param({1, object()}, id="set"),
    pytest.param(float("nan"), id="nan"),
    pytest.param(float("-inf"), id="infinity"),
    pytest.param(10**5000, id="long integer"),
]


@pytest.mark.parametrize("value", BAD_VALUES)
@pytest.mark.parametrize("model", [SessionData, OwnSession])
def test_a_change_that_adds_what_json_cannot_hold_is_refused(
    side: SyncSide, bucket: Any, model: type[Any], value: Any
):
    store = side.store(bucket, model=model)
    store.save(model(id="s"))

    def change(session: Any) -> None:
        session.__pydantic_extra__["added"] = [value]

    assert "'s.json'" in refused(store, bucket, change)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_json_cannot_hold_is_refused_in_a_field_too(side: SyncSide, bucket: Any, value: float):
    store = side.store(bucket, model=OwnSession)
    store.save(OwnSession(id="s"))

    def change(session: OwnSession) -> None:
        session.score = value

    assert "score" in refused(store, bucket, change)


async def test_a_store_of_a_users_own_refuses_the_same_changes():
    store = DictStore()
    await store.save(session_of("s"))
    before = dict(store._bodies)

    def set_nan(session: SessionData) -> None:
        session.total_cost = float("nan")

    for change in (lambda session: "text", lambda session: session_of("other"), set_nan):
        with pytest.raises(InvalidArgumentError):
            await store.update("s", change)  # type: ignore[arg-type]
    assert store._bodies == before
