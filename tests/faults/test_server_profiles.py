"""Servers that the tests can't run everywhere: their particular responses, scripted by the proxy.

Ceph's rule was observed on Ceph RGW 16 (test_ceph). MinIO's responses are a reading of its source of February 2026.
"""

from __future__ import annotations

from typing import Any

import pytest

from faults.conftest import Site
from faults.proxy import requests
from faults.proxy_faults import accept_bare_etags_only, respond, unquote_etags
from sessionbucket import (
    ConditionalWriteSupport,
    SessionConflictError,
    SessionData,
    StoreUnavailableError,
)

KEY = "s.json"
PUT = requests("PUT", KEY)
ATTEMPTS = 2


@pytest.fixture(params=["moto"])
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class TestBareETags:
    """Ceph RGW 16 responds 412 to a quoted ETag in If-Match, and accepts the bare one."""

    def test_the_probe_finds_the_spelling_and_every_condition_uses_it(self, new_bucket: Site) -> None:
        new_bucket.proxy.on(requests(), accept_bare_etags_only, times=None)
        store = new_bucket.store()
        found = store.probe_conditional_writes()
        assert found.support is ConditionalWriteSupport.ATOMIC
        assert found.bare_etags
        new_bucket.proxy.recorded.clear()
        session = SessionData(id="s", tool_names=["first"])
        store.save(session)
        session.tool_names.append("second")
        store.save(session)
        store.update("s", lambda session: session.tool_names.append("third"))
        loaded = store.load("s")
        assert loaded.tool_names == ["first", "second", "third"]
        store.save(loaded, overwrite=True)
        store.delete("s")
        assert store.list() == []
        sent = [
            request.headers["If-Match"]
            for request in new_bucket.proxy.recorded
            if "If-Match" in request.headers
        ]
        assert len(sent) >= 3
        assert not any('"' in etag for etag in sent)

    def test_a_second_store_uses_the_spelling_without_a_probe(self, new_bucket: Site) -> None:
        new_bucket.proxy.on(requests(), accept_bare_etags_only, times=None)
        new_bucket.store().save(SessionData(id="s"))
        probed = new_bucket.proxy.count(None, ".sessionbucket/probe/")
        again = new_bucket.store(max_attempts=4)  # another client
        session = again.load("s")
        session.tool_names.append("second")
        again.save(session)
        assert new_bucket.proxy.count(None, ".sessionbucket/probe/") == probed

    def test_a_stale_save_is_a_conflict(self, new_bucket: Site) -> None:
        new_bucket.proxy.on(requests(), accept_bare_etags_only, times=None)
        store = new_bucket.store()
        session = SessionData(id="s")
        store.save(session)
        stale = store.load("s")
        session.tool_names.append("second")
        store.save(session)
        with pytest.raises(SessionConflictError):
            store.save(stale)

    def test_other_servers_get_quoted_etags(self, new_bucket: Site) -> None:
        store = new_bucket.store()
        assert not store.probe_conditional_writes().bare_etags
        session = SessionData(id="s")
        store.save(session)
        store.save(session)
        assert new_bucket.proxy.recorded[-1].headers["If-Match"].startswith('"')


class TestMinIO:
    @pytest.fixture
    def stored(self, site: Site) -> tuple[Any, SessionData]:
        """A store, and a session that it has saved."""
        store = site.store(max_attempts=ATTEMPTS)
        session = SessionData(id="s", tool_names=["first"])
        store.save(session)
        site.proxy.reset()
        return store, session

    def test_a_condition_that_does_not_hold_says_that_the_session_was_changed(
        self, site: Site, stored: tuple[Any, SessionData]
    ) -> None:
        store, session = stored
        site.proxy.on(PUT, respond(412, "PreconditionFailed"), times=None)
        with pytest.raises(SessionConflictError, match="was changed or deleted") as caught:
            store.save(session)
        assert (caught.value.kind, caught.value.outcome) == ("changed", "not written")
        with pytest.raises(SessionConflictError, match="exists already") as caught:
            store.save(SessionData(id="s"))
        assert (caught.value.kind, caught.value.outcome) == ("exists", "not written")

    def test_a_missing_key_or_a_delete_marker_says_that_the_session_was_deleted(
        self, site: Site, stored: tuple[Any, SessionData]
    ) -> None:
        store, session = stored
        site.proxy.on(PUT, respond(404, "NoSuchKey"), times=None)
        with pytest.raises(SessionConflictError, match="was deleted by another writer") as caught:
            store.save(session)
        assert (caught.value.kind, caught.value.outcome) == ("deleted", "not written")

    @pytest.mark.parametrize("code", ["SlowDownWrite", "SlowDownRead", "XMinioServerNotInitialized"])
    def test_a_busy_or_starting_server_is_tried_again(
        self, site: Site, stored: tuple[Any, SessionData], code: str
    ) -> None:
        store, session = stored
        site.proxy.on(requests(), respond(503, code))
        assert store.load("s").tool_names == ["first"]
        site.proxy.on(PUT, respond(503, code))
        session.tool_names.append("second")
        store.save(session)
        site.proxy.on(requests(), respond(503, code), times=None)
        with pytest.raises(StoreUnavailableError, match=f"503 .{code}.*; try again later"):
            store.load("s")

    def test_a_full_server_says_so(self, site: Site, stored: tuple[Any, SessionData]) -> None:
        store, session = stored
        site.proxy.on(PUT, respond(507, "XMinioStorageFull"), times=None)
        session.tool_names.append("second")
        with pytest.raises(StoreUnavailableError, match="the server's storage is full .XMinioStorageFull."):
            store.save(session)
        assert site.someone_else().load("s").tool_names == ["first"]

    def test_etags_without_quotes_are_versions_all_the_same(self, site: Site) -> None:
        site.proxy.on(requests(), unquote_etags(), times=None)
        store = site.store()
        session = SessionData(id="s", tool_names=["first"])
        store.save(session)
        session.tool_names.append("second")
        store.save(session)
        stale = store.load("s")
        store.update("s", lambda session: session.tool_names.append("third"))
        with pytest.raises(SessionConflictError):
            store.save(stale)
        [row] = store.bucket.list_page(f"{site.prefix}/").objects
        assert row.version == store.bucket.head(f"{site.prefix}/{KEY}").version
        store.delete("s")
        assert site.keys() == []
