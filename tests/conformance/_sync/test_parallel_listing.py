"""The store: a listing from several requests at once gives what the plain one gives."""

from __future__ import annotations

import random
from typing import Any

import pytest

from conformance._sync.conftest import Opener
from conformance._sync.test_listing import IDS
from sessionbucket import MemoryBucket, SessionStore
from sessionbucket._core.keys import Layout

NUMBERED = [f"session-2026-{month:02}-{number:03}" for month in (1, 2, 11) for number in range(40)]
SCATTERED = [f"{random.Random(number).getrandbits(64):x}" for number in range(60)]


@pytest.fixture
def full(opener: Opener) -> SessionStore[Any]:
    """Sessions and folders on pages of seven rows."""
    keys = [Layout().keys(id) for id in (*IDS, *NUMBERED, *SCATTERED)]
    opener.fill([each.session for each in keys])
    opener.fill([name for each in keys[:4] for name in (each.artifacts, each.traces)])
    opener.fill([f"notes-{number}/x.json" for number in range(9)])
    bucket = opener.bucket()
    bucket.page_limit = 7
    return SessionStore(bucket, opener.location.key(""))


@pytest.mark.parametrize("concurrency", [2, 3, 8])
def test_it_gives_the_same_sessions_in_the_same_order(
    full: SessionStore[Any], opener: Opener, concurrency: int
):
    for prefix in ("", "session-2026-", "session-2026-02", "a", "none", "user:1/"):
        plain = [info for info in opener.store().iter_sessions(prefix=prefix)]
        at_once = [info for info in full.iter_sessions(prefix=prefix, concurrency=concurrency)]
        assert at_once == plain, prefix
    assert len({info.id for info in plain}) == 2


def test_a_listing_that_fails_raises_the_error_of_the_bucket():
    class Broken(MemoryBucket):
        def list_page(self, *arguments: Any, **options: Any) -> Any:
            page = super().list_page(*arguments, **options)
            if page.objects[-1].key > "s1":
                raise ZeroDivisionError
            return page

    bucket = Broken()
    bucket.page_limit = 10
    for number in range(400):
        bucket.put(f"s{number:03}.json", b"{}")
    with pytest.raises(ZeroDivisionError):
        [info for info in SessionStore(bucket).iter_sessions(concurrency=4)]
