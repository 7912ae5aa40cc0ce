"""The keys of encrypted stores: which key an object is encrypted with, and where a key comes from."""

from __future__ import annotations

import base64
import binascii
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import NamedTuple

from sessionbucket._core.arguments import check_kind, check_text
from sessionbucket._core.keys import SUFFIX, StoreKeys
from sessionbucket.errors import InvalidArgumentError, shorten

KEY_BYTES = 32
"""The length of a key."""

_KEYS = StoreKeys()


class EncryptionContext(NamedTuple):
    """The object that a key is for. ``key`` is its key in the bucket, relative to the prefix of its store."""

    key: str

    @property
    def session_id(self) -> str | None:
        """The id of the session that the object belongs to, or None for documents and bookkeeping.

        It is what the key decodes to: for a session under a legacy name that is the legacy name.
        """
        folder, slash, _ = self.key.partition("/")
        if not slash:
            return _KEYS.session_id(self.key)
        return (
            _KEYS.session_id(_KEYS.part_stem(self.key) + SUFFIX)
            if f"{folder}/" in _KEYS.part_folders
            else None
        )


class EncryptionKey(NamedTuple):
    """A key of 32 bytes with its id. ``wrapped`` is the key encrypted by a service, to be stored with the object, or empty.

    The id and the wrapped key have at most 457 bytes together, the id at most 255.
    """

    id: str
    key: bytes
    wrapped: bytes = b""

    def __repr__(self) -> str:
        return f"EncryptionKey({self.id!r})"


class KeyProvider(ABC):
    """Where the keys of an encrypted store come from. Both methods may be called from several threads at once."""

    blocks: bool = True
    """Whether a call may wait, for a request for instance. An async store then calls it in a thread."""

    @abstractmethod
    def key_for_write(self, context: EncryptionContext) -> EncryptionKey:
        """The key to encrypt a new version of the object with. Raises only the errors of ``sessionbucket.errors``."""

    @abstractmethod
    def key(self, id: str, wrapped: bytes, context: EncryptionContext) -> bytes | None:
        """The key with this id, or None for an unknown id. ``wrapped`` is the wrapped key that is stored with the object.

        Anyone who may write to the bucket chooses both, so accept only ids of your own keys. Raises only the errors of
        ``sessionbucket.errors``.
        """


class Keyring(KeyProvider):
    """Keys of 32 bytes by their ids. The primary one encrypts, and every one decrypts."""

    blocks = False

    def __init__(self, keys: Mapping[str, bytes], *, primary: str) -> None:
        """``keys`` has keys of 32 random bytes (``os.urandom(32)``) by ids of 1 to 255 bytes.

        Raises ``InvalidArgumentError``, which repeats no key.
        """
        check_kind("keys", keys, Mapping)
        for id, key in keys.items():
            check_text("the id of a key", id)
            if not isinstance(key, bytes) or len(key) != KEY_BYTES:
                raise InvalidArgumentError(f"key {shorten(id)} is refused: it must be {KEY_BYTES} bytes")
        check_text("primary", primary)
        if primary not in keys:
            raise InvalidArgumentError(
                f"primary {shorten(primary)} is refused: it is the id of no key in the keyring"
            )
        self._keys = {id: EncryptionKey(id, key) for id, key in keys.items()}
        self._primary = self._keys[primary]

    @classmethod
    def from_json(cls, text: str) -> Keyring:
        """The keyring in a JSON object: ``{"primary": "2026-11", "keys": {"2026-11": "<base64 of 32 bytes>"}}``.

        Raises ``InvalidArgumentError``, which repeats nothing of the text.
        """
        check_text("text", text)
        try:
            value = json.loads(text)
            keys = {id: base64.b64decode(key, validate=True) for id, key in value["keys"].items()}
            primary = value["primary"]
        except (ValueError, LookupError, TypeError, AttributeError, binascii.Error, RecursionError):
            raise InvalidArgumentError(
                'the keyring is refused: it must be {"primary": "<id>", "keys": {"<id>": "<base64 of 32 bytes>"}}'
            ) from None
        return cls(keys, primary=primary)

    def __repr__(self) -> str:
        return f"<Keyring {', '.join(map(shorten, self._keys))}, primary {shorten(self._primary.id)}>"

    def key_for_write(self, context: EncryptionContext) -> EncryptionKey:
        return self._primary

    def key(self, id: str, wrapped: bytes, context: EncryptionContext) -> bytes | None:
        found = self._keys.get(id)
        return found.key if found else None
