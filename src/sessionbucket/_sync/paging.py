"""Going through a bucket's listing page by page."""

from __future__ import annotations

from collections.abc import Generator

from sessionbucket._sync.bucket import Bucket
from sessionbucket.objects import PAGE_LIMIT, ObjectInfo, ObjectPage


def pages(
    bucket: Bucket, prefix: str, *, delimiter: str = "", limit: int = PAGE_LIMIT
) -> Generator[list[ObjectInfo], None, None]:
    """The objects of each page in turn."""
    after: str | None = ""
    while after is not None:
        page = bucket.list_page(prefix, delimiter=delimiter, start_after=after, limit=limit)
        yield page.objects
        after = next_start(page)


def next_start(page: ObjectPage) -> str | None:
    """Where the next page starts: after the last object, not after a folder.

    Some servers (SeaweedFS) sort a folder by its name without the slash, so objects listed after it may have lesser
    keys; to start after the folder would give them again. A folder that comes twice for it is no session.
    """
    if page.next_start_after is None or not page.objects:
        return page.next_start_after
    return page.objects[-1].key
