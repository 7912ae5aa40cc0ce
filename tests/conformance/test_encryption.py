"""Encrypted stores pass the suites of buckets and stores, and keep every body and its metadata secret."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

import sessionbucket
from both_sides import SyncSide, unwrapped
from conformance.conftest import NATIVE_ASYNC, Clients, Opener
from conformance.locations import ON_SEAWEEDFS, VERSIONED, WITHOUT_SERVER, Location, without_server
from conformance.samples import artifacts_of, event_of, report_of, say, session_of, texts_of
from conformance.suites import AsyncBucketSuite, BucketSuite
from sessionbucket import (
    NO_RETRY,
    AsyncBucket,
    AsyncEncryptingBucket,
    AsyncSessionStore,
    Bucket,
    EncryptingBucket,
    InvalidArgumentError,
    KeyProvider,
    Keyring,
    NotSupportedError,
    ObjectTooLargeError,
    RetryConfig,
    SessionConflictError,
    SessionCorruptedError,
    SessionStore,
    StoreUnavailableError,
)
from sessionbucket.testing.conformance import AsyncStoreConformance, StoreConformance

ENCRYPTED = (*WITHOUT_SERVER, *ON_SEAWEEDFS)
everywhere = pytest.mark.parametrize("location", ENCRYPTED, indirect=True)
with_versions = pytest.mark.parametrize("location", [*ENCRYPTED, VERSIONED[0]], indirect=True)

KEYS = Keyring({"2026": bytes(range(32)), "2025": bytes(32)}, primary="2026")


@with_versions
class TestEncryptingBucket(BucketSuite):
    rounds_on_a_server = 1  # a wrapper takes no part in a race

    def wrapped(self, bucket: Bucket) -> Bucket:
        return EncryptingBucket(bucket, KEYS)


@with_versions
class TestAsyncEncryptingBucket(AsyncBucketSuite):
    rounds_on_a_server = 1

    def wrapped(self, bucket: AsyncBucket) -> AsyncBucket:
        return AsyncEncryptingBucket(bucket, KEYS)


@everywhere
class TestEncryptedStore(StoreConformance):
    race_rounds = 2

    @pytest.fixture
    def store_factory(
        self, location: Location, sides: dict[str, SyncSide], clients: Clients
    ) -> Callable[[], SessionStore[Any]]:
        opener, prefix = Opener(sides["sync"], location, clients), location.key("")
        return lambda: SessionStore(EncryptingBucket(opener.bucket(), KEYS, prefix), prefix)


@everywhere
@pytest.mark.asyncio(loop_scope="module")
class TestAsyncEncryptedStore(AsyncStoreConformance):
    race_rounds = 2

    @pytest.fixture
    def store_factory(
        self, location: Location, native_clients: Clients
    ) -> Callable[[], AsyncSessionStore[Any]]:
        opener, prefix = Opener(NATIVE_ASYNC, location, native_clients), location.key("")
        return lambda: AsyncSessionStore(AsyncEncryptingBucket(opener.bucket(), KEYS, prefix), prefix)


SECRET = "canary-7f3a"


class Site:
    """A location, and stores in it that are encrypted or not."""

    def __init__(self, opener: Opener) -> None:
        self.opener = opener
        self.side = opener.side
        self.prefix = opener.location.key("")

    def bucket(self, keys: KeyProvider = KEYS, **options: Any) -> Any:
        inner = unwrapped(self.opener.bucket())
        return self.side.make("EncryptingBucket", inner, keys, self.prefix, **options)

    def store(self, keys: KeyProvider = KEYS, **options: Any) -> Any:
        return self.side.store(self.bucket(keys, **options), self.prefix)

    def plain(self) -> Any:
        return self.opener.store()


@pytest.fixture
def site(opener: Opener) -> Site:
    return Site(opener)


def fill(store: Any, id: str = "s") -> Any:
    """Save a session with every part, a file, and a document beside it."""
    session = session_of(id, f"{SECRET} text")
    store.save_turn(
        session,
        artifacts=artifacts_of(f"{SECRET} output"),
        trace_events=[event_of(f"{SECRET} tool")],
        verification_reports=[report_of(f"{SECRET} subject")],
    )
    store.put_file(id, "notes.txt", SECRET.encode() * 20_000)
    store.documents("notes").put("d", SECRET.encode())
    return session


def check_filled(store: Any, id: str = "s") -> None:
    assert texts_of(store.load(id)) == [f"{SECRET} text"]
    assert store.load_artifacts(id) == artifacts_of(f"{SECRET} output")
    assert store.load_trace_events(id) == [event_of(f"{SECRET} tool")]
    assert store.load_verification_reports(id) == [report_of(f"{SECRET} subject")]
    with store.open_file(id, "notes.txt") as file:
        assert file.read() == SECRET.encode() * 20_000
    assert store.documents("notes").get("d").body == SECRET.encode()


@everywhere
def test_nothing_of_a_body_or_its_metadata_is_readable(site: Site):
    store = site.store()
    fill(store)
    names = site.opener.names()
    assert len(names) == 6
    bucket = site.opener.bucket()
    for name in names:
        body = site.opener.read(name)
        assert body[:4] == b"SBE1"
        assert SECRET.encode() not in body
        metadata = bucket.head(site.opener.location.key(name)).metadata
        assert set(metadata) <= {"writes", "encrypted"}
        if bucket.capabilities.keeps_metadata and "/files/" not in name:
            assert metadata
    check_filled(store)
    assert list(store.check()) == []
    assert {info.id: info.size for info in store.iter_sessions()} == {"s": len(store.raw.get("s").body)}
    assert [info.size for info in store.list_files("s")] == [len(SECRET) * 20_000]
    store.delete("s")
    store.documents("notes").delete("d")
    assert site.opener.names() == []


@everywhere
def test_a_head_returns_the_metadata_of_the_put(site: Site):
    bucket, key = site.bucket(), site.opener.location.key("k")
    metadata = {"writes": "ab" * 16, "printed": "1 00000000", "empty": ""}
    bucket.put(key, b"body", metadata=metadata, content_type="text/plain")
    if bucket.capabilities.keeps_metadata:
        assert bucket.head(key).metadata == metadata
        assert bucket.get(key, max_bytes=4).info == bucket.head(key)
    else:
        assert bucket.head(key).metadata == {"writes": "ab" * 16}
    assert bucket.head(key).size == 4


@without_server
def test_the_largest_metadata_of_a_session_fits(site: Site):
    """A write history of 16 ids, the checksum of the codec and a summary of 900 bytes, in the 2,048 bytes that S3 allows."""
    metadata = {"writes": " ".join(["a" * 33] * 16), "printed": "1 00000000", "summary": '"' * 900}
    bucket, key = site.bucket(), site.opener.location.key("k")
    bucket.put(key, b"body", metadata=metadata)
    if bucket.capabilities.keeps_metadata:
        assert bucket.head(key).metadata == metadata


@everywhere
def test_a_whole_store_can_be_copied_byte_by_byte(site: Site):
    fill(site.store())
    for name in site.opener.names():
        site.opener.write(f"copy/{name}", site.opener.read(name))
    prefix = site.opener.location.key("copy")
    bucket = site.side.make("EncryptingBucket", unwrapped(site.opener.bucket()), KEYS, prefix)
    check_filled(site.side.store(bucket, prefix))


@everywhere
def test_a_session_that_was_put_at_another_key_is_refused(site: Site):
    store = site.store()
    store.save(session_of("a"))
    site.opener.write("b.json", site.opener.read("a.json"))
    with pytest.raises(SessionCorruptedError, match="moved"):
        store.load("b")
    (finding,) = store.check()
    assert finding.problem == "corrupted"


@without_server
def test_a_store_without_its_keys_says_so(site: Site):
    store = site.store()
    fill(store)
    stranger = site.store(Keyring({"other": bytes(32)}, primary="other"))
    with pytest.raises(SessionCorruptedError, match="'2026', which is not among the keys"):
        stranger.load("s")
    with pytest.raises(SessionCorruptedError, match="'2026'"):
        stranger.open_file("s", "notes.txt")
    assert stranger.list() == ["s"]
    assert stranger.exists("s")
    with pytest.raises(SessionConflictError):
        stranger.save(session_of("s"))
    check_filled(store)


@without_server
def test_presigned_urls_are_refused(site: Site):
    assert not site.bucket().capabilities.presigns
    with pytest.raises(NotSupportedError, match="encrypted store"):
        site.store().presign_file("s", "x", timedelta(hours=1))


@without_server
def test_a_key_outside_the_store_is_refused(site: Site):
    bucket = site.side.make("EncryptingBucket", unwrapped(site.opener.bucket()), KEYS, "prefix")
    for call in (
        lambda: bucket.put("other/k", b""),
        lambda: bucket.get("prefixed/k", max_bytes=1),
        lambda: bucket.head("k"),
    ):
        with pytest.raises(InvalidArgumentError, match="not under the prefix"):
            call()


@without_server
def test_plain_objects_are_refused_unless_they_are_accepted(site: Site):
    fill(site.plain())
    with pytest.raises(SessionCorruptedError, match="it is not encrypted"):
        site.store().load("s")
    with pytest.raises(SessionCorruptedError, match="it is not encrypted"):
        site.store().open_file("s", "notes.txt")
    accepting = site.store(accept_plain=True)
    check_filled(accepting)
    assert accepting.documents("notes").get("d", first=3).body == SECRET[:3].encode()
    accepting.update("s", lambda session: say(session, "more"))
    assert site.opener.read("s.json")[:4] == b"SBE1"
    assert texts_of(accepting.load("s")) == [f"{SECRET} text", "more"]


@without_server
def test_forged_metadata_of_a_plain_object_is_not_shown(site: Site):
    plain = site.opener.bucket()
    plain.put(site.opener.location.key("k"), b"x" * 600, metadata={"summary": "forged", "writes": "a b"})
    found = site.bucket().head(site.opener.location.key("k"))
    assert found.metadata == ({"writes": "a b"} if plain.capabilities.keeps_metadata else {})


@without_server
@pytest.mark.parametrize("is_new", [True, False])
def test_a_save_after_one_whose_response_was_lost_builds_on_it(site: Site, is_new: bool):
    bucket = site.side.make("FaultyBucket", unwrapped(site.bucket()), retry=NO_RETRY)
    store = site.side.store(bucket, site.prefix)
    session = session_of("s", "first")
    if not is_new:
        store.save(session)
        say(session, "second")
    bucket.drop_response("put", key="*s.json")
    bucket.fail("head", key="*s.json")
    with pytest.raises(StoreUnavailableError) as caught:
        store.save(session)
    assert caught.value.outcome == "unknown"
    bucket.clear_faults()
    say(session, "last")
    store.save(session)
    assert texts_of(site.store().load("s")) == texts_of(session)


@without_server
def test_a_save_after_a_lost_one_still_conflicts_with_another_writer(site: Site):
    bucket = site.side.make("FaultyBucket", unwrapped(site.bucket()), retry=NO_RETRY)
    store = site.side.store(bucket, site.prefix)
    session = session_of("s", "first")
    bucket.drop_response("put", key="*s.json")
    bucket.fail("head", key="*s.json")
    with pytest.raises(StoreUnavailableError):
        store.save(session)
    bucket.clear_faults()
    site.store().update("s", lambda found: say(found, "other"))
    with pytest.raises(SessionConflictError):
        store.save(session)
    assert texts_of(site.store().load("s")) == ["first", "other"]


@without_server
def test_the_outcome_of_a_lost_save_is_resolved_by_another_key_holders_write(site: Site):
    """The other writer's key is unknown here: its write history alone decides."""
    if site.opener.location.kind == "file":
        pytest.skip("a folder keeps no write history")
    bucket = site.side.make(
        "FaultyBucket", unwrapped(site.bucket()), retry=RetryConfig(attempts=2, seconds=60)
    )
    store = site.side.store(bucket, site.prefix)
    session = session_of("s", "first")
    store.save(session)
    both = Keyring({"2026": bytes(range(32)), "theirs": bytes(32)}, primary="theirs")
    other = site.store(both)
    say(session, "ours")
    bucket.drop_request("put", key="*s.json")
    bucket.run_before(lambda: other.update("s", lambda found: say(found, "theirs")), "head", key="*s.json")
    with pytest.raises(SessionConflictError) as caught:
        store.save(session)
    assert caught.value.outcome == "not written"


