"""The known-answer vectors of encrypted objects, and a reader of the format that shares no code with the library."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FOLDER = Path(__file__).parent.parent / "fixtures" / "encryption"


def pattern(size: int) -> bytes:
    """The body of a vector."""
    return bytes((7 * number + number // 251) % 256 for number in range(size))


@dataclass(frozen=True)
class Vector:
    name: str
    object: str
    key_hex: str
    salt_hex: str
    key_id: str
    wrapped_hex: str
    object_key: str
    size: int
    metadata: dict[str, str]
    stored_metadata: dict[str, str]

    @property
    def key(self) -> bytes:
        return bytes.fromhex(self.key_hex)

    @property
    def body(self) -> bytes:
        return pattern(self.size)

    @property
    def stored(self) -> bytes:
        return (FOLDER / self.object).read_bytes()


VECTORS = [Vector(**each) for each in json.loads((FOLDER / "vectors.json").read_text())]


def read_independently(vector: Vector) -> tuple[bytes, dict[str, str]]:
    """The body and the metadata but for the write history, as docs/format.md defines them."""
    header, rest = vector.stored[:512], vector.stored[512:]
    secret = hmac.digest(header[4:36], vector.key, hashlib.sha256)
    aead: Any = AESGCM(hmac.digest(secret, b"sessionbucket SBE1\x01", hashlib.sha256))
    bound = header + vector.object_key.encode()
    chunks = [rest[start : start + 65_552] for start in range(0, len(rest), 65_552)]
    body = b"".join(
        aead.decrypt(number.to_bytes(11, "big") + bytes([number == len(chunks) - 1]), chunk, bound)
        for number, chunk in enumerate(chunks)
    )
    entry = vector.stored_metadata.get("encrypted")
    if entry is None:
        return body, {}
    lines = aead.decrypt(bytes(11) + b"\2", b64decode(entry), bound).decode().split("\n")
    return body, {name: value for name, _, value in (line.partition(" ") for line in lines)}
