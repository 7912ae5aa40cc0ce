"""All operations of a store, and those of integrations, to be run in this order: writing, reading, overwriting, looking back,
restoring, erasing, deleting."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from store.integration_documents import NAMES, write_all

from conformance.samples import artifacts_of, event_of, report_of, say, session_of
from sessionbucket import AppendLog, FileNotInStoreError, SessionConflictError, SessionData, SessionStore

Store = SessionStore[SessionData]
_LARGE = 9 << 20


def write(store: Store) -> None:
    store.health_check()
    session = session_of("chat-1", "one")
    store.save(session)
    say(session, "two")
    store.save(session)
    with pytest.raises(SessionConflictError):
        store.save(session_of("chat-1"))
    store.update("chat-1", lambda session: say(session, "three"))
    store.save_turn(
        session_of("chat-2"),
        artifacts=artifacts_of("a"),
        trace_events=[event_of("bash")],
        verification_reports=[report_of("turn")],
    )
    store.append_trace_events("chat-2", [event_of("edit")])
    store.put_file("chat-2", "small.txt", b"small")
    store.put_file("chat-2", "large.bin", bytes(_LARGE))
    with pytest.raises(RuntimeError):
        store.put_file("chat-2", "broken.bin", failing_chunks())
    store.delete_file("chat-2", "small.txt")
    store.save(session_of("odd/name_1"))
    write_all(store, "thread")
    for name in ("langgraph", "openai-agents"):
        documents = store.documents(name, integration=True)
        key = next(documents.list()).key
        documents.copy(key, f"copy/{key}")
        documents.update(key, lambda found: found and found.body + b"\n")
    log = AppendLog(store.documents("claude", integration=True))
    log.replace("p/s/thread", 0, "redacted")
    log.pop("p/s/thread")


def read(store: Store) -> None:
    for id in ("chat-1", "chat-2", "odd/name_1", "nobody", "no/body"):
        store.load(id)
        store.exists(id)
        store.load_artifacts(id)
        store.load_trace_events(id)
        store.load_verification_reports(id)
        store.list_files(id)
    with store.open_file("chat-2", "large.bin") as file:
        assert sum(len(chunk) for chunk in file) == _LARGE
    with pytest.raises(FileNotInStoreError):
        store.open_file("chat-2", "nothing.txt")
    store.list()
    store.list_page(prefix="chat-", limit=1)
    list(store.iter_sessions(prefix="odd/"))
    list(store.check())
    for kind in NAMES:
        list(store.iter_integration(kind))
        documents = store.documents(kind, integration=True)
        list(documents.list_folders())
        for info in documents.list():
            documents.get(info.key, first=100)
        documents.get("nobody.log")


def overwrite(store: Store) -> None:
    store.save(session_of("chat-1"), overwrite=True)


def look_back(store: Store) -> None:
    newest, *_, oldest = store.history.versions("chat-1")
    store.history.load("chat-1", oldest.version_id)
    store.history.load_as_of("chat-1", newest.saved_at)
    store.history.diff("chat-1", oldest.version_id)
    list(store.history.versions("no/body"))


def restore(store: Store) -> None:
    store.history.undo("chat-1")


def erase(store: Store) -> None:
    store.redact("chat-1", lambda text: text.replace("one", "[redacted]"))
    store.history.erase("chat-1")
    store.purge("chat-1")
    store.purge("odd/name_1")
    store.save(session_of("chat-1"))


def delete(store: Store) -> None:
    store.repair(list(store.check()))
    for kind in NAMES:
        documents = store.documents(kind, integration=True)
        documents.delete(next(documents.list()).key)
        documents.delete_prefix("")
    for id in ("chat-1", "chat-2", "odd/name_1", "nobody"):
        store.delete(id)


def failing_chunks() -> Iterator[bytes]:
    yield bytes(_LARGE)
    raise RuntimeError