@everywhere
def test_documents_and_append_logs_are_encrypted(site: Site):
    documents = site.store().documents("notes")
    body = bytes(range(256)) * 1000
    documents.update("d", lambda found: body)
    head = documents.get("d", first=70_000)
    assert (head.body, head.size) == (body[:70_000], len(body))
    documents.copy("d", "e")
    assert documents.get("e").body == body
    log = site.side.make("AppendLog", documents)
    for number in range(3):
        log.append("log", [{"n": number}])
    assert log.read("log", last=1).entries == [{"n": 2}]
    assert all(site.opener.read(name)[:4] == b"SBE1" for name in site.opener.names())


@without_server
def test_a_copy_between_stores_compares_what_they_contain(site: Site):
    fill(site.plain())
    encrypted_bucket = site.side.make("MemoryBucket")
    keys = Keyring({"theirs": bytes(32)}, primary="theirs")
    other = site.side.store(site.side.make("EncryptingBucket", unwrapped(encrypted_bucket), keys))

    def copy(source: Any, target: Any) -> list[str]:
        copied = getattr(sessionbucket, site.side.name_of("copy_sessions"))(
            unwrapped(source), unwrapped(target)
        )
        return [result.outcome for result in site.side.wrap(copied)]

    source = site.plain()
    source.documents("notes").delete("d")
    assert copy(source, other) == ["copied"]
    assert copy(source, other) == ["same"]
    assert texts_of(other.load("s")) == [f"{SECRET} text"]
    assert copy(other, source) == ["same"]
    other.update("s", lambda session: say(session, "more"))
    assert copy(other, source) == ["conflict"]
    third = site.side.store(
        site.side.make("EncryptingBucket", unwrapped(site.side.make("MemoryBucket")), KEYS)
    )
    assert copy(other, third) == ["copied"]
    assert copy(other, third) == ["same"]


