"""The store: summaries, whose characters and size the servers must keep in the metadata."""

from __future__ import annotations

from conformance.conftest import Opener
from conformance.samples import session_of
from sessionbucket import SessionData, SessionStore, summarize

TEXTS = ("plain", 'two  spaces, a \x7f, a \\ and a "quote"', "日本 😀" * 30, "=?UTF-8?Q?a?=")


def test_summaries_are_those_of_the_saved_sessions(store: SessionStore, opener: Opener):
    saved: list[SessionData] = []
    for number, text in enumerate(TEXTS):
        session = session_of(f"alice/{number}", text)
        session.principal, session.tags = f"{text[:40]}  b", [text[:20], ","]
        store.save(session)
        saved.append(session)
    expected = [summarize(session) for session in saved]
    assert [store.summary(session.id) for session in saved] == expected
    opener.write("raw.json", opener.read("alice%2F0.json").replace(b"alice/0", b"raw"))
    for _ in range(2):
        assert list(store.summaries(prefix="alice/")) == expected
        assert [summary.id for summary in store.summaries()] == [*(each.id for each in saved), "raw"]
