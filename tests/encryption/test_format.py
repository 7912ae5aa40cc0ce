"""The format of encrypted objects: frozen vectors, sizes, and the refusal of every object that was changed."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encryption.vectors import VECTORS, Vector, read_independently
from sessionbucket import EncryptingBucket, Keyring, MemoryBucket, SessionCorruptedError
from sessionbucket._core import encryption
from sessionbucket._core.encryption import ObjectCipher, body_size, new_header, read_header, stored_size
from sessionbucket._core.keyring import EncryptionContext, EncryptionKey, KeyProvider
from sessionbucket.errors import InvalidArgumentError

CHUNK = 64 * 1024
STORED_CHUNK = CHUNK + 16
KEYS = Keyring({"2026": bytes(range(32))}, primary="2026")
LIMIT = 1 << 30

vectors = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)


class OneKey(KeyProvider):
    """The key of a vector."""

    blocks = False

    def __init__(self, vector: Vector) -> None:
        self.vector = vector

    def key_for_write(self, context: EncryptionContext) -> EncryptionKey:
        assert context.key == self.vector.object_key
        return EncryptionKey(self.vector.key_id, self.vector.key, bytes.fromhex(self.vector.wrapped_hex))

    def key(self, id: str, wrapped: bytes, context: EncryptionContext) -> bytes | None:
        assert context.key == self.vector.object_key
        assert wrapped.hex() == self.vector.wrapped_hex
        return self.vector.key if id == self.vector.key_id else None


@vectors
def test_a_vector_is_what_the_documentation_says(vector: Vector):
    rest = {name: value for name, value in vector.metadata.items() if name != "writes"}
    assert read_independently(vector) == (vector.body, rest)


@vectors
def test_a_vector_is_read(vector: Vector):
    bucket = MemoryBucket()
    bucket.put(f"p/{vector.object_key}", vector.stored, metadata=vector.stored_metadata)
    found = EncryptingBucket(bucket, OneKey(vector), "p").get(f"p/{vector.object_key}", max_bytes=LIMIT)
    assert found is not None
    assert found.body == vector.body
    assert found.info.size == vector.size
    assert found.info.metadata == vector.metadata


@vectors
def test_a_vector_is_written(vector: Vector, monkeypatch: pytest.MonkeyPatch):
    bucket = MemoryBucket()
    monkeypatch.setattr(encryption.os, "urandom", lambda size: bytes.fromhex(vector.salt_hex)[:size])
    EncryptingBucket(bucket, OneKey(vector), "p").put(
        f"p/{vector.object_key}", vector.body, metadata=vector.metadata
    )
    found = bucket.get(f"p/{vector.object_key}", max_bytes=LIMIT)
    assert found is not None
    assert found.body == vector.stored
    assert found.info.metadata == vector.stored_metadata


@given(size=st.integers(0, 1 << 40))
def test_the_size_of_a_body_follows_from_the_size_of_its_object(size: int):
    assert body_size(stored_size(size)) == size


@given(size=st.integers(0, 527))
def test_an_object_too_small_to_be_encrypted_keeps_its_size(size: int):
    assert body_size(size) == size


SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 5)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("first", [1, 100, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_the_first_bytes_are_decrypted_alone(size: int, first: int):
    inner = MemoryBucket()
    bucket = EncryptingBucket(inner, KEYS)
    body = bytes(range(256)) * (size // 256) + bytes(size % 256)
    bucket.put("k", body)
    found = bucket.get("k", max_bytes=LIMIT, first=first)
    assert found is not None
    assert (found.body, found.info.size) == (body[:first], size)


def test_the_chunks_after_the_first_bytes_are_not_read():
    inner = MemoryBucket()
    bucket = EncryptingBucket(inner, KEYS)
    bucket.put("k", bytes(3 * CHUNK))
    stored = bytearray(inner.get("k", max_bytes=LIMIT).body)  # type: ignore[union-attr]
    stored[-1] ^= 1
    inner.put("k", bytes(stored))
    assert bucket.get("k", max_bytes=LIMIT, first=2 * CHUNK).body == bytes(2 * CHUNK)  # type: ignore[union-attr]
    with pytest.raises(SessionCorruptedError):
        bucket.get("k", max_bytes=LIMIT, first=2 * CHUNK + 1)


class Trial:
    """An object of three chunks with metadata, and what reading another object in its place gives."""

    def __init__(self) -> None:
        self.inner = MemoryBucket()
        self.bucket = EncryptingBucket(self.inner, KEYS)
        self.bucket.put("k", bytes(2 * CHUNK) + b"the end", metadata={"printed": "1 00000000"})
        found = self.inner.get("k", max_bytes=LIMIT)
        assert found is not None
        self.stored, self.metadata = found.body, dict(found.info.metadata)

    def chunks(self) -> list[bytes]:
        body = self.stored[512:]
        return [body[start : start + STORED_CHUNK] for start in range(0, len(body), STORED_CHUNK)]

    def refuses(self, body: bytes, metadata: dict[str, str] | None = None, *, key: str = "k") -> bool:
        self.inner.put(key, body, metadata=self.metadata if metadata is None else metadata)
        with pytest.raises(SessionCorruptedError):
            self.bucket.get(key, max_bytes=LIMIT)
        with pytest.raises(SessionCorruptedError):
            self.read_stream(key)
        return True

    def read_stream(self, key: str) -> None:
        stream = self.bucket.get_stream(key)
        assert stream is not None
        list(stream.chunks)


@pytest.fixture(scope="module")
def trial() -> Trial:
    return Trial()


@pytest.mark.parametrize("bit", [0, pytest.param(7, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "position",
    [*range(0, 512, 7), 512, 512 + STORED_CHUNK - 1, 512 + STORED_CHUNK, -17, -1],
)
def test_a_flipped_bit_is_refused(trial: Trial, position: int, bit: int):
    changed = bytearray(trial.stored)
    changed[position] ^= 1 << bit
    assert trial.refuses(bytes(changed))


def test_a_flipped_bit_of_the_metadata_is_refused(trial: Trial):
    entry = trial.metadata["encrypted"]
    for position, letter in enumerate(entry.rstrip("=")[:-1]):
        other = "A" if letter != "A" else "B"
        changed = entry[:position] + other + entry[position + 1 :]
        assert trial.refuses(trial.stored, {**trial.metadata, "encrypted": changed})
    assert trial.refuses(trial.stored, {**trial.metadata, "encrypted": "no base64!"})


def test_a_cut_is_refused(trial: Trial):
    stored = trial.stored
    ends = (4, 100, 511, 512, 527, 528, 512 + STORED_CHUNK, 512 + 2 * STORED_CHUNK, len(stored) - 1)
    assert all(trial.refuses(stored[:end]) for end in ends)


def test_more_bytes_are_refused(trial: Trial):
    assert all(trial.refuses(trial.stored + more) for more in (b"x", bytes(16), trial.chunks()[-1]))


def test_chunks_in_another_order_are_refused(trial: Trial):
    one, two, three = trial.chunks()
    header = trial.stored[:512]
    for chunks in ((two, one, three), (one, one, three), (one, three), (three,), (one, two, two)):
        assert trial.refuses(header + b"".join(chunks))


def test_chunks_of_another_version_are_refused(trial: Trial):
    other = Trial()
    one, two, three = trial.chunks()
    assert trial.refuses(trial.stored[:512] + one + other.chunks()[1] + three)
    assert trial.refuses(other.stored[:512] + one + two + three)


def test_metadata_of_another_version_is_refused(trial: Trial):
    assert trial.refuses(trial.stored, Trial().metadata)


def test_an_object_that_was_moved_to_another_key_is_refused(trial: Trial):
    assert trial.refuses(trial.stored, key="k2")


def test_an_object_that_is_not_encrypted_is_refused(trial: Trial):
    assert all(trial.refuses(body) for body in (b"", b"{}", b"SBE2" + trial.stored[4:], bytes(600)))


def test_an_unknown_key_is_named(trial: Trial):
    trial.inner.put("k", trial.stored, metadata=trial.metadata)
    other = EncryptingBucket(trial.inner, Keyring({"another": bytes(32)}, primary="another"))
    with pytest.raises(SessionCorruptedError, match=r"'2026'.*not among the keys"):
        other.get("k", max_bytes=LIMIT)


def test_another_key_with_the_id_is_refused(trial: Trial):
    trial.inner.put("k", trial.stored, metadata=trial.metadata)
    other = EncryptingBucket(trial.inner, Keyring({"2026": bytes(32)}, primary="2026"))
    with pytest.raises(SessionCorruptedError, match="another key"):
        other.get("k", max_bytes=LIMIT)


def test_no_two_writes_have_one_key():
    inner = MemoryBucket()
    bucket = EncryptingBucket(inner, KEYS)
    stored = set()
    for _ in range(100):
        bucket.put("k", b"the same")
        stored.add(inner.get("k", max_bytes=LIMIT).body[4:36])  # type: ignore[union-attr]
    assert len(stored) == 100


@pytest.mark.parametrize(
    "key",
    [
        EncryptionKey("", os.urandom(32)),
        EncryptionKey("x" * 256, os.urandom(32)),
        EncryptionKey("x", os.urandom(31)),
        EncryptionKey("x", os.urandom(32), bytes(457)),
    ],
    ids=["no id", "long id", "short key", "long wrapped key"],
)
def test_a_key_that_breaks_a_rule_is_refused(key: EncryptionKey):
    with pytest.raises(InvalidArgumentError, match="is refused"):
        new_header(key, {})


def test_the_largest_wrapped_key_fits():
    key = EncryptionKey("x", os.urandom(32), os.urandom(456))
    header = new_header(key, {})
    assert len(header.raw) == 512
    assert read_header("k", header.raw) == header
    cipher = ObjectCipher(header, key.key, "k", "k")
    assert cipher.decrypt(cipher.encrypt(b"body"), stored_size(4)) == b"body"


def test_the_representation_of_a_key_does_not_show_it():
    key = EncryptionKey("id", b"secret-secret-secret-secret-1234")
    assert "secret" not in repr(key)
    assert "secret" not in repr(Keyring({"id": key.key}, primary="id"))