@without_server
def test_an_accepted_plain_file_is_compared_by_its_bytes(site: Site):
    fill(site.plain())
    target = site.side.store(
        site.side.make("EncryptingBucket", unwrapped(site.side.make("MemoryBucket")), KEYS)
    )
    source = site.store(accept_plain=True)
    for outcome in ("copied", "same"):
        copied = getattr(sessionbucket, site.side.name_of("copy_sessions"))(
            unwrapped(source), unwrapped(target)
        )
        assert [result.outcome for result in site.side.wrap(copied)] == [outcome]


def reencrypted(site: Site, store: Any, **options: Any) -> Counter[str]:
    results = getattr(sessionbucket, site.side.name_of("reencrypt_store"))(unwrapped(store), **options)
    return Counter(result.outcome for result in site.side.wrap(results))


NEW_KEYS = Keyring({"2027": bytes([7]) * 32, "2026": bytes(range(32))}, primary="2027")
ONLY_NEW = Keyring({"2027": bytes([7]) * 32}, primary="2027")


@everywhere
def test_a_rotation_encrypts_every_object_with_the_new_key(site: Site):
    session = fill(site.store())
    rotated = site.store(NEW_KEYS)
    check_filled(rotated)
    assert reencrypted(site, rotated) == {"encrypted": 6}
    assert reencrypted(site, rotated) == {"current": 6}
    only_new = site.store(ONLY_NEW)
    check_filled(only_new)
    if rotated.bucket.capabilities.keeps_metadata:
        assert only_new.raw.get("s").info.metadata.keys() == {"writes", "printed", "summary"}
        assert only_new.raw.get("s").info.content_type == "application/json"
    with pytest.raises(SessionConflictError):
        site.store(NEW_KEYS).save(session)  # the rotation is another writer


