"""Opening the store that a command names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

from sessionbucket import SessionStore, open_store


@contextmanager
def opened(url: str | None, *, create: bool = False) -> Iterator[SessionStore]:
    """The store at the URL, or at ``SESSIONBUCKET_URL`` without one; closed at the end.

    A missing folder is created only with ``create``: a mistyped path must not look like an empty store.
    """
    if url and url.startswith("file:") and not create and "create" not in parse_qs(urlsplit(url).query):
        url += ("&" if "?" in url else "?") + "create=false"
    with open_store(url) as store:
        yield store
