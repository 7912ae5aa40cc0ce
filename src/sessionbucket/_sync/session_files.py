"""Large artifacts: one object each, streamed in and out."""

from __future__ import annotations

import mimetypes
from datetime import timedelta

from sessionbucket._concurrency.threads import FileSource, chunks_of
from sessionbucket._core.file_sources import known_size
from sessionbucket._core.keys import Layout
from sessionbucket._core.pagination import FileInfo
from sessionbucket._sync.bucket import Bucket
from sessionbucket._sync.bucket_listing import pages
from sessionbucket._sync.file_reader import FileReader
from sessionbucket.errors import FileNotInStoreError, InvalidArgumentError

SHORTEST_LINK = timedelta(seconds=1)
LONGEST_LINK = timedelta(days=7)
"""As Signature Version 4 allows."""


class SessionFiles:
    """The files of sessions."""

    def __init__(self, bucket: Bucket, layout: Layout) -> None:
        self._bucket = bucket
        self._layout = layout

    def put(self, id: str, name: str, data: FileSource, content_type: str | None) -> None:
        key = self._layout.keys(id).file(name)
        kind = content_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
        self._bucket.put_stream(key, chunks_of(data), size=known_size(data), content_type=kind)

    def open(self, id: str, name: str) -> FileReader:
        stream = self._bucket.get_stream(self._layout.keys(id).file(name))
        if stream is None:
            raise FileNotInStoreError(id, name, self._bucket.location)
        return FileReader(name, stream)

    def list(self, id: str) -> list[FileInfo]:
        keys = self._layout.keys(id)
        files = []
        for infos in pages(self._bucket, keys.files):
            files += [
                FileInfo(keys.file_name(info.key), info.size, info.updated_at, info.version) for info in infos
            ]
        return files

    def delete(self, id: str, name: str) -> None:
        self._bucket.delete([self._layout.keys(id).file(name)])

    def presign(self, id: str, name: str, expires_in: timedelta) -> str:
        key = self._layout.keys(id).file(name)
        if not isinstance(expires_in, timedelta) or not SHORTEST_LINK <= expires_in <= LONGEST_LINK:
            raise InvalidArgumentError(
                f"expires_in {expires_in!r} is refused: it must be a timedelta of 1 second to 7 days, "
                "timedelta(hours=1) for instance"
            )
        return self._bucket.presign(key, expires_in=expires_in, filename=name)
