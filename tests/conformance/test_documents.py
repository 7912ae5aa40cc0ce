"""Documents: versioned bytes at free keys in one folder of a store."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from both_sides import at_once
from conformance.conftest import Opener
from conformance.locations import FILE, MEMORY, SEAWEEDFS, in_memory, without_server
from conformance.samples import session_of
from sessionbucket import (
    INTEGRATION_FOLDERS,
    UNSEEN,
    ConflictError,
    Document,
    DocumentStore,
    FileNotInStoreError,
    InvalidArgumentError,
    ObjectTooLargeError,
    SessionConflictError,
    StoreUnavailableError,
)
from sessionbucket._core.document_keys import RESERVED_FOLDERS
from sessionbucket.testing import FaultyBucket
from testing.capabilities import with_capabilities

NAME = "notes"


def open_documents(opener: Opener, bucket: Any = None, **options: Any) -> DocumentStore:
    """The documents of the location, in one bucket object or in a new one."""
    bucket = opener.bucket() if bucket is None else bucket
    return opener.side.make("DocumentStore", bucket, NAME, prefix=opener.location.key(""), **options)


@pytest.fixture
def documents(opener: Opener) -> DocumentStore:
    return open_documents(opener)


@pytest.fixture
def other(opener: Opener) -> DocumentStore:
    """Another writer of the same documents."""
    return open_documents(opener)


@pytest.fixture
def faulty(opener: Opener) -> FaultyBucket:
    return opener.side.make("FaultyBucket", opener.bucket())


@pytest.fixture
def faulty_documents(opener: Opener, faulty: FaultyBucket) -> DocumentStore:
    return open_documents(opener, faulty)


@pytest.fixture
def metadata_is_kept(opener: Opener) -> None:
    if opener.location.kind == FILE:
        pytest.skip("a folder keeps no metadata, so no write id resolves a lost response")


def body_of(documents: DocumentStore, key: str) -> bytes | None:
    found = documents.get(key)
    return found.body if found else None


def keys_in(documents: DocumentStore, *arguments: Any, **options: Any) -> list[str]:
    return [info.key for info in documents.list(*arguments, **options)]


def appended(text: bytes) -> Callable[[Document | None], bytes]:
    """A change that appends a text."""
    return lambda found: (found.body if found else b"") + text


def operations(faulty: FaultyBucket) -> list[str]:
    return [call.operation for call in faulty.calls]


def test_a_document_comes_back_as_it_was_put(documents: DocumentStore, opener: Opener):
    put = documents.put("a/b é.bin", b"body")
    assert (put.key, put.body, put.size, put.updated_at) == ("a/b é.bin", b"body", 4, None)
    found = documents.get("a/b é.bin")
    assert found is not None
    assert (found.key, found.body, found.size) == ("a/b é.bin", b"body", 4)
    assert found.version == put.version
    assert found.updated_at is not None
    assert opener.names() == [f"{NAME}/a/b é.bin"]
    assert opener.read(f"{NAME}/a/b é.bin") == b"body"


@pytest.mark.parametrize("body", [b"", b"\0\xff", b"x" * 100_000], ids=len)
def test_a_body_of_any_bytes_comes_back(documents: DocumentStore, body: bytes):
    documents.put("key", body)
    assert body_of(documents, "key") == body


def test_a_missing_document_is_none(documents: DocumentStore):
    documents.put("key/below", b"x")
    for key in ("key", "key/below/it", "missing", "missing/key"):
        assert documents.get(key) is None


def test_every_put_gives_another_version(documents: DocumentStore):
    versions = [documents.put("key", body).version for body in (b"one", b"two", b"three")]
    assert len({*versions}) == 3
    found = documents.get("key")
    assert found is not None
    assert found.version == versions[-1]


@pytest.mark.parametrize("concurrency", [1, 2, 100])
def test_get_many_returns_the_documents_in_the_order_of_the_keys(documents: DocumentStore, concurrency: int):
    for number in range(5):
        documents.put(f"key {number}", f"body {number}".encode())
    keys = ["key 3", "missing", "key 0", "key 4", "key 3"]
    found = documents.get_many(keys, concurrency=concurrency)
    assert [document and (document.key, document.body) for document in found] == [
        ("key 3", b"body 3"),
        None,
        ("key 0", b"body 0"),
        ("key 4", b"body 4"),
        ("key 3", b"body 3"),
    ]
    assert documents.get_many(iter(keys[:1])) == found[:1]
    assert documents.get_many([]) == []


def test_get_many_raises_the_first_error(opener: Opener):
    documents = open_documents(opener, max_bytes=10)
    documents.put("small", b"x")
    opener.write(f"{NAME}/large", b"x" * 11)
    with pytest.raises(ObjectTooLargeError):
        documents.get_many(["small", "large", "small"], concurrency=2)
    with pytest.raises(InvalidArgumentError, match="document key"):
        documents.get_many(["small", "a//b"])


@in_memory
@pytest.mark.parametrize("concurrency", [0, -1])
def test_a_concurrency_below_one_is_refused(documents: DocumentStore, concurrency: int):
    with pytest.raises(InvalidArgumentError, match="concurrency"):
        documents.get_many([], concurrency=concurrency)


def test_a_body_above_the_limit_is_not_read(opener: Opener):
    documents = open_documents(opener, max_bytes=10)
    opener.write(f"{NAME}/key", b"x" * 11)
    with pytest.raises(ObjectTooLargeError) as caught:
        documents.get("key")
    assert (caught.value.size, caught.value.limit) == (11, 10)


def test_put_replaces_any_version(documents: DocumentStore, other: DocumentStore):
    documents.put("key", b"one")
    other.put("key", b"two")
    documents.put("key", b"three")
    assert body_of(other, "key") == b"three"


def test_put_if_absent_creates_a_document_and_replaces_none(documents: DocumentStore, opener: Opener):
    created = documents.put("key", b"first", if_absent=True)
    with pytest.raises(ConflictError) as caught:
        documents.put("key", b"second", if_absent=True)
    error = caught.value
    assert (error.key, error.outcome, error.attempts) == (
        opener.location.key(f"{NAME}/key"),
        "not written",
        1,
    )
    assert not isinstance(error, SessionConflictError)
    assert body_of(documents, "key") == b"first"
    documents.delete("key")
    again = documents.put("key", b"third", if_absent=True)
    assert again.version != created.version


def test_one_of_several_concurrent_creates_wins(documents: DocumentStore):
    results = at_once([partial(documents.put, "key", b"%d" % n, if_absent=True) for n in range(4)])
    won = [result for result in results if isinstance(result, Document)]
    assert len(won) == 1, results
    assert all(isinstance(result, Document | ConflictError) for result in results)
    assert body_of(documents, "key") == won[0].body


def test_update_creates_changes_and_returns_the_document(documents: DocumentStore):
    for count, expected in ((1, b"x"), (2, b"xx"), (3, b"xxx")):
        updated = documents.update("key", appended(b"x"))
        assert updated is not None
        assert (updated.key, updated.body, updated.size) == ("key", expected, count)
        assert body_of(documents, "key") == expected


def test_update_passes_the_document_or_none_to_the_change(documents: DocumentStore):
    seen: list[Document | None] = []

    def change(found: Document | None) -> bytes:
        seen.append(found)
        return b"new"

    documents.update("key", change)
    stored = documents.get("key")
    documents.update("key", change)
    assert seen == [None, stored]


def test_a_change_that_returns_none_writes_nothing(documents: DocumentStore, opener: Opener):
    assert documents.update("key", lambda _: None) is None
    assert opener.names() == []
    put = documents.put("key", b"body")
    same = documents.update("key", lambda _: None)
    assert same is not None
    assert (same.body, same.version) == (b"body", put.version)


def test_a_change_that_raises_writes_nothing(documents: DocumentStore):
    documents.put("key", b"body")

    def change(found: Document | None) -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        documents.update("key", change)
    with pytest.raises(ZeroDivisionError):
        documents.update("missing", change)
    assert keys_in(documents) == ["key"]
    assert body_of(documents, "key") == b"body"


def test_an_update_without_a_seen_document_reads_first(
    faulty: FaultyBucket, faulty_documents: DocumentStore, other: DocumentStore
):
    faulty_documents.update("key", appended(b"x"), seen=UNSEEN)
    assert operations(faulty) == ["get", "put"]
    faulty_documents.update("key", appended(b"x"))
    assert operations(faulty) == ["get", "put"] * 2
    assert body_of(other, "key") == b"xx"


def test_an_update_of_a_seen_document_takes_one_put(
    faulty: FaultyBucket, faulty_documents: DocumentStore, other: DocumentStore
):
    seen: Document | None = other.put("key", b"x")
    for _ in range(3):
        seen = faulty_documents.update("key", appended(b"x"), seen=seen)
    assert operations(faulty) == ["put"] * 3
    assert body_of(other, "key") == b"xxxx"


def test_an_update_of_an_outdated_document_reads_after_the_conflict(
    faulty: FaultyBucket, faulty_documents: DocumentStore, other: DocumentStore
):
    seen = other.put("key", b"old")
    other.put("key", b"new")
    faulty_documents.update("key", appended(b" x"), seen=seen)
    assert operations(faulty) == ["put", "get", "put"]
    assert body_of(other, "key") == b"new x"


def test_an_update_of_a_deleted_document_starts_again_without_it(
    faulty: FaultyBucket, faulty_documents: DocumentStore, other: DocumentStore
):
    seen = other.put("key", b"old")
    other.delete("key")
    faulty_documents.update("key", appended(b"x"), seen=seen)
    assert operations(faulty) == ["put", "get", "put"]
    assert body_of(other, "key") == b"x"


def test_an_update_of_a_probably_missing_document_takes_one_put_if_it_is_missing(
    faulty: FaultyBucket, faulty_documents: DocumentStore, other: DocumentStore
):
    faulty_documents.update("key", appended(b"x"), seen=None)
    assert operations(faulty) == ["put"]
    assert body_of(other, "key") == b"x"


def test_an_update_of_a_probably_missing_document_reads_after_the_conflict_if_it_exists(
    faulty: FaultyBucket, faulty_documents: DocumentStore, other: DocumentStore
):
    other.put("key", b"there ")
    faulty_documents.update("key", appended(b"x"), seen=None)
    assert operations(faulty) == ["put", "get", "put"]
    assert body_of(other, "key") == b"there x"


def test_after_each_conflict_update_reads_the_document_again(documents: DocumentStore, other: DocumentStore):
    documents.put("key", b"0")
    seen: list[bytes] = []

    def change(found: Document | None) -> bytes:
        assert found is not None
        seen.append(found.body)
        if len(seen) <= 2:
            other.put("key", b"%d" % len(seen))
        return found.body + b" mine"

    documents.update("key", change)
    assert seen == [b"0", b"1", b"2"]
    assert body_of(other, "key") == b"2 mine"


@pytest.mark.parametrize("attempts", [1, 3])
def test_the_error_after_the_last_attempt_has_the_number_of_attempts(
    documents: DocumentStore, other: DocumentStore, opener: Opener, attempts: int
):
    calls = 0

    def change(found: Document | None) -> bytes:
        nonlocal calls
        calls += 1
        other.put("key", b"theirs %d" % calls)
        return b"mine"

    with pytest.raises(ConflictError) as caught:
        documents.update("key", change, attempts=attempts)
    error = caught.value
    assert calls == error.attempts == attempts
    assert (error.key, error.outcome) == (opener.location.key(f"{NAME}/key"), "not written")
    assert body_of(other, "key") == b"theirs %d" % attempts


@in_memory
@pytest.mark.parametrize("attempts", [0, -1])
def test_less_than_one_attempt_is_refused(documents: DocumentStore, attempts: int):
    with pytest.raises(InvalidArgumentError, match="attempts"):
        documents.update("key", appended(b"x"), attempts=attempts)


def test_concurrent_updates_are_all_kept(opener: Opener):
    stores = [open_documents(opener) for _ in range(3)]

    def write(number: int) -> None:
        for _ in range(3):
            stores[number].update("key", appended(b"%d" % number), attempts=50)

    assert at_once([partial(write, number) for number in range(3)]) == [None] * 3
    assert sorted(body_of(stores[0], "key") or b"") == sorted(b"000111222")


@pytest.mark.usefixtures("metadata_is_kept")
def test_the_outcome_of_a_lost_response_is_resolved(
    faulty: FaultyBucket, faulty_documents: DocumentStore, other: DocumentStore
):
    faulty.drop_response("put")
    created = faulty_documents.put("key", b"x", if_absent=True)
    assert operations(faulty) == ["put", "head"]
    faulty.drop_response("put")
    updated = faulty_documents.update("key", appended(b"x"), seen=created)
    assert operations(faulty) == ["put", "head"] * 2
    assert body_of(other, "key") == b"xx"
    faulty_documents.update("key", appended(b"x"), seen=updated)
    assert operations(faulty) == ["put", "head"] * 2 + ["put"]
    assert body_of(other, "key") == b"xxx"


@pytest.mark.usefixtures("metadata_is_kept")
def test_a_lost_request_is_sent_again(
    faulty: FaultyBucket, faulty_documents: DocumentStore, other: DocumentStore
):
    faulty.drop_request("put")
    created = faulty_documents.put("key", b"x", if_absent=True)
    assert operations(faulty) == ["put", "head", "put"]
    faulty.drop_request("put")
    faulty_documents.update("key", appended(b"x"), seen=created)
    assert operations(faulty) == ["put", "head", "put"] * 2
    assert body_of(other, "key") == b"xx"


def test_an_unconditional_put_is_repeated_after_a_fault(
    faulty: FaultyBucket, faulty_documents: DocumentStore, other: DocumentStore
):
    for fault in (faulty.fail, faulty.drop_request, faulty.drop_response):
        fault("put")
        faulty_documents.put("key", fault.__name__.encode())
        assert body_of(other, "key") == fault.__name__.encode()
    assert operations(faulty) == ["put"] * 6


@pytest.mark.usefixtures("metadata_is_kept")
def test_a_lost_response_is_resolved_when_another_writer_has_built_on_the_write(
    faulty: FaultyBucket, faulty_documents: DocumentStore, other: DocumentStore
):
    seen = other.put("key", b"base")
    faulty.drop_response("put")
    faulty.run_before(lambda: other.update("key", appended(b" theirs")), "head")
    updated = faulty_documents.update("key", appended(b" mine"), seen=seen)
    assert updated is not None
    assert updated.body == b"base mine"
    assert body_of(other, "key") == b"base mine theirs"
    faulty_documents.update("key", appended(b" again"), seen=updated)
    assert operations(faulty) == ["put", "head", "put", "get", "put"]
    assert body_of(other, "key") == b"base mine theirs again"


@pytest.mark.usefixtures("metadata_is_kept")
def test_an_update_is_repeated_when_another_write_has_replaced_the_base_of_a_lost_request(
    faulty: FaultyBucket, faulty_documents: DocumentStore, other: DocumentStore
):
    seen = other.put("key", b"base")
    faulty.drop_request("put")
    faulty.run_before(lambda: other.update("key", appended(b" theirs")), "head")
    faulty_documents.update("key", appended(b" mine"), seen=seen)
    assert body_of(other, "key") == b"base theirs mine"


def test_an_update_with_an_unknown_outcome_is_not_repeated(
    faulty: FaultyBucket, faulty_documents: DocumentStore, other: DocumentStore
):
    calls = 0

    def change(found: Document | None) -> bytes:
        nonlocal calls
        calls += 1
        return (found.body if found else b"") + b"x"

    faulty.drop_response("put")
    faulty.run_before(lambda: other.put("key", b"replaced"), "head")
    with pytest.raises((ConflictError, StoreUnavailableError)) as caught:
        faulty_documents.update("key", change)
    assert (caught.value.outcome, calls) == ("unknown", 1)
    assert body_of(other, "key") in (b"replaced", b"x")  # a bucket without metadata needs no HEAD


def test_the_outcome_without_any_response_is_unknown(faulty: FaultyBucket, faulty_documents: DocumentStore):
    faulty.drop_request("put", times=None)
    with pytest.raises(StoreUnavailableError) as caught:
        faulty_documents.put("key", b"x", if_absent=True)
    assert caught.value.outcome == "unknown"
    faulty.clear_faults()
    assert faulty_documents.get("key") is None


def test_conditional_writes_that_are_off_make_every_write_unconditional(opener: Opener, other: DocumentStore):
    bucket = with_capabilities(opener.side, opener.bucket(), conditional_writes="off")
    documents = open_documents(opener, bucket)

    def change(found: Document | None) -> bytes:
        other.put("key", b"theirs")
        return b"mine"

    with pytest.warns(RuntimeWarning, match="unconditional"):
        documents.update("key", change)
    assert body_of(other, "key") == b"mine"


LISTED = ("B", "a", "a-b", "a.json", "a/1", "a/10", "a/2", "b/c/d", "b/e", "é", "😀")


@pytest.fixture
def full(documents: DocumentStore, opener: Opener) -> DocumentStore:
    """Documents, and objects beside their folder."""
    opener.fill([f"{NAME}/{key}" for key in expected(opener)])
    opener.fill([f"{NAME}x/key", "key", f"other/{NAME}/key"])
    return documents


def expected(opener: Opener, prefix: str = "", start_after: str = "") -> list[str]:
    """The keys of a listing. A folder and SeaweedFS, which sorts folders by their names, have no ``a`` beside ``a/1``."""
    on_seaweedfs = opener.location.kind == SEAWEEDFS
    keys = [key for key in LISTED if key != "a" or opener.location.kind == MEMORY]

    def place(key: str) -> list[bytes]:
        return key.encode().split(b"/") if on_seaweedfs else [key.encode()]

    found = [key for key in keys if key.startswith(prefix) and place(key) > place(start_after)]
    return sorted(found, key=place)


def test_list_returns_every_document_in_the_order_of_the_keys(full: DocumentStore, opener: Opener):
    assert keys_in(full) == expected(opener)
    for info in full.list():
        assert info.size == 2
        assert info.updated_at is not None
        assert (info.version is None) == (opener.location.kind == FILE)


@pytest.mark.parametrize("prefix", ["a", "a/", "a/1", "b/c", "b/c/d", "é", "c", "a/1/"])
def test_list_returns_the_keys_that_start_with_the_prefix(full: DocumentStore, opener: Opener, prefix: str):
    assert keys_in(full, prefix) == expected(opener, prefix)


def test_list_starts_after_a_key_that_may_be_missing(full: DocumentStore, opener: Opener):
    for start in (*expected(opener), "a/11", "c", "z"):
        assert keys_in(full, start_after=start) == expected(opener, "", start), start
    assert keys_in(full, "a/", start_after="a/1") == ["a/10", "a/2"]


def test_list_returns_at_most_the_limit(full: DocumentStore, opener: Opener):
    for limit in range(1, len(LISTED) + 2):
        assert keys_in(full, limit=limit) == expected(opener)[:limit], limit
    assert keys_in(full, "a/", start_after="a/1", limit=1) == ["a/10"]


def test_pages_with_a_limit_return_every_document_once(full: DocumentStore, opener: Opener):
    found: list[str] = []
    while page := keys_in(full, start_after=found[-1] if found else "", limit=3):
        found += page
    assert found == expected(opener)


def test_more_documents_than_a_page_of_the_server_are_listed_and_deleted(
    documents: DocumentStore, opener: Opener
):
    keys = [f"key {number:04}" for number in range(1101)]
    opener.fill([f"{NAME}/{key}" for key in keys])
    assert keys_in(documents) == keys
    assert keys_in(documents, limit=1050) == keys[:1050]
    documents.delete_prefix("key")
    assert keys_in(documents) == []


def test_list_folders_returns_the_folders_directly_under_the_prefix(full: DocumentStore):
    assert list(full.list_folders()) == ["a", "b"]
    assert list(full.list_folders("b/")) == ["c"]
    assert list(full.list_folders("b/c/")) == []
    assert list(full.list_folders("missing/")) == []


def test_an_empty_folder_lists_nothing(documents: DocumentStore):
    assert keys_in(documents) == []
    assert list(documents.list_folders()) == []


def test_copy_replaces_any_version_of_the_target(documents: DocumentStore, opener: Opener):
    documents.put("source", b"body")
    documents.put("target", b"old")
    documents.copy("source", "target")
    documents.copy("source", "new/target")
    assert body_of(documents, "target") == body_of(documents, "new/target") == b"body"
    assert body_of(documents, "source") == b"body"


def test_a_copy_of_a_missing_document_is_refused(documents: DocumentStore):
    documents.put("target", b"old")
    with pytest.raises(InvalidArgumentError, match=r"'missing' does not exist.*nothing was copied"):
        documents.copy("missing", "target")
    assert body_of(documents, "target") == b"old"


def test_delete_removes_the_named_documents_and_no_others(documents: DocumentStore):
    for key in ("a", "aa", "b/a", "b/b", "c"):
        documents.put(key, b"x")
    documents.delete("a")
    documents.delete(["b/a", "missing", "c"])
    documents.delete(iter(["b/a"]))
    documents.delete([])
    assert keys_in(documents) == ["aa", "b/b"]


def test_delete_prefix_removes_the_documents_under_the_prefix_and_no_others(
    documents: DocumentStore, opener: Opener
):
    opener.fill([f"{NAME}x/a/key", "a/key"])
    for key in ("a/1", "a/b/2", "a-b", "b"):
        documents.put(key, b"x")
    documents.delete_prefix("a/")
    assert keys_in(documents) == ["a-b", "b"]
    documents.delete_prefix("missing/")
    documents.delete_prefix("")
    assert opener.names() == ["a/key", f"{NAME}x/a/key"]


BAD_KEYS: list[Any] = [
    "",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "a/../b",
    "./a",
    "a\0b",
    "\ud800",
    "x" * 1025,
    None,
    7,
    b"a",
]


@without_server
@pytest.mark.parametrize("key", BAD_KEYS, ids=repr)
def test_a_bad_key_is_refused_by_every_method(documents: DocumentStore, opener: Opener, key: Any):
    documents.put("good", b"x")
    calls: list[Callable[[], Any]] = [
        lambda: documents.get(key),
        lambda: documents.get_many(["good", key]),
        lambda: documents.put(key, b"x"),
        lambda: documents.put(key, b"x", if_absent=True),
        lambda: documents.update(key, appended(b"x")),
        lambda: documents.update(key, appended(b"x"), seen=None),
        lambda: documents.copy("good", key),
        lambda: documents.copy(key, "target"),
        lambda: documents.delete(["good", key]),
    ]
    if key:  # without a start, a listing begins at the first key
        calls.append(lambda: list(documents.list(start_after=key)))
    for call in calls:
        with pytest.raises(InvalidArgumentError, match="document key"):
            call()
    assert opener.names() == [f"{NAME}/good"]


BODIES: list[Any] = ["text", bytearray(b"x"), memoryview(b"x"), None, 7, [b"x"]]


@without_server
@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_a_body_that_is_no_bytes_is_refused(documents: DocumentStore, opener: Opener, body: Any):
    calls: list[Callable[[], Any]] = [
        lambda: documents.put("key", body),
        lambda: documents.put("key", body, if_absent=True),
    ]
    if body is not None:  # an update that returns None writes nothing
        calls.append(lambda: documents.update("key", lambda _: body))
    for call in calls:
        with pytest.raises(InvalidArgumentError, match=f"{type(body).__name__} and must be bytes"):
            call()
    assert opener.names() == []


@in_memory
@pytest.mark.parametrize("name", sorted(RESERVED_FOLDERS))
def test_a_folder_of_the_library_is_refused(opener: Opener, name: str):
    with pytest.raises(InvalidArgumentError, match="belongs to sessionbucket"):
        opener.side.make("DocumentStore", opener.bucket(), name)
    with pytest.raises(InvalidArgumentError, match="belongs to sessionbucket"):
        opener.store().documents(name)


@in_memory
@pytest.mark.parametrize(
    "name", ["", ".hidden", "..", "a/b", "a b", "é", "x.json", "x" * 101, None], ids=repr
)
def test_a_bad_folder_name_is_refused(opener: Opener, name: Any):
    with pytest.raises(InvalidArgumentError, match="document folder"):
        opener.side.make("DocumentStore", opener.bucket(), name)


@in_memory
def test_a_bad_prefix_is_refused(opener: Opener):
    for prefix in ("a//b", "../a"):
        with pytest.raises(InvalidArgumentError, match="prefix"):
            opener.side.make("DocumentStore", opener.bucket(), NAME, prefix=prefix)


def test_the_documents_of_a_store_are_those_of_its_bucket_and_prefix(opener: Opener):
    store = opener.store("team")
    documents = store.documents(NAME)
    documents.put("key", b"x")
    assert opener.names() == [f"team/{NAME}/key"]
    same = opener.side.make("DocumentStore", opener.bucket(), NAME, prefix=opener.location.key("team"))
    assert body_of(same, "key") == b"x"
    assert documents.location == same.location
    assert documents.location == f"{store.bucket.location}/{opener.location.key('team')}/{NAME}"


def test_documents_are_opened_by_the_url_of_their_store(opener: Opener, documents: DocumentStore):
    with opener.side.make("open_documents", opener.location.url(), NAME) as opened:
        opened.put("key", b"x")
        assert keys_in(opened) == ["key"]
        if opener.location.kind != MEMORY:
            assert body_of(documents, "key") == b"x"
            assert opened.location == documents.location
    with pytest.raises(InvalidArgumentError, match="belongs to sessionbucket"):
        opener.side.make("open_documents", opener.location.url(), "traces")


def test_documents_and_sessions_of_one_store_are_separate(opener: Opener):
    store = opener.store()
    documents = store.documents(NAME)
    store.save(session_of("s"))
    documents.put("s.json", b"no session")
    documents.put(".sessionbucket/x", b"no bookkeeping")
    assert store.list() == ["s"]
    assert list(store.check()) == []
    with pytest.raises(FileNotInStoreError):
        store.open_file("s", "s.json")
    store.delete("s")
    assert keys_in(documents) == [".sessionbucket/x", "s.json"]


def test_a_document_store_may_be_used_again_after_its_with_block(documents: DocumentStore):
    with documents as same:
        assert same is documents
        documents.put("key", b"x")
    documents.close()
    assert body_of(documents, "key") == b"x"


def test_nothing_but_a_write_relies_on_a_remembered_document(documents: DocumentStore, other: DocumentStore):
    seen = documents.put("key", b"old")
    other.put("key", b"new")
    unchanged = documents.update("key", lambda _: None, seen=seen)
    assert unchanged is not None
    assert unchanged.body == b"new"
    unchanged = documents.update("key", lambda _: None, seen=None)
    assert unchanged is not None
    assert unchanged.body == b"new"

    def change(found: Document | None) -> bytes:
        if found is None or found.body == b"old":
            raise LookupError
        return found.body + b"er"

    changed = documents.update("key", change, seen=seen)
    assert changed is not None
    assert changed.body == b"newer"
    assert body_of(documents, "key") == b"newer"


def test_the_first_bytes_of_a_document_come_alone(documents: DocumentStore, opener: Opener):
    documents.put("key", b"0123456789")
    found = documents.get("key", first=4)
    assert found is not None
    assert (found.body, found.size) == (b"0123", 10)
    small = open_documents(opener, max_bytes=5).get_many(["key", "missing"], first=5)
    assert [document and document.body for document in small] == [b"01234", None]
    with pytest.raises(InvalidArgumentError, match="first 0 is refused"):
        documents.get("key", first=0)
    with pytest.raises(
        InvalidArgumentError, match="first 4 bytes of document 'key', and an update needs all 10"
    ):
        documents.update("key", appended(b"x"), seen=found)
    assert body_of(documents, "key") == b"0123456789"


def test_a_listing_may_leave_out_deeper_folders(documents: DocumentStore):
    for key in ("a/b/1", "a/1", "a/2", "b"):
        documents.put(key, b"x")
    assert keys_in(documents, recursive=False) == ["b"]
    assert keys_in(documents, "a/", recursive=False) == ["a/1", "a/2"]
    assert keys_in(documents, "a/", recursive=False, limit=1) == ["a/1"]


@pytest.mark.parametrize("name", sorted(INTEGRATION_FOLDERS))
def test_the_folder_of_an_integration_opens_on_request_alone(opener: Opener, name: str):
    with pytest.raises(InvalidArgumentError, match="belongs to sessionbucket"):
        opener.side.make("DocumentStore", opener.bucket(), name)
    store = opener.store()
    for documents in (
        opener.side.make(
            "DocumentStore", opener.bucket(), name, prefix=opener.location.key(""), integration=True
        ),
        store.documents(name, integration=True),
    ):
        documents.put("key", b"x")
        assert opener.read(f"{name}/key") == b"x"


@in_memory
@pytest.mark.parametrize("name", ["notes", "artifacts", "v1", "runs"])
def test_only_the_folder_of_an_integration_opens_as_one(opener: Opener, name: str):
    with pytest.raises(InvalidArgumentError, match="belongs to no integration of sessionbucket"):
        opener.side.make("DocumentStore", opener.bucket(), name, integration=True)
    with pytest.raises(InvalidArgumentError, match="belongs to no integration"):
        opener.side.make("open_documents", "memory://", name, integration=True)