@without_server
def test_a_store_is_encrypted_in_place(site: Site):
    fill(site.plain())
    assert reencrypted(site, site.store()) == {"failed": 6}
    check_filled(site.plain())
    assert reencrypted(site, site.store(accept_plain=True)) == {"encrypted": 6}
    check_filled(site.store())


@without_server
def test_a_rotation_takes_the_sessions_with_a_prefix(site: Site):
    store = site.store()
    fill(store, "alice/1")
    fill(store, "bob")
    assert reencrypted(site, site.store(NEW_KEYS), prefix="alice/") == {"encrypted": 5}
    assert reencrypted(site, site.store(NEW_KEYS)) == {"encrypted": 6, "current": 5}


@without_server
def test_a_rotation_keeps_the_turns_of_other_writers(site: Site):
    store = site.store()
    store.save(session_of("s", "first"))
    bucket = site.bucket(NEW_KEYS)
    turns = iter(["second", "third"])
    original = type(unwrapped(bucket)).get
    inner = unwrapped(bucket)

    def interrupt() -> None:
        if (text := next(turns, None)) is not None:
            store.update("s", lambda session: say(session, text))

    if site.side.name == "sync":

        def get(self: Any, key: str, **options: Any) -> Any:
            found = original(self, key, **options)
            interrupt()
            return found

        inner.get = get.__get__(inner)
    else:

        async def get_later(self: Any, key: str, **options: Any) -> Any:
            found = await original(self, key, **options)
            await asyncio.to_thread(interrupt)
            return found

        inner.get = get_later.__get__(inner)
    assert reencrypted(site, site.side.store(bucket, site.prefix)) == {"encrypted": 1}
    assert texts_of(site.store(ONLY_NEW).load("s")) == ["first", "second", "third"]


