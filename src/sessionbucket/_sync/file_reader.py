"""Reading a large artifact."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Self

from sessionbucket._sync.bucket import ObjectStream


class FileReader:
    """A large artifact, read in chunks: a context manager, an iterator of ``bytes``, and ``read(n)``.

    ``name``, ``size`` (bytes) and ``content_type`` are known at once. All of it is of one version, even if the
    artifact is replaced meanwhile. Close it, or leave its context, to give the connection or file back.
    """

    def __init__(self, name: str, stream: ObjectStream) -> None:
        self.name = name
        self.size = stream.info.size
        self.content_type = stream.info.content_type
        self._chunks = stream.chunks
        self._rest = b""

    def read(self, n: int = -1) -> bytes:
        """The next ``n`` bytes, fewer only at the end, ``b""`` past it; all the rest for a negative ``n``."""
        parts = [self._rest]
        length = len(self._rest)
        while n < 0 or length < n:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            parts.append(chunk)
            length += len(chunk)
        data = b"".join(parts)
        cut = length if n < 0 else n
        self._rest = data[cut:]
        return data[:cut]

    def __iter__(self) -> Iterator[bytes]:
        if self._rest:
            rest, self._rest = self._rest, b""
            yield rest
        for chunk in self._chunks:
            yield chunk

    def close(self) -> None:
        """Give the connection or file back. Reading further gives nothing."""
        self._rest = b""
        self._chunks.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
