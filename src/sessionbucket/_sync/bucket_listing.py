"""Going through a bucket's listing page by page, or in several ranges at once."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import TYPE_CHECKING

from sessionbucket._concurrency.threads import Crew
from sessionbucket._core.objects import PAGE_LIMIT, ObjectInfo, ObjectPage
from sessionbucket._core.parallel_listing import KeyRange, RangePlan
from sessionbucket._sync.bucket import Bucket

if TYPE_CHECKING:
    from sessionbucket._concurrency.threads import Call


def pages(
    bucket: Bucket, prefix: str, *, delimiter: str = "", limit: int = PAGE_LIMIT
) -> Generator[list[ObjectInfo], None, None]:
    """The objects of each page in turn."""
    after: str | None = ""
    while after is not None:
        page = bucket.list_page(prefix, delimiter=delimiter, start_after=after, limit=limit)
        yield page.objects
        after = next_start(page)


def pages_at_once(
    bucket: Bucket, prefix: str, *, suffix: str, concurrency: int
) -> Generator[list[ObjectInfo], None, None]:
    """The same objects in the same order as ``pages`` with the delimiter ``/`` gives, from several requests at once."""
    plan = RangePlan(prefix, suffix, concurrency=concurrency)
    asked: dict[Call[ObjectPage], KeyRange] = {}
    with Crew(concurrency) as crew:
        while not plan.is_finished:
            while len(asked) < concurrency and (range_ := plan.next_range()):
                request = partial(
                    bucket.list_page, prefix, delimiter="/", start_after=range_.after, limit=bucket.page_limit
                )
                asked[crew.start(request)] = range_
            if (objects := plan.ready()) is not None:
                yield objects
            else:
                crew.wait(asked)
            for call in [call for call in asked if call.done()]:
                page = call.result()
                plan.take(asked.pop(call), page, next_start(page))


def next_start(page: ObjectPage) -> str | None:
    """Where the next page starts: after the last object, not after a folder.

    Some servers (SeaweedFS) sort a folder by its name without the slash, so objects listed after it may have lesser
    keys; to start after the folder would give them again. A folder that comes twice for it is no session.
    """
    if page.next_start_after is None or not page.objects:
        return page.next_start_after
    return page.objects[-1].key
