"""The store: the version that it remembers on a session, and on a user's own models."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from conformance.conftest import Opener
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
    """Its unknown members would include an attribute that is set on it."""

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
def test_a_users_own_model_has_all_the_promises(opener: Opener, model: Any):
    one, other = opener.store(model=model), opener.store(model=model)
    session = model(id="s")
    before = session.model_dump_json()
    one.save(session)
    assert session.model_dump_json() == before
    assert session == model(id="s", **({"created_at": session.created_at} if model is Extended else {}))
    with pytest.raises(SessionConflictError):
        one.save(with_turn(model(id="s"), "another"))
    mine, theirs = one.load("s"), other.load("s")
    assert type(mine) is model
    assert mine == theirs == session
    theirs = with_turn(theirs, "theirs")
    other.save(theirs)
    theirs = with_turn(theirs, "theirs again")
    other.save(theirs)
    mine = with_turn(mine, "mine")
    with pytest.raises(SessionConflictError):
        one.save(mine)
    assert one.load("s") == theirs
    updated = one.update("s", lambda session: with_turn(session, "updated"))
    assert other.load("s") == updated
    updated = with_turn(updated, "last")
    one.save(updated)
    assert other.load("s") == updated


@pytest.mark.parametrize("model", MODELS)
def test_the_version_is_never_serialised_and_not_part_of_equality(opener: Opener, model: Any):
    store = opener.store(model=model)
    session = model(id="s")
    fresh = session.model_copy(deep=True)
    store.save(session)
    loaded = store.load("s")
    assert session == fresh == loaded
    for text in (loaded.model_dump_json(), str(loaded.model_dump()), repr(loaded), str(loaded)):
        assert "version" not in text
        assert "StoredVersion" not in text
        assert "memory://" not in text
    assert loaded.model_dump() == fresh.model_dump()
    assert b"version" not in opener.read("s.json")


COPIES = {
    "model_copy": lambda session: session.model_copy(),
    "deep model_copy": lambda session: session.model_copy(deep=True),
    "model_copy with an update": lambda session: session.model_copy(update={"id": "s"}),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda session: pickle.loads(pickle.dumps(session)),
    "copy of a copy": lambda session: pickle.loads(pickle.dumps(copy.copy(session.model_copy()))),
}


@pytest.mark.parametrize("model", [*MODELS, SessionData])
@pytest.mark.parametrize("how", COPIES)
def test_a_copy_keeps_the_version(opener: Opener, model: Any, how: str):
    store = opener.store(model=model)
    store.save(model(id="s"))
    loaded = store.load("s")
    copied = COPIES[how](loaded)
    assert copied == loaded
    assert store.version_of(copied) == store.version_of(loaded)
    written = changed(copied, "of the copy")
    store.save(written)
    with pytest.raises(SessionConflictError):
        store.save(changed(loaded, "of the original"))
    stale = COPIES[how](loaded)
    with pytest.raises(SessionConflictError):
        store.save(changed(stale, "of a stale copy"))
    assert store.load("s") == written


def changed(session: Any, text: str) -> Any:
    if type(session) is SessionData:
        session.model_name = text
        return session
    return with_turn(
        session.model_copy(update={"turns": ()}) if isinstance(session, Frozen) else session, text
    )


@pytest.mark.parametrize("model", [*MODELS, SessionData])
def test_a_save_and_a_load_add_nothing_to_a_session(opener: Opener, model: Any):
    """Neither to its fields, nor to its unknown members, nor to the names of its given fields."""
    store = opener.store(model=model)
    session = model(id="s")
    given, extra = set(session.model_fields_set), dict(session.model_extra or {})
    store.save(session)
    assert (session.model_fields_set, session.model_extra or {}) == (given, extra)
    assert repr(session.model_fields_set) == repr(given)
    assert session.model_dump(exclude_unset=True) == {"id": "s"}
    assert (store.load("s").model_extra or {}) == {}


def test_a_session_validated_from_a_dump_counts_as_new(opener: Opener):
    store = opener.store()
    store.save(session_of("s", "base"))
    loaded = store.load("s")
    rebuilt = SessionData.model_validate(loaded.model_dump())
    say(rebuilt, "more")
    with pytest.raises(SessionConflictError):
        store.save(rebuilt)
    assert texts_of(store.load("s")) == ["base"]


def test_members_of_a_later_version_survive_a_load_and_a_save(opener: Opener):
    store = opener.store()
    store.save(session_of("s"))
    body = opener.read("s.json").replace(b'{\n  "id"', b'{\n  "binding": {"deep": [1.0]},\n  "id"', 1)
    opener.write("s.json", body)
    session = store.load("s")
    session.model_name = "m"
    store.save(session)
    again = store.load("s")
    assert again.binding == {"deep": [1.0]}
    assert again.model_name == "m"


def test_a_body_of_another_model_raises_an_error(opener: Opener):
    opener.store(model=Plain).save(Plain(id="s"))
    with pytest.raises(SessionCorruptedError):
        opener.store().load("s")


@pytest.mark.parametrize("model", [dict, BaseModel, type("NoId", (BaseModel,), {}), int])
def test_a_model_without_an_id_is_refused(opener: Opener, model: Any):
    with pytest.raises(InvalidArgumentError, match="id"):
        opener.store(model=model)
