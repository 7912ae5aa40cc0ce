"""The store: a listing from several requests at once gives what the plain one gives."""

from __future__ import annotations

import random
from typing import Any

import pytest

from conformance._async.conftest import Opener
from conformance._async.test_listing import IDS
from sessionbucket import AsyncMemoryBucket, AsyncSessionStore
from sessionbucket._core.keys import Layout

NUMBERED = [f"session-2026-{month:02}-{number:03}" for month in (1, 2, 11) for number in range(40)]
SCATTERED = [f"{random.Random(number).getrandbits(64):x}" for number in range(60)]


@pytest.fixture
async def full(opener: Opener) -> AsyncSessionStore[Any]:
    """Sessions and folders on pages of seven rows."""
    keys = [Layout().keys(id) for id in (*IDS, *NUMBERED, *SCATTERED)]
    await opener.fill([each.session for each in keys])
    await opener.fill([name for each in keys[:4] for name in (each.artifacts, each.traces)])
    await opener.fill([f"notes-{number}/x.json" for number in range(9)])
    bucket = opener.bucket()
    bucket.page_limit = 7
    return AsyncSessionStore(bucket, opener.location.key(""))


@pytest.mark.parametrize("concurrency", [2, 3, 8])
async def test_it_gives_the_same_sessions_in_the_same_order(
    full: AsyncSessionStore[Any], opener: Opener, concurrency: int
):
    for prefix in ("", "session-2026-", "session-2026-02", "a", "none", "user:1/"):
        plain = [info async for info in opener.store().iter_sessions(prefix=prefix)]
        at_once = [info async for info in full.iter_sessions(prefix=prefix, concurrency=concurrency)]
        assert at_once == plain, prefix
    assert len({info.id for info in plain}) == 2


async def test_a_listing_that_fails_raises_the_error_of_the_bucket():
    class Broken(AsyncMemoryBucket):
        async def list_page(self, *arguments: Any, **options: Any) -> Any:
            page = await super().list_page(*arguments, **options)
            if page.objects[-1].key > "s1":
                raise ZeroDivisionError
            return page

    bucket = Broken()
    bucket.page_limit = 10
    for number in range(400):
        await bucket.put(f"s{number:03}.json", b"{}")
    with pytest.raises(ZeroDivisionError):
        [info async for info in AsyncSessionStore(bucket).iter_sessions(concurrency=4)]
