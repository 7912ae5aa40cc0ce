"""Opening the stores that the commands name, and finding where a session's objects lie."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from sessionbucket import SessionStore, open_store
from sessionbucket._codec import DEFAULT_MAX_BYTES
from sessionbucket._core.keys import Layout, SessionKeys
from sessionbucket._core.store_url import CloudURL, FileURL, parse_url
from sessionbucket._sync.legacy_names import inner_id
from sessionbucket._sync.wrappers.retrying import SteadyBucket


@dataclass(frozen=True, slots=True)
class OpenedStore:
    """A store, its bucket with the store's patience, and the layout of its keys."""

    store: SessionStore
    bucket: SteadyBucket
    layout: Layout

    def keys(self, id: str) -> SessionKeys:
        """The keys that the session's objects have, or would have: a3s-code's where it lies under those."""
        keys = self.layout.keys(id)
        reference = self.layout.reference_keys(id)
        if reference is None or self.bucket.head(keys.session) or not self.store.exists(id):
            return keys
        return reference

    def raw_session(self, id: str) -> bytes | None:
        """The session's object byte for byte, even if it is corrupted; None where there is none."""
        found = self.bucket.get(self.keys(id).session, max_bytes=DEFAULT_MAX_BYTES)
        return found.body if found else None

    def reference_id(self, listed: str) -> str | None:
        """The true id of a session that is listed under a name of a3s-code's; None where it is no such session."""
        key = self.layout.keys(listed).session
        found = self.bucket.get(key, max_bytes=DEFAULT_MAX_BYTES)
        inside = inner_id(found.body) if found else None
        return inside if isinstance(inside, str) and self.layout.is_reference_key(inside, key) else None


@contextmanager
def opened(url: str | None, *, create: bool = False) -> Iterator[OpenedStore]:
    """The store at the URL, or at ``SESSIONBUCKET_URL`` without one; closed at the end.

    A folder that does not exist is made only with ``create``: a mistyped path must not look like an empty store.
    """
    parsed = parse_url(url)
    if url and isinstance(parsed, FileURL) and not create and "create" not in parse_qs(urlsplit(url).query):
        url += ("&" if "?" in url else "?") + "create=false"
    with open_store(url) as store:
        prefix = parsed.prefix if isinstance(parsed, CloudURL) else ""
        yield OpenedStore(store, SteadyBucket(store.bucket), Layout(prefix))
