# Generated from sessionbucket/_async/wrappers/encrypting.py by scripts/generate_sync.py: do not edit.
"""A bucket that encrypts every object of a store before another bucket gets it."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from datetime import timedelta
from functools import cache

from sessionbucket._concurrency.threads import in_thread
from sessionbucket._core.arguments import (
    check_copy,
    check_get,
    check_get_version,
    check_key,
    check_kind,
    check_presign,
    check_put,
    check_put_stream,
)
from sessionbucket._core.encryption import (
    CHUNK_BYTES,
    HEADER_BYTES,
    STORED_CHUNK_BYTES,
    ObjectCipher,
    body_size,
    is_encrypted,
    new_header,
    plain_metadata,
    read_header,
    stored_prefix,
    stored_size,
)
from sessionbucket._core.file_sources import checked
from sessionbucket._core.keyring import EncryptionContext, EncryptionKey, KeyProvider
from sessionbucket._core.keys import StoreKeys
from sessionbucket._core.objects import (
    NO_METADATA,
    PAGE_LIMIT,
    Always,
    Capabilities,
    Condition,
    ObjectInfo,
    ObjectPage,
    StoredObject,
    VersionPage,
)
from sessionbucket._sync.bucket import Bucket, ObjectStream
from sessionbucket._sync.wrappers.base import BucketWrapper
from sessionbucket.errors import (
    InvalidArgumentError,
    NotSupportedError,
    ObjectTooLargeError,
    SessionCorruptedError,
    StoreUnavailableError,
    shorten,
)


class EncryptingBucket(BucketWrapper):
    """Encrypts every body, and all metadata but the write history. ``encryption`` of ``open_store`` makes one.

    Keys, sizes, times, content types and write histories stay readable in the inner bucket. A lost encryption key is lost data. An object
    decrypts at its own key alone, relative to the prefix of the store, so a copy of the whole store elsewhere can be opened. An older
    version of an object, put back at its key, is not detected.

    A read raises ``SessionCorruptedError`` for an object that was changed, moved or cut off, that is not encrypted, or whose key the
    provider does not have. ``presign`` raises ``NotSupportedError``, because a URL would return the encrypted bytes.
    """

    def __init__(
        self, inner: Bucket, keys: KeyProvider, prefix: str = "", *, accept_plain: bool = False
    ) -> None:
        """``prefix`` is that of the store. With ``accept_plain``, objects that are not encrypted are read as they are, so anyone who may
        write to the bucket can forge them: set it only while ``reencrypt`` encrypts a store. Sizes in listings are then inexact.

        Raises ``InvalidArgumentError`` for a bad prefix.
        """
        super().__init__(inner)
        check_kind("encryption", keys, KeyProvider)
        self.keys = keys
        self.accept_plain = accept_plain
        self._root = StoreKeys(prefix).root
        self.prefix = self._root.rstrip("/")

    @property
    def capabilities(self) -> Capabilities:
        return _capabilities_over(self.inner.capabilities, self.accept_plain)

    def get(self, key: str, *, max_bytes: int, first: int | None = None) -> StoredObject | None:
        check_get(key, max_bytes, first)
        self._relative(key)
        if first is not None and first > max_bytes:
            first = None  # a body of more bytes than max_bytes is refused in any case
        stored_first = None if first is None else stored_prefix(first)
        try:
            found = super().get(key, max_bytes=stored_first or stored_size(max_bytes), first=stored_first)
        except ObjectTooLargeError as error:
            raise ObjectTooLargeError(key, size=body_size(error.size), limit=max_bytes) from error.__cause__
        return None if found is None else self._opened(found, max_bytes, first)

    def get_version(self, key: str, version_id: str, *, max_bytes: int) -> StoredObject | None:
        check_get_version(key, version_id, max_bytes)
        self._relative(key)
        try:
            found = super().get_version(key, version_id, max_bytes=stored_size(max_bytes))
        except ObjectTooLargeError as error:
            raise ObjectTooLargeError(key, size=body_size(error.size), limit=max_bytes) from error.__cause__
        return None if found is None else self._opened(found, max_bytes)

    def list_versions(
        self, prefix: str, *, start_after: tuple[str, str] = ("", ""), limit: int = PAGE_LIMIT
    ) -> VersionPage:
        page = super().list_versions(prefix, start_after=start_after, limit=limit)
        versions = [each._replace(size=body_size(each.size)) for each in page.versions]
        return page._replace(versions=versions)

    def _opened(self, found: StoredObject, max_bytes: int, first: int | None = None) -> StoredObject:
        """The object as it was put, whole or its first bytes."""
        key = found.info.key
        if self._is_plain(found.body):
            info, body = found.info, found.body
        else:
            cipher = self._cipher(key, self._relative(key), found.body)
            info = _described(found.info, cipher)
            body = cipher.decrypt(found.body, found.info.size)
        if first is not None:
            body = body[:first]
        if len(body) > max_bytes:
            raise ObjectTooLargeError(key, size=len(body), limit=max_bytes)
        return StoredObject(info, body)

    def head(self, key: str) -> ObjectInfo | None:
        """As the port defines it, by one GET of the header, which has the id of the key for the metadata.

        When the object cannot be decrypted, the description has the write history alone. So the outcome of a write is
        resolved without keys.
        """
        check_key(key)
        relative = self._relative(key)
        found = self.start(key)
        if found is None or self._is_plain(found.body):
            return found.info if found else None
        try:
            return _described(found.info, self._cipher(key, relative, found.body))
        except SessionCorruptedError:
            history = plain_metadata(found.body, found.info.metadata)
            return found.info._replace(size=body_size(found.info.size), metadata=history)

    def start(self, key: str) -> StoredObject | None:
        """The header of the object and its description in the inner bucket, both of one version."""
        while True:
            found = super().get(key, max_bytes=HEADER_BYTES, first=HEADER_BYTES)
            if found is None or found.info.version is not None:
                return found
            # A folder names no version of first bytes. Every write has another header.
            info = super().head(key)
            again = super().get(key, max_bytes=HEADER_BYTES, first=HEADER_BYTES)
            if info is not None and again is not None and again.body == found.body:
                return StoredObject(info, found.body)

    def has_current_key(self, start: StoredObject) -> bool:
        """Whether the object that ``start`` returned is encrypted with the key that a write of it would have now."""
        key = start.info.key
        return (
            is_encrypted(start.body)
            and read_header(key, start.body).key_id
            == (self._key_for_write(EncryptionContext(self._relative(key)))).id
        )

    def put(
        self,
        key: str,
        body: bytes,
        *,
        condition: Condition = Always(),  # noqa: B008 (frozen)
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> str:
        check_put(key, body, condition, content_type, metadata)
        cipher = self._new_cipher(key, metadata)
        return super().put(
            key,
            cipher.encrypt(body),
            condition=condition,
            content_type=content_type,
            metadata=cipher.encrypt_metadata(metadata),
        )

    def copy(self, source: str, target: str) -> bool:
        """As the port defines it, by a GET and a PUT, because an object is bound to its key."""
        check_copy(source, target)
        return Bucket.copy(self, source, target)

    def list_page(
        self, prefix: str, *, delimiter: str = "", start_after: str = "", limit: int = PAGE_LIMIT
    ) -> ObjectPage:
        page = super().list_page(prefix, delimiter=delimiter, start_after=start_after, limit=limit)
        objects = [info._replace(size=body_size(info.size)) for info in page.objects]
        return page._replace(objects=objects)

    def put_stream(
        self,
        key: str,
        chunks: Iterator[bytes],
        *,
        size: int | None = None,
        content_type: str = "application/octet-stream",
    ) -> None:
        check_put_stream(key, size, content_type)
        check_kind("chunks", chunks, Iterator)
        cipher = self._new_cipher(key, NO_METADATA)
        stored = None if size is None else stored_size(size)
        super().put_stream(key, _encrypted(cipher, chunks), size=stored, content_type=content_type)

    def get_stream(self, key: str) -> ObjectStream | None:
        check_key(key)
        relative = self._relative(key)
        stream = super().get_stream(key)
        if stream is None:
            return None
        try:
            start = bytearray()
            while len(start) < HEADER_BYTES and (chunk := next(stream.chunks, b"")):
                start += chunk
            if self._is_plain(start):
                info, chunks = stream.info, _joined(bytes(start), stream)
            else:
                cipher = self._cipher(key, relative, bytes(start[:HEADER_BYTES]))
                info = _described(stream.info, cipher)
                chunks = _decrypted(cipher, start[HEADER_BYTES:], stream, self.location)
            next(chunks)  # a generator that has not begun would not close the inner one
        except BaseException:
            stream.chunks.close()
            raise
        return ObjectStream(info, chunks)

    def presign(self, key: str, *, expires_in: timedelta, filename: str) -> str:
        check_presign(key, expires_in, filename)
        raise NotSupportedError(
            "an encrypted store has no presigned URLs, which would return encrypted bytes; serve the object yourself"
        )

    def _relative(self, key: str) -> str:
        if not key.startswith(self._root):
            raise InvalidArgumentError(
                f"key {shorten(key)} is refused: it is not under the prefix {self._root!r} of the encrypted store"
            )
        return key[len(self._root) :]

    def _is_plain(self, start: bytes | bytearray) -> bool:
        """Whether the object is not encrypted, and may be so."""
        return self.accept_plain and not is_encrypted(start)

    def _new_cipher(self, key: str, metadata: Mapping[str, str]) -> ObjectCipher:
        relative = self._relative(key)
        chosen = self._key_for_write(EncryptionContext(relative))
        return ObjectCipher(new_header(chosen, metadata), chosen.key, key, relative)

    def _key_for_write(self, context: EncryptionContext) -> EncryptionKey:
        if self.keys.blocks:
            return in_thread(self.keys.key_for_write, context)
        return self.keys.key_for_write(context)

    def _cipher(self, key: str, relative: str, start: bytes) -> ObjectCipher:
        header = read_header(key, start)
        context = EncryptionContext(relative)
        if self.keys.blocks:
            found = in_thread(self.keys.key, header.key_id, header.wrapped, context)
        else:
            found = self.keys.key(header.key_id, header.wrapped, context)
        if found is None:
            raise SessionCorruptedError(
                key,
                f"it is encrypted with the key {shorten(header.key_id)}, which is not among the keys of this store",
            )
        return ObjectCipher(header, found, key, relative)


@cache  # a save and a load ask some six times
def _capabilities_over(inner: Capabilities, accept_plain: bool) -> Capabilities:
    return inner._replace(presigns=False, lists_body_sizes=inner.lists_body_sizes and not accept_plain)


def _described(info: ObjectInfo, cipher: ObjectCipher) -> ObjectInfo:
    return info._replace(size=body_size(info.size), metadata=cipher.decrypt_metadata(info.metadata))


def _encrypted(cipher: ObjectCipher, chunks: Iterator[bytes]) -> Generator[bytes, None, None]:
    yield cipher.header.raw
    number, rest = 0, bytearray()
    for chunk in chunks:
        rest += checked(chunk)
        while len(rest) > CHUNK_BYTES:
            yield cipher.encrypt_chunk(number, bytes(rest[:CHUNK_BYTES]), is_last=False)
            del rest[:CHUNK_BYTES]
            number += 1
    yield cipher.encrypt_chunk(number, bytes(rest), is_last=True)


def _decrypted(
    cipher: ObjectCipher, rest: bytearray, stream: ObjectStream, location: str
) -> Generator[bytes, None, None]:
    try:
        yield b""  # get_stream takes this
        number, left, is_complete = 0, stream.info.size - HEADER_BYTES - len(rest), False
        while not is_complete:
            while len(rest) > STORED_CHUNK_BYTES:
                yield cipher.decrypt_chunk(number, bytes(rest[:STORED_CHUNK_BYTES]), is_last=False)
                del rest[:STORED_CHUNK_BYTES]
                number += 1
            chunk = next(stream.chunks, b"")
            rest += chunk
            left -= len(chunk)
            is_complete = not chunk
        if left > 0:
            raise StoreUnavailableError(
                f"the object ended {left:,} bytes too early; read it again",
                location=location,
                key=stream.info.key,
            )
        if body := cipher.decrypt_chunk(number, bytes(rest), is_last=True):
            yield body
    finally:
        stream.chunks.close()


def _joined(start: bytes, stream: ObjectStream) -> Generator[bytes, None, None]:
    try:
        yield b""  # get_stream takes this
        if start:
            yield start
        for chunk in stream.chunks:
            yield chunk
    finally:
        stream.chunks.close()
