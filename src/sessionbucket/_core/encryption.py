"""The format of encrypted objects.

A stored object is a header of 512 bytes and the body in chunks::

    offset  bytes  header
         0      4  ``SBE1``, the format with its version
         4     32  salt, random for each write
        36     16  the write id of the object, or zeros
        52      1  n, the length of the key id
        53      2  w, the length of the wrapped key, big-endian; 0 for a key that is not stored with the object
        55      n  the key id, UTF-8
      55+n      w  the wrapped key
                   zeros

    bytes   chunk
    64 KiB  of the body by AES-256-GCM; the last chunk has the rest, which is empty for an empty body only
        16  its tag

The key of the object is HKDF-SHA-256 of the provider's key, with the salt and the info ``sessionbucket SBE1``. So every write has a
key of its own, and its nonces cannot collide with those of another. A nonce is the number of the chunk in 11 bytes, big-endian, and a
byte that is 1 for the last chunk and 0 for the others (the STREAM construction). So no chunk can be cut off, moved or repeated. The
associated data of every chunk is the header and the object's key relative to the store's prefix, so an object decrypts at its own key
alone, wherever its whole store was copied to.

The metadata but for the write history is one entry, ``encrypted``: lines ``name value``, encrypted with the same key and associated
data under a nonce of 11 zeros and a 2, in base64. The write history stays plain: a lost response is resolved without keys. A folder keeps no
metadata, so the header has the newest write id as well.

The header has one length, so the size of a body follows from the size of its object.
"""

from __future__ import annotations

import binascii
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sessionbucket._core.keyring import KEY_BYTES, EncryptionKey
from sessionbucket._core.objects import metadata_entry
from sessionbucket._core.write_ids import HISTORY_ENTRY
from sessionbucket.errors import InvalidArgumentError, NotSupportedError, SessionCorruptedError, shorten

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF
except ImportError as error:
    raise NotSupportedError("encryption needs cryptography: install sessionbucket[encryption]") from error

HEADER_BYTES = 512
CHUNK_BYTES = 64 * 1024
"""The bytes of the body in every chunk but the last."""
STORED_CHUNK_BYTES = CHUNK_BYTES + 16

_MAGIC = b"SBE1"
_SALT = slice(4, 36)
_WRITE_ID = slice(36, 52)
_LENGTHS = slice(52, 55)
_NO_WRITE_ID = bytes(16)
_KEYS_START = 55
_TAG_BYTES = 16
_ENTRY = "encrypted"  # letters only: some servers change the case or the separators of names
_METADATA_NONCE = bytes(11) + b"\2"
_ONLY_CHUNK = bytes(11) + b"\1"
_SHA256 = SHA256()
_INFO = b"sessionbucket SBE1"
_HEX_ID = re.compile(r"[0-9a-f]{32}")

FOREIGN = "it was changed, moved from another key, or encrypted with another key of this id"


