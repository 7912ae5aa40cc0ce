"""The pages of a bucket's listing, one after the other or in parallel ranges."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._concurrency.asyncio_ import WorkerPool, closing
from sessionbucket._core.objects import ObjectInfo, ObjectPage, ObjectVersion
from sessionbucket._core.pagination import next_start

if TYPE_CHECKING:
    from sessionbucket._concurrency.asyncio_ import PendingCall
    from sessionbucket._core.parallel_listing import KeyRange

T = TypeVar("T")

_CALLER_AND_REQUEST = 2  # a pool of one would run the request in the caller's thread


async def list_pages(
    bucket: AsyncBucket, prefix: str, *, delimiter: str = "", start_after: str = "", limit: int | None = None
) -> AsyncGenerator[ObjectPage, None]:
    """List under the prefix, in pages of ``limit`` rows or of as many as the bucket gives at once."""
    after: str | None = start_after
    rows = limit or bucket.capabilities.page_limit
    while after is not None:
        page = await bucket.list_page(prefix, delimiter=delimiter, start_after=after, limit=rows)
        yield page
        after = next_start(page)


async def list_objects(bucket: AsyncBucket, prefix: str) -> list[ObjectInfo]:
    """List every object under the prefix."""
    return [info async for page in list_pages(bucket, prefix) for info in page.objects]


async def list_versions(bucket: AsyncBucket, prefix: str) -> list[ObjectVersion]:
    """List every version and delete marker under the prefix, those of a key newest first."""
    found: list[ObjectVersion] = []
    start: tuple[str, str] | None = ("", "")
    while start is not None:
        page = await bucket.list_versions(prefix, start_after=start)
        found += page.versions
        start = page.next_start_after
    return found


async def list_versions_of(bucket: AsyncBucket, key: str) -> list[ObjectVersion]:
    """List every version and delete marker of one key, newest first."""
    return [row for row in await list_versions(bucket, key) if row.key == key]


async def requested_ahead(pages: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """Yield the pages. While the caller uses one of them, the next one is requested.

    The second page is requested only when the caller asks for it. So a caller who needs one page pays for one request.
    """
    async with closing(pages), WorkerPool(_CALLER_AND_REQUEST) as pool:
        page = await next_page(pages)
        if page is None:
            return
        yield page
        page = await next_page(pages)
        while page is not None:
            next_one = pool.start(partial(next_page, pages))
            yield page
            await pool.wait([next_one])
            page = next_one.result()


async def next_page(pages: AsyncGenerator[T, None]) -> T | None:
    """The next page, or None at the end."""
    return await anext(pages, None)


async def list_pages_in_parallel(
    bucket: AsyncBucket,
    prefix: str,
    *,
    suffix: str,
    concurrency: int,
    first_page: list[ObjectPage],
) -> AsyncGenerator[list[ObjectInfo], None]:
    """List the same objects in the same order as ``list_pages`` with the delimiter ``/``, by several requests at a time.

    The first page is added to ``first_page`` when it has arrived.
    """
    from sessionbucket._core.parallel_listing import RangePlan  # noqa: PLC0415 (a load lists nothing)

    plan = RangePlan(prefix, suffix, concurrency=concurrency)
    pending: dict[PendingCall[ObjectPage], KeyRange] = {}
    limit = bucket.capabilities.page_limit
    async with WorkerPool(concurrency) as pool:
        while not plan.is_finished:
            while len(pending) < concurrency and (range_ := plan.next_range()):
                request = partial(
                    bucket.list_page, prefix, delimiter="/", start_after=range_.after, limit=limit
                )
                pending[pool.start(request)] = range_
            if (objects := plan.ready()) is not None:
                yield objects
            else:
                await pool.wait(pending)
            for call in [call for call in pending if call.done()]:
                page = call.result()
                if not first_page:
                    first_page.append(page)
                plan.take(pending.pop(call), page, next_start(page))
