"""What the tools of the library make of the folder of an integration: a listing, a copy, and a check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sessionbucket import IntegrationInfo, MemoryBucket, SessionStore, copy_sessions, open_store

LONG = "a name of ü/" * 40
"""A name that a key has only in part."""


def listed(url: str | Path, kind: str) -> dict[tuple[str, ...], IntegrationInfo]:
    """The items of an integration by their names. Checks that they have all objects, and that a copy has the same bytes."""
    with open_store(url) as store, SessionStore(MemoryBucket()) as copy:
        found = list(store.iter_integration(kind))
        assert [finding for finding in store.check() if finding.key.startswith(f"{kind}/")] == []
        results = list(copy_sessions(store, copy))
        assert {result.outcome for result in results} == {"copied"}
        assert bodies(store, kind) == bodies(copy, kind) != {}
    return {info.names: info for info in found}


def bodies(store: SessionStore[Any], kind: str) -> dict[str, bytes]:
    documents = store.documents(kind, integration=True)
    keys = [info.key for info in documents.list()]
    return {key: found.body for key, found in zip(keys, documents.get_many(keys), strict=True) if found}