def stored_size(size: int) -> int:
    """The bytes of the object that an encrypted body of this size takes."""
    chunks = max(1, -(-size // CHUNK_BYTES))
    return HEADER_BYTES + size + chunks * _TAG_BYTES


def body_size(stored: int) -> int:
    """The size of the body in an encrypted object of this size. An object too small to be encrypted keeps its own size."""
    if stored < HEADER_BYTES + _TAG_BYTES:
        return stored
    return stored - HEADER_BYTES - _chunk_count(stored) * _TAG_BYTES


def stored_prefix(first: int) -> int:
    """The first bytes of an encrypted object that the first bytes of its body can be decrypted from."""
    return HEADER_BYTES + -(-first // CHUNK_BYTES) * STORED_CHUNK_BYTES


def _chunk_count(stored: int) -> int:
    return max(1, -(-(stored - HEADER_BYTES) // STORED_CHUNK_BYTES))


class Header(NamedTuple):
    """The header of an encrypted object."""

    raw: bytes
    key_id: str
    wrapped: bytes


def is_encrypted(start: bytes | bytearray) -> bool:
    """Whether the first bytes of an object are those of an encrypted one."""
    return start[: len(_MAGIC)] == _MAGIC


def read_header(key: str, start: bytes) -> Header:
    """The header in the first bytes of an object. Raises ``SessionCorruptedError``."""
    if not is_encrypted(start):
        raise SessionCorruptedError(
            key,
            f"it is not encrypted, or in a later version of the format ({_MAGIC.decode()} is known); open the store with accept_plain=True "
            "while its objects are being encrypted",
        )
    raw = start[:HEADER_BYTES]
    sizes = raw[_LENGTHS]
    ends = _KEYS_START + sizes[0] if len(raw) == HEADER_BYTES else 0
    wrapped_end = ends + int.from_bytes(sizes[1:])
    if not _KEYS_START < ends <= wrapped_end <= HEADER_BYTES:
        raise SessionCorruptedError(key, "its header of encryption is damaged or cut off")
    key_id = raw[_KEYS_START:ends].decode(errors="replace")
    return Header(raw, key_id, raw[ends:wrapped_end])


def new_header(key: EncryptionKey, metadata: Mapping[str, str]) -> Header:
    """The header of a new write with this metadata. Raises ``InvalidArgumentError`` for a key that breaks a rule."""
    id = key.id.encode()
    if len(key.key) != KEY_BYTES:
        raise InvalidArgumentError(
            f"encryption key {shorten(key.id)} is refused: it must be {KEY_BYTES} bytes"
        )
    if not 0 < len(id) <= 255 or len(id) + len(key.wrapped) > HEADER_BYTES - _KEYS_START:  # noqa: PLR2004
        raise InvalidArgumentError(
            f"encryption key {shorten(key.id)} is refused: its id must have 1 to 255 bytes, and at most {HEADER_BYTES - _KEYS_START} with "
            "its wrapped key"
        )
    newest = metadata.get(HISTORY_ENTRY, "")[:32]
    write_id = bytes.fromhex(newest) if _HEX_ID.fullmatch(newest) else _NO_WRITE_ID
    lengths = len(id).to_bytes(1) + len(key.wrapped).to_bytes(2)
    used = b"".join((_MAGIC, os.urandom(32), write_id, lengths, id, key.wrapped))
    return Header(used.ljust(HEADER_BYTES, b"\0"), key.id, key.wrapped)


class ObjectCipher:
    """Encrypts or decrypts one version of one object."""

    def __init__(self, header: Header, key: bytes, object_key: str, relative_key: str) -> None:
        """``object_key`` is for messages, and ``relative_key`` is what the object is bound to."""
        self.header = header
        self._object_key = object_key
        self._aead = AESGCM(HKDF(_SHA256, KEY_BYTES, header.raw[_SALT], _INFO).derive(key))
        self._bound = header.raw + relative_key.encode()

    def encrypt(self, body: bytes) -> bytes:
        """The whole object."""
        if len(body) <= CHUNK_BYTES:  # nearly every object
            return self.header.raw + self._aead.encrypt(_ONLY_CHUNK, body, self._bound)
        view = memoryview(body)
        ends = range(CHUNK_BYTES, len(body) + CHUNK_BYTES, CHUNK_BYTES)
        chunks = (
            self.encrypt_chunk(number, view[end - CHUNK_BYTES : end], is_last=end >= len(body))
            for number, end in enumerate(ends)
        )
        return b"".join((self.header.raw, *chunks))

    def decrypt(self, start: bytes, stored: int) -> bytes:
        """The body in the first chunks of an object of this stored size, or in all of them.

        Raises ``SessionCorruptedError``.
        """
        last = _chunk_count(stored) - 1
        if last == 0:
            return self.decrypt_chunk(0, memoryview(start)[HEADER_BYTES:], is_last=True)
        return b"".join(
            self.decrypt_chunk(number, chunk, is_last=number == last)
            for number, chunk in enumerate(_slices(start))
        )

    def encrypt_chunk(self, number: int, chunk: bytes | memoryview, *, is_last: bool) -> bytes:
        """A chunk of the body with its tag."""
        return self._aead.encrypt(_nonce(number, is_last), chunk, self._bound)

    def decrypt_chunk(self, number: int, chunk: bytes | memoryview, *, is_last: bool) -> bytes:
        """A chunk of the body. Raises ``SessionCorruptedError``."""
        try:
            return self._aead.decrypt(_nonce(number, is_last), chunk, self._bound)
        except InvalidTag:
            raise SessionCorruptedError(self._object_key, FOREIGN) from None

    def encrypt_metadata(self, metadata: Mapping[str, str]) -> dict[str, str]:
        """The metadata to send: the write history, and everything else in one entry."""
        sent = {name: value for name, value in metadata.items() if name == HISTORY_ENTRY}
        text = "\n".join(f"{name} {value}" for name, value in metadata.items() if name != HISTORY_ENTRY)
        if text:
            sent[_ENTRY] = b64encode(self._aead.encrypt(_METADATA_NONCE, text.encode(), self._bound)).decode()
        return sent

    def decrypt_metadata(self, metadata: Mapping[str, str]) -> dict[str, str]:
        """The metadata as it was put. Raises ``SessionCorruptedError``."""
        found = plain_metadata(self.header.raw, metadata)
        entry = metadata.get(_ENTRY) or metadata_entry(metadata, _ENTRY)
        if entry is not None:
            try:
                text = self._aead.decrypt(_METADATA_NONCE, b64decode(entry, validate=True), self._bound)
            except (InvalidTag, binascii.Error):
                raise SessionCorruptedError(self._object_key, f"its metadata: {FOREIGN}") from None
            for line in text.decode().split("\n"):
                name, _, value = line.partition(" ")
                found[name] = value
        return found


def plain_metadata(start: bytes, metadata: Mapping[str, str]) -> dict[str, str]:
    """The metadata that needs no key: the write history, or in a folder the newest write id in the first bytes of the object."""
    history = metadata_entry(metadata, HISTORY_ENTRY)
    if history is None and is_encrypted(start) and start[_WRITE_ID] != _NO_WRITE_ID:
        history = start[_WRITE_ID].hex()
    return {HISTORY_ENTRY: history} if history else {}


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11) + (b"\1" if is_last else b"\0")


def _slices(start: bytes) -> Iterator[memoryview]:
    view = memoryview(start)
    for begin in range(HEADER_BYTES, len(start), STORED_CHUNK_BYTES):
        yield view[begin : begin + STORED_CHUNK_BYTES]
