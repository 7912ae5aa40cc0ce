"""The store: what it remembers on a session, and on models of a user's own."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from conformance._async.conftest import Opener
from conformance.samples import say, session_of, texts_of
from sessionbucket import InvalidArgumentError, SessionConflictError, SessionCorruptedError, SessionData


class Plain(BaseModel):
    id: str
    turns: list[str] = Field(default_factory=list)


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)
    id: str
    turns: tuple[str, ...] = ()


class Open(BaseModel):
    """Unknown members would swallow an attribute set on it."""

    model_config = ConfigDict(extra="allow", validate_assignment=True)
    id: str
    turns: list[str] = Field(default_factory=list)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_assignment=True)
    id: str
    turns: list[str] = Field(default_factory=list)


class Extended(SessionData):
    tenant: str = "nobody"


MODELS = [Plain, Frozen, Open, Strict, Extended]


def with_turn(session: Any, turn: str) -> Any:
    """The session with one more turn: a frozen one as a copy."""
    if isinstance(session, Extended):
        session.tenant = turn
        return session
    if isinstance(session, Frozen):
        return session.model_copy(update={"turns": (*session.turns, turn)})
    session.turns = [*session.turns, turn]
    return session


@pytest.mark.parametrize("model", MODELS)
async def test_a_model_of_ones_own_has_all_the_promises(opener: Opener, model: Any):
    one, other = opener.store(model=model), opener.store(model=model)
    session = model(id="s")
    before = session.model_dump_json()
    await one.save(session)
    assert session.model_dump_json() == before
    assert session == model(id="s", **({"created_at": session.created_at} if model is Extended else {}))
    with pytest.raises(SessionConflictError):
        await one.save(with_turn(model(id="s"), "another"))
    mine, theirs = await one.load("s"), await other.load("s")
    assert type(mine) is model
    assert mine == theirs == session
    theirs = with_turn(theirs, "theirs")
    await other.save(theirs)
    theirs = with_turn(theirs, "theirs again")
    await other.save(theirs)
    mine = with_turn(mine, "mine")
    with pytest.raises(SessionConflictError):
        await one.save(mine)
    assert await one.load("s") == theirs
    updated = await one.update("s", lambda session: with_turn(session, "updated"))
    assert await other.load("s") == updated
    updated = with_turn(updated, "last")
    await one.save(updated)
    assert await other.load("s") == updated


@pytest.mark.parametrize("model", MODELS)
async def test_the_version_is_never_serialised_and_not_part_of_equality(opener: Opener, model: Any):
    store = opener.store(model=model)
    session = model(id="s")
    fresh = session.model_copy(deep=True)
    await store.save(session)
    loaded = await store.load("s")
    assert session == fresh == loaded
    for text in (loaded.model_dump_json(), str(loaded.model_dump()), repr(loaded), str(loaded)):
        assert "version" not in text
        assert "StoredVersion" not in text
        assert "memory://" not in text
    assert loaded.model_dump() == fresh.model_dump()
    assert b"version" not in await opener.read("s.json")


async def test_a_copy_keeps_the_version(opener: Opener):
    store = opener.store()
    await store.save(session_of("s", "base"))
    loaded = await store.load("s")
    copies = [
        loaded.model_copy(),
        loaded.model_copy(deep=True),
        loaded.model_copy(update={"model_name": "m"}),
        copy.copy(loaded),
        copy.deepcopy(loaded),
        pickle.loads(pickle.dumps(loaded)),
    ]
    await store.save(copies[-1])
    for each in copies[1:]:
        await store.save(each, overwrite=True)
        again = await store.load("s")
        say(again, "more")
        await store.save(again)
        say(each, "stale")
        with pytest.raises(SessionConflictError):
            await store.save(each)


async def test_a_session_built_anew_from_a_dump_is_a_new_session(opener: Opener):
    store = opener.store()
    await store.save(session_of("s", "base"))
    loaded = await store.load("s")
    rebuilt = SessionData.model_validate(loaded.model_dump())
    say(rebuilt, "more")
    with pytest.raises(SessionConflictError):
        await store.save(rebuilt)
    assert texts_of(await store.load("s")) == ["base"]


async def test_members_of_a_later_version_survive_a_load_and_a_save(opener: Opener):
    store = opener.store()
    await store.save(session_of("s"))
    body = (await opener.read("s.json")).replace(
        b'{\n  "id"', b'{\n  "tenant_id": {"deep": [1.0]},\n  "id"', 1
    )
    await opener.write("s.json", body)
    session = await store.load("s")
    session.model_name = "m"
    await store.save(session)
    again = await store.load("s")
    assert again.tenant_id == {"deep": [1.0]}
    assert again.model_name == "m"


async def test_a_body_of_another_model_is_an_error(opener: Opener):
    await opener.store(model=Plain).save(Plain(id="s"))
    with pytest.raises(SessionCorruptedError):
        await opener.store().load("s")


@pytest.mark.parametrize("model", [dict, BaseModel, type("NoId", (BaseModel,), {}), int])
def test_a_model_without_an_id_is_refused(opener: Opener, model: Any):
    with pytest.raises(InvalidArgumentError, match="id"):
        opener.store(model=model)
