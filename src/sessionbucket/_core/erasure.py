"""Which versions an erasure may erase, from listings alone.

A version that a listing shows as replaced never changes again, so erasing it by its id is safe against every writer. The rules here
decide which of them are older than the erasure's own delete or save. What they cannot prove to be older stays.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from sessionbucket._core.keys import SUFFIX, SessionKeys
from sessionbucket._core.objects import ObjectVersion

NOT_COVERED = (
    "replicas and backups of the bucket",
    "logs, inventories and metadata tables of the server, which hold keys and metadata",
    "copies in other sessions, such as forks, in other stores, and in exports",
    "the provider of the model, and everyone else who received the text",
)
"""What no store can reach."""


class Scope(NamedTuple):
    """The keys of one session: exact ones, and the folders of its artifacts and files."""

    exact: tuple[str, ...]
    folders: tuple[str, ...]

    @classmethod
    def of(cls, sessions: Iterable[SessionKeys], *, with_lease: bool) -> Scope:
        """The scope of a session under each of its names."""
        exact: list[str] = []
        folders: list[str] = []
        for keys in sessions:
            exact += [keys.session, *(key for key in keys.json_parts if key != keys.artifacts)]
            exact += [keys.lease] if with_lease else []
            folders.append(keys.artifacts_folder)
        return cls(tuple(dict.fromkeys(exact)), tuple(dict.fromkeys(folders)))

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The prefixes to list. A listing of them also has keys of others."""
        return (*self.exact, *self.folders)

    def has(self, key: str) -> bool:
        """Whether the key belongs to the session."""
        return key in self.exact or key.startswith(self.folders)


def by_key(rows: Sequence[ObjectVersion]) -> Iterator[tuple[str, list[ObjectVersion]]]:
    """The rows of each key, newest first."""
    for key, group in groupby(sorted(rows, key=lambda row: row.key), key=lambda row: row.key):
        yield key, list(group)


def erasable_after_delete(rows: Sequence[ObjectVersion], before: Collection[str]) -> list[ObjectVersion]:
    """Of the versions of one key, those that are older than a delete of it. ``before`` has the ids listed before the delete.

    The current delete marker comes only when nothing else is left, because without it an older version would become current.
    """
    current = next((row for row in rows if row.is_current), None)
    replaced = [row for row in rows if not row.is_current]
    if current is None or current.is_delete:
        return replaced or list(rows)
    # Another writer has written the key since. Only what came before a delete is older than ours.
    deletes = [row.updated_at for row in replaced if row.is_delete]
    chosen = [
        row
        for row in replaced
        if row.is_delete or row.version_id in before or (deletes and row.updated_at < max(deletes))
    ]
    return [current, *chosen] if current.version_id in before else chosen


def erasable_before(rows: Sequence[ObjectVersion], cut: ObjectVersion) -> list[ObjectVersion]:
    """Of the versions of one key, those that are older than ``cut``, which is one of them."""
    contents = [row for row in rows if not row.is_delete]
    older = contents[contents.index(cut) + 1 :]
    markers = [
        row for row in rows if row.is_delete and not row.is_current and row.updated_at < cut.updated_at
    ]
    return [*older, *markers]


def erasable_beyond(rows: Sequence[ObjectVersion], keep: int) -> list[ObjectVersion]:
    """Of the versions of one key, those beyond the newest ``keep`` with contents."""
    contents = [row for row in rows if not row.is_delete]
    if len(contents) <= keep:
        return []
    return [row for row in erasable_before(rows, contents[keep - 1]) if not row.is_current]


def may_have_row(body: bytes, stem: str) -> bool:
    """Whether a shard of the catalog may have a row of the session. A shard that cannot be read may."""
    try:
        text = gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        return True
    return json.dumps(stem).encode() in text


def may_hold(shard: str, catalog: str, stem: str) -> bool:
    """Whether a shard with this key can have a row of the session, by its name alone."""
    first = shard.removeprefix(catalog).partition(".jsonl")[0]
    return first + SUFFIX <= stem + SUFFIX
