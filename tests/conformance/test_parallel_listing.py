"""The store: a listing with several concurrent requests returns the rows of the plain one."""

from __future__ import annotations

import random
from typing import Any

import pytest

from both_sides import SyncSide
from conformance.conftest import Opener
from conformance.test_listing import IDS
from sessionbucket import MemoryBucket, SessionStore
from sessionbucket._core.keys import StoreKeys
from testing.capabilities import with_capabilities

NUMBERED = [f"session-2026-{month:02}-{number:03}" for month in (1, 2, 11) for number in range(40)]
SCATTERED = [f"{random.Random(number).getrandbits(64):x}" for number in range(60)]
PREFIXES = ("", "session-2026-", "session-2026-02", "a", "none", "user:1/")


@pytest.fixture
def full(opener: Opener) -> SessionStore[Any]:
    """Sessions and folders on pages of seven rows."""
    keys = [StoreKeys().of_session(id) for id in (*IDS, *NUMBERED, *SCATTERED)]
    opener.fill([each.session for each in keys])
    opener.fill([name for each in keys[:4] for name in (each.artifacts, each.traces)])
    opener.fill([f"notes-{number}/x.json" for number in range(9)])
    bucket = with_capabilities(opener.side, opener.bucket(), page_limit=7)
    return opener.side.store(bucket, opener.location.key(""))


def test_a_parallel_listing_returns_the_sessions_of_the_plain_one_in_order(
    full: SessionStore[Any], opener: Opener
):
    for prefix in PREFIXES:
        plain = list(opener.store().iter_sessions(prefix=prefix))
        for concurrency in (2, 3, 8):
            assert list(full.iter_sessions(prefix=prefix, concurrency=concurrency)) == plain, prefix
    assert len({info.id for info in plain}) == 2


def test_a_listing_that_fails_raises_the_error_of_the_bucket(side: SyncSide):
    class Broken(MemoryBucket):
        def list_page(self, *arguments: Any, **options: Any) -> Any:
            page = super().list_page(*arguments, **options)
            if page.objects and page.objects[-1].key > "s1":
                raise ZeroDivisionError
            return page

    inner = Broken()
    for number in range(400):
        inner.put(f"s{number:03}.json", b"{}")
    bucket = with_capabilities(side, side.adapt(inner), page_limit=10)
    with pytest.raises(ZeroDivisionError):
        list(side.store(bucket).iter_sessions(concurrency=4))
