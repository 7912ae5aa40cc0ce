"""The store: a model that ignores members of a session does not erase them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, RootModel
from pydantic.dataclasses import dataclass as pydantic_dataclass

from conformance.conftest import Opener
from conformance.samples import say, session_of, texts_of
from sessionbucket import InvalidArgumentError, SessionData


class Wrong(BaseModel):
    """What a user passes by mistake for sessions of a3s-code."""

    id: str
    title: str = ""


class Step(BaseModel):
    text: str


class OldRelease(BaseModel):
    id: str
    steps: list[Step] = Field(default_factory=list)
    by_name: dict[str, Step] = Field(default_factory=dict)
    count: int = 0


class NewStep(Step):
    cost: float = 0.0


class NewRelease(OldRelease):
    steps: list[NewStep] = Field(default_factory=list)
    by_name: dict[str, NewStep] = Field(default_factory=dict)
    owner: str = "me"


def test_a_save_with_the_wrong_model_is_refused_and_names_the_members(opener: Opener):
    opener.store().save(session_of("s", "precious"))
    before = opener.read("s.json")
    wrong = opener.store(model=Wrong)
    session = wrong.load("s")
    session.title = "new"
    for save in (
        lambda: wrong.save(session),
        lambda: wrong.save(session, overwrite=True),
        lambda: wrong.save_turn(session),
        lambda: wrong.save(session.model_copy()),
        lambda: wrong.update("s", lambda found: setattr(found, "title", "x")),
    ):
        with pytest.raises(
            InvalidArgumentError, match=r"Wrong ignores .*'config', 'state', 'messages'"
        ) as caught:
            save()
        assert "drop_unknown_members=True" in str(caught.value)
        assert "precious" not in str(caught.value)
    assert opener.read("s.json") == before
    assert texts_of(opener.store().load("s")) == ["precious"]


def test_a_save_over_a_given_version_drops_nothing_either(opener: Opener):
    store = opener.store()
    session = session_of("s")
    store.save(session)
    wrong = opener.store(model=Wrong)
    loaded = wrong.load("s")
    say(session, "newer")
    store.save(session)
    for _ in range(2):
        with pytest.raises(InvalidArgumentError, match="messages"):
            wrong.save(loaded, if_version=store.version_of(session))
    assert texts_of(store.load("s"))[-1] == "newer"


def test_an_update_that_changes_nothing_does_not_drop_members(opener: Opener):
    opener.store().save(session_of("s"))
    before = opener.read("s.json")
    opener.store(model=Wrong).update("s", lambda session: None)
    assert opener.read("s.json") == before


def test_in_a_rolling_deployment_the_older_release_does_not_erase_what_the_newer_has_written(opener: Opener):
    old, new = opener.store(model=OldRelease), opener.store(model=NewRelease)
    old.save(OldRelease(id="s", steps=[Step(text="a")]))
    session = new.load("s")
    session.steps.append(NewStep(text="b", cost=2.5))
    session.by_name["b"] = NewStep(text="b", cost=1.5)
    new.save(session)
    before = opener.read("s.json")
    with pytest.raises(InvalidArgumentError) as caught:
        old.update("s", lambda found: setattr(found, "count", 1))
    for path in ("'steps[0].cost'", "'steps[1].cost'", "'by_name.b.cost'", "'owner'"):
        assert path in str(caught.value)
    assert opener.read("s.json") == before
    stale = old.load("s")
    stale.count = 1
    with pytest.raises(InvalidArgumentError, match="owner"):
        old.save(stale)
    new.update("s", lambda found: setattr(found, "count", 2))
    assert new.load("s").steps[1].cost == 2.5


def test_a_session_that_lacks_nothing_of_the_older_release_is_saved_by_it(opener: Opener):
    old = opener.store(model=OldRelease)
    old.save(OldRelease(id="s", steps=[Step(text="a")], by_name={"b": Step(text="b")}))
    old.update("s", lambda found: setattr(found, "count", 1))
    session = old.load("s")
    session.count = 2
    old.save(session)
    session.steps.clear()
    old.save(session)
    assert old.load("s").count == 2


def test_a_store_may_be_opened_to_drop_members(opener: Opener):
    opener.store().save(session_of("s"))
    dropping = opener.store(model=Wrong, drop_unknown_members=True)
    session = dropping.load("s")
    session.title = "new"
    dropping.save(session)
    assert json.loads(opener.read("s.json")) == {"id": "s", "title": "new"}
    opener.store(model=Wrong).update("s", lambda found: setattr(found, "title", "newer"))


def test_the_refusal_ends_when_the_session_is_loaded_with_a_model_that_has_the_members(opener: Opener):
    opener.store().save(session_of("s", "a"))
    opener.store(model=Wrong).load("s")
    opener.store().update("s", lambda session: say(session, "b"))
    assert texts_of(opener.store().load("s")) == ["a", "b"]


def test_a_new_object_over_the_session_drops_nothing_that_a_load_met(opener: Opener):
    """The caller has not loaded the session, so ``overwrite`` replaces it, as it says."""
    opener.store().save(session_of("s"))
    opener.store(model=Wrong).save(Wrong(id="s", title="new"), overwrite=True)
    assert json.loads(opener.read("s.json")) == {"id": "s", "title": "new"}


@dataclass
class Point:
    x: int


@pydantic_dataclass
class Line:
    x: int = Field(alias="from")


class Names(RootModel[list[Step]]):
    pass


class Shapes(BaseModel):
    """Types in which no member is dropped, although the text and the value differ."""

    model_config = ConfigDict(populate_by_name=True)
    id: str
    aliased: str = Field(
        default="", validation_alias=AliasChoices("alias", "older"), serialization_alias="alias"
    )
    named: str = Field(default="", alias="nameAlias")
    point: Point = Point(1)
    line: Line | None = None
    names: Names = Names([])
    pairs: tuple[int, int] = (1, 2)
    numbers: set[int] = Field(default_factory=set)
    anything: Any = None


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    id: str


def test_aliases_dataclasses_root_models_and_collections_are_compared_by_their_members(opener: Opener):
    body = {
        "id": "s",
        "older": "a",
        "nameAlias": "b",
        "point": {"x": 2},
        "line": {"from": 3},
        "names": [{"text": "t"}],
        "pairs": [3, 4],
        "numbers": [1, 2],
        "anything": {"deep": [{"er": 1}]},
    }
    opener.write("s.json", json.dumps(body).encode())
    opener.store(model=Shapes).update("s", lambda found: setattr(found, "pairs", (5, 6)))
    del body["nameAlias"]
    opener.write("u.json", json.dumps({**body, "id": "u", "named": "c"}).encode())
    store = opener.store(model=Shapes)
    store.update("u", lambda found: setattr(found, "pairs", (5, 6)))
    assert store.load("u").named == "c"
    opener.write("v.json", json.dumps({**body, "id": "v", "names": [{"text": "t", "more": 1}]}).encode())
    opener.write("w.json", json.dumps({**body, "id": "w", "line": {"from": 1, "x": 2}}).encode())
    for id, path in (("v", r"'names\[0\].more'"), ("w", r"'line.x'")):
        with pytest.raises(InvalidArgumentError, match=path):
            store.update(id, lambda found: setattr(found, "pairs", (5, 6)))


def test_a_model_that_keeps_unknown_members_is_saved(opener: Opener):
    opener.write("s.json", json.dumps({"id": "s", "other": {"deep": 1}}).encode())
    store = opener.store(model=Open)
    store.update("s", lambda found: setattr(found, "mine", 1))
    assert json.loads(opener.read("s.json")) == {"id": "s", "other": {"deep": 1}, "mine": 1}


class Narrow(SessionData):
    """A subclass of ours whose own nested model ignores members."""

    step: Step | None = None


def test_a_nested_model_of_the_users_in_a_session_of_ours_is_checked(opener: Opener):
    store = opener.store(model=Narrow)
    store.save(Narrow(id="s", step=Step(text="a")))
    body = opener.read("s.json").replace(b'"text": "a"', b'"text": "a",\n    "cost": 1')
    opener.write("s.json", body)
    with pytest.raises(InvalidArgumentError, match=r"'step.cost'"):
        store.update("s", lambda found: setattr(found, "model_name", "m"))
