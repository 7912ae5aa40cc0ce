"""Any sequence of document operations has the results of the same operations on a dictionary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from conformance.conftest import Opener
from conformance.locations import SEAWEEDFS, unique_name
from sessionbucket import UNSEEN, ConflictError, Document, DocumentStore, InvalidArgumentError

KEYS = ("a", "b/1", "b/2", "b/c/1", "d.json", "é")
PREFIXES = ("", "a", "b", "b/", "b/c", "b/c/", "x")

keys = st.sampled_from(KEYS)
prefixes = st.sampled_from(PREFIXES)
bodies = st.binary(max_size=8)
writers = st.sampled_from((0, 1))


class Sequence(RuleBasedStateMachine):
    """Two document stores of one folder, and a dictionary. Each writer remembers documents, which may be outdated."""

    open_documents: Callable[[], list[DocumentStore]]

    def __init__(self) -> None:
        super().__init__()
        self.stores = type(self).open_documents()
        self.model: dict[str, bytes] = {}
        self.remembered: dict[tuple[int, str], Document] = {}

    def remember(self, writer: int, document: Document | None, key: str) -> None:
        """The document must be as in the model."""
        assert (document.body if document else None) == self.model.get(key)
        if document is not None:
            assert (document.key, document.size) == (key, len(document.body))
            self.remembered[writer, key] = document

    @rule(writer=writers, key=keys, body=bodies)
    def put(self, writer: int, key: str, body: bytes) -> None:
        document = self.stores[writer].put(key, body)
        self.model[key] = body
        self.remember(writer, document, key)

    @rule(writer=writers, key=keys, body=bodies)
    def put_if_absent(self, writer: int, key: str, body: bytes) -> None:
        if key in self.model:
            with pytest.raises(ConflictError) as caught:
                self.stores[writer].put(key, body, if_absent=True)
            assert caught.value.outcome == "not written"
            return
        document = self.stores[writer].put(key, body, if_absent=True)
        self.model[key] = body
        self.remember(writer, document, key)

    @rule(writer=writers, key=keys)
    def get(self, writer: int, key: str) -> None:
        self.remember(writer, self.stores[writer].get(key), key)

    @rule(writer=writers, chosen=st.lists(keys, max_size=5))
    def get_many(self, writer: int, chosen: list[str]) -> None:
        found = self.stores[writer].get_many(chosen)
        for key, document in zip(chosen, found, strict=True):
            self.remember(writer, document, key)

    @rule(writer=writers, key=keys, body=bodies, seen=st.sampled_from(("unseen", "none", "remembered")))
    def update(self, writer: int, key: str, body: bytes, seen: str) -> None:
        base: Any = {"unseen": UNSEEN, "none": None}.get(seen, self.remembered.get((writer, key)))
        document = self.stores[writer].update(
            key, lambda found: (found.body if found else b"") + body, seen=base
        )
        self.model[key] = self.model.get(key, b"") + body
        self.remember(writer, document, key)

    @rule(writer=writers, key=keys)
    def update_nothing(self, writer: int, key: str) -> None:
        self.remember(writer, self.stores[writer].update(key, lambda _: None), key)

    @rule(writer=writers, source=keys, destination=keys)
    def copy(self, writer: int, source: str, destination: str) -> None:
        if source not in self.model:
            with pytest.raises(InvalidArgumentError):
                self.stores[writer].copy(source, destination)
            return
        self.stores[writer].copy(source, destination)
        self.model[destination] = self.model[source]

    @rule(writer=writers, chosen=st.lists(keys, max_size=3))
    def delete(self, writer: int, chosen: list[str]) -> None:
        self.stores[writer].delete(chosen)
        for key in chosen:
            self.model.pop(key, None)

    @rule(writer=writers, prefix=prefixes)
    def delete_prefix(self, writer: int, prefix: str) -> None:
        self.stores[writer].delete_prefix(prefix)
        self.model = {key: body for key, body in self.model.items() if not key.startswith(prefix)}

    @rule(
        writer=writers,
        prefix=prefixes,
        start_after=st.sampled_from(("", *KEYS)),
        limit=st.none() | st.integers(1, 4),
    )
    def list(self, writer: int, prefix: str, start_after: str, limit: int | None) -> None:
        found = self.stores[writer].list(prefix, start_after=start_after, limit=limit)
        expected = [
            (key, len(body))
            for key, body in sorted(self.model.items(), key=lambda item: item[0].encode())
            if key.startswith(prefix) and key.encode() > start_after.encode()
        ]
        assert [(info.key, info.size) for info in found] == expected[:limit]

    @rule(writer=writers, prefix=st.sampled_from(("", "b/", "b/c/")))
    def list_folders(self, writer: int, prefix: str) -> None:
        rests = [key.removeprefix(prefix) for key in self.model if key.startswith(prefix)]
        expected = sorted({rest.split("/")[0] for rest in rests if "/" in rest})
        assert [*self.stores[writer].list_folders(prefix)] == expected

    @invariant()
    def the_same_documents_are_listed(self) -> None:
        assert sorted(info.key for info in self.stores[0].list()) == sorted(self.model)


def test_any_sequence_has_the_results_of_a_dictionary(opener: Opener):
    def open_documents() -> list[DocumentStore]:
        prefix = opener.location.key(unique_name())
        return [opener.side.make("DocumentStore", bucket, "notes", prefix=prefix) for bucket in buckets]

    buckets = [opener.bucket(), opener.bucket()]
    machine = type("SequenceHere", (Sequence,), {"open_documents": staticmethod(open_documents)})
    examples = 2 if opener.location.kind == SEAWEEDFS else 15
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=30))
