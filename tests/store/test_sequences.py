"""Any sequence of operations has the same results in a folder and in S3 as in memory."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from conformance.locations import unique_name
from conformance.samples import artifacts_of, event_of, report_of, say, session_of, texts_of
from sessionbucket import (
    FileBucket,
    FileNotInStoreError,
    MemoryBucket,
    S3Bucket,
    SessionConflictError,
    SessionData,
    SessionNotFoundError,
    SessionStore,
)

ids = st.sampled_from(["s", "a/b", "a_b", "é", "artifacts", "../x"])
names = st.sampled_from(["x.bin", "a/b", ".."])
writers = st.sampled_from([0, 1])

MakeStores = Callable[[], list[SessionStore[SessionData]]]


class Sequence(RuleBasedStateMachine):
    """Two stores of one location, and two of a bucket in memory. The results of every operation must be equal."""

    make_stores: MakeStores

    def __init__(self) -> None:
        super().__init__()
        memory = MemoryBucket()
        self.real = type(self).make_stores()
        self.model = [SessionStore(memory), SessionStore(memory)]
        self.loaded: dict[tuple[int, str], tuple[SessionData, SessionData]] = {}
        self.turn = 0

    def same(self, writer: int, call: Callable[[SessionStore[Any]], Any]) -> Any:
        real, model = outcome(self.real[writer], call), outcome(self.model[writer], call)
        assert real == model
        return real

    def both(self, writer: int, call: Callable[[SessionStore[Any], int], Any]) -> None:
        real = outcome(self.real[writer], lambda store: call(store, 0))
        assert real == outcome(self.model[writer], lambda store: call(store, 1))

    def fresh(self) -> str:
        self.turn += 1
        return f"turn {self.turn}"

    @rule(writer=writers, id=ids, overwrite=st.booleans())
    def save_a_new_session(self, writer: int, id: str, overwrite: bool) -> None:
        session = session_of(id, self.fresh())
        pair = (session, session.model_copy(deep=True))
        self.both(writer, lambda store, side: store.save(pair[side], overwrite=overwrite))
        self.loaded[writer, id] = pair

    @rule(writer=writers, id=ids)
    def load(self, writer: int, id: str) -> None:
        real, model = self.real[writer].load(id), self.model[writer].load(id)
        assert real == model
        if real is not None and model is not None:
            self.loaded[writer, id] = (real, model)

    @rule(writer=writers, id=ids, overwrite=st.booleans())
    def save_a_loaded_session(self, writer: int, id: str, overwrite: bool) -> None:
        """The session may be current, stale or deleted."""
        pair = self.loaded.get((writer, id))
        if pair is None:
            return
        text = self.fresh()
        for session in pair:
            say(session, text)
        self.both(writer, lambda store, side: store.save(pair[side], overwrite=overwrite))

    @rule(writer=writers, id=ids, create=st.booleans())
    def update(self, writer: int, id: str, create: bool) -> None:
        text = self.fresh()
        made = session_of(id, "made")
        self.same(
            writer,
            lambda store: texts_of(
                store.update(
                    id,
                    lambda session: say(session, text),
                    create=(lambda: made.model_copy(deep=True)) if create else None,
                )
            ),
        )

    @rule(writer=writers, id=ids)
    def delete(self, writer: int, id: str) -> None:
        self.same(writer, lambda store: store.delete(id))

    @rule(writer=writers, id=ids)
    def save_parts(self, writer: int, id: str) -> None:
        text = self.fresh()
        self.same(writer, lambda store: store.save_artifacts(id, artifacts_of(text)))
        self.same(writer, lambda store: store.append_trace_events(id, [event_of(text)]))
        self.same(writer, lambda store: store.save_verification_reports(id, [report_of(text)]))

    @rule(writer=writers, id=ids)
    def load_parts(self, writer: int, id: str) -> None:
        self.same(writer, lambda store: store.load_artifacts(id))
        self.same(writer, lambda store: store.load_trace_events(id))
        self.same(writer, lambda store: store.load_verification_reports(id))

    @rule(writer=writers, id=ids, name=names)
    def put_a_file(self, writer: int, id: str, name: str) -> None:
        body = self.fresh().encode()
        self.same(writer, lambda store: store.put_file(id, name, body))

    @rule(writer=writers, id=ids, name=names)
    def read_and_delete_a_file(self, writer: int, id: str, name: str) -> None:
        def read(store: SessionStore[Any]) -> bytes:
            with store.open_file(id, name) as file:
                return file.read()

        self.same(writer, read)
        self.same(writer, lambda store: store.delete_file(id, name))
        self.same(writer, lambda store: [(info.name, info.size) for info in store.list_files(id)])

    @rule(limit=st.integers(1, 4), prefix=st.sampled_from(["", "a", "a/", "é"]))
    def list_by_pages(self, limit: int, prefix: str) -> None:
        def pages(store: SessionStore[Any]) -> list[list[tuple[str, int]]]:
            found, cursor = [], None
            while True:
                page = store.list_page(prefix=prefix, limit=limit, cursor=cursor)
                found.append([(info.id, info.size) for info in page.sessions])
                cursor = page.next_cursor
                if cursor is None:
                    return found

        self.same(0, pages)

    @invariant()
    def the_same_sessions_are_listed(self) -> None:
        assert self.real[0].list() == self.model[0].list()

    def teardown(self) -> None:
        for id in self.model[0].list():
            assert self.real[1].load(id) == self.model[1].load(id)
        for store in self.real:
            store.close()


def outcome(store: SessionStore[Any], call: Callable[[SessionStore[Any]], Any]) -> Any:
    """The result of a call, or the type of its error."""
    try:
        return call(store)
    except (SessionConflictError, SessionNotFoundError, FileNotInStoreError) as error:
        return type(error)


@pytest.fixture
def folder_stores() -> Iterator[MakeStores]:
    made: list[str] = []

    def make() -> list[SessionStore[SessionData]]:
        made.append(tempfile.mkdtemp(prefix="sessionbucket-"))
        bucket = FileBucket(Path(made[-1]), fsync=False)
        return [SessionStore(bucket), SessionStore(bucket)]

    yield make
    for folder in made:
        shutil.rmtree(folder)


@pytest.fixture
def moto_stores(moto_url: str, moto_bucket: str) -> Iterator[MakeStores]:
    client = boto3.client("s3", endpoint_url=moto_url)

    def make() -> list[SessionStore[SessionData]]:
        bucket, prefix = S3Bucket(moto_bucket, client=client), unique_name()
        return [SessionStore(bucket, prefix), SessionStore(bucket, prefix)]

    yield make
    client.close()


def run(make: MakeStores, examples: int) -> None:
    machine = type("SequenceHere", (Sequence,), {"make_stores": staticmethod(make)})
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=30))


def test_any_sequence_has_the_same_results_in_a_folder_as_in_memory(folder_stores: MakeStores):
    run(folder_stores, 20)


@pytest.mark.slow
def test_any_sequence_has_the_same_results_in_s3_as_in_memory(moto_stores: MakeStores):
    run(moto_stores, 5)