@without_server
def test_a_large_file_that_changes_meanwhile_is_not_replaced(site: Site):
    store = site.store()
    store.put_file("s", "large", bytes(9 << 20))
    faulty = site.side.make("FaultyBucket", unwrapped(site.opener.bucket()))
    changed = b"x" * (9 << 20)
    faulty.run_before(lambda: store.put_file("s", "large", changed), "put_stream")
    bucket = site.side.make("EncryptingBucket", unwrapped(faulty), NEW_KEYS, site.prefix)
    assert reencrypted(site, site.side.store(bucket, site.prefix)) == {"encrypted": 1}
    assert faulty.pending == []
    with site.store(ONLY_NEW).open_file("s", "large") as file:
        assert file.read() == changed


@without_server
def test_a_large_file_is_encrypted_again(site: Site):
    store = site.store()
    store.save(session_of("s"))
    store.put_file("s", "large", bytes(9 << 20), content_type="text/x-large")
    assert reencrypted(site, site.store(NEW_KEYS)) == {"encrypted": 2}
    with site.store(ONLY_NEW).open_file("s", "large") as file:
        assert file.read() == bytes(9 << 20)
        if site.bucket().capabilities.keeps_metadata:
            assert file.content_type == "text/x-large"


@without_server
def test_a_store_that_is_not_encrypted_cannot_be_encrypted_again(site: Site):
    with pytest.raises(InvalidArgumentError, match="it is not encrypted"):
        reencrypted(site, site.plain())


@without_server
def test_an_older_version_is_decrypted(site: Site):
    inner = site.side.make("MemoryBucket", keep_versions=True)
    bucket = site.side.make("EncryptingBucket", unwrapped(inner), KEYS)
    bucket.put("k", b"first")
    bucket.put("k", b"the second")
    newest, oldest = bucket.list_versions("k").versions
    assert (newest.size, oldest.size) == (10, 5)
    assert bucket.get_version("k", oldest.version_id, max_bytes=5).body == b"first"
    with pytest.raises(ObjectTooLargeError):
        bucket.get_version("k", newest.version_id, max_bytes=9)


def test_open_store_and_open_documents_encrypt(side: SyncSide):
    url = f"memory://{uuid4().hex}/prefix"
    store = side.make("open_store", url, encryption=KEYS)
    store.save(session_of("s", "x"))
    assert store.bucket.inner.get("prefix/s.json", max_bytes=1 << 20).body[:4] == b"SBE1"
    documents = side.make("open_documents", url, "notes", encryption=KEYS)
    documents.put("d", b"body")
    assert store.documents("notes").get("d").body == b"body"
    with pytest.raises(InvalidArgumentError, match="accept_plain is refused"):
        side.make("open_store", url, accept_plain=True)
    with pytest.raises(InvalidArgumentError, match="encryption is refused"):
        side.make("open_store", url, encryption=b"key")
