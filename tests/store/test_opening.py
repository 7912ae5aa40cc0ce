"""Opening a store: by a URL or a path, with options in the URL or as arguments."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from both_sides import SyncSide, unwrapped
from conformance.locations import FILE, Location
from conformance.samples import session_of
from sessionbucket import (
    Bucket,
    Document,
    InvalidArgumentError,
    MemoryBucket,
    NotSupportedError,
    SessionStore,
    StoredObject,
)


@pytest.fixture
def open_store(side: SyncSide) -> Callable[..., Any]:
    def make(*args: Any, **options: Any) -> Any:
        return side.make("open_store", *args, **options)

    return make


def test_a_path_object_is_a_folder(open_store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with open_store(tmp_path / "a b%20#?") as store:
        store.save(session_of("s"))
        assert store.location == (tmp_path / "a b%20#?").resolve().as_uri()
    with open_store(Path("a b%20#?")) as store:
        assert store.list() == ["s"]


def test_options_are_parameters_or_arguments(open_store, tmp_path: Path):
    missing = tmp_path / "missing"
    for store in (open_store(missing.as_uri() + "?create=false"), open_store(missing, create=False)):
        assert not missing.exists()
        store.close()
    with pytest.raises(InvalidArgumentError, match="'create' is given in the store URL and as an argument"):
        open_store(missing.as_uri() + "?create=false", create=False)
    with pytest.raises(InvalidArgumentError, match="did you mean 'fsync'"):
        open_store(missing, fsyn=True)
    with open_store("s3://b/p", endpoint_url="http://127.0.0.1:9", region="eu-north-1") as store:
        assert "127.0.0.1:9" in store.location or "localhost:9" in store.location


@pytest.mark.parametrize(
    "name", ["access_key_id", "aws_secret_access_key", "AWS_ACCESS_KEY_ID", "session_token", "account_key"]
)
def test_credentials_in_a_url_or_an_option_are_refused_and_never_repeated(open_store, name: str):
    for url, options in ((f"s3://bucket?{name}=hunter2", {}), ("s3://bucket", {name: "hunter2"})):
        with pytest.raises(InvalidArgumentError, match="credentials never go into a store URL") as caught:
            open_store(url, **options)
        assert name in str(caught.value)
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("kind", [int, str | None, "Any", int | str])
def test_a_model_whose_id_is_no_text_is_refused(open_store, kind: Any):
    annotation = Any if kind == "Any" else kind
    model = type("Own", (BaseModel,), {"__annotations__": {"id": annotation}, "__module__": __name__})
    with pytest.raises(InvalidArgumentError, match="an `id: str`"):
        open_store("memory://", model=model)


class NamelessBucket(Bucket):
    """A bucket of a user's, with no more than the port requires."""

    location = "nameless://"

    def __init__(self) -> None:
        self._inner = MemoryBucket()
        for method in Bucket.__abstractmethods__ - {"location"}:
            setattr(self, method, getattr(self._inner, method))

    get = head = put = delete = list_page = put_stream = get_stream = None  # type: ignore[assignment]


def test_a_bucket_without_a_name_is_a_store_of_an_unknown_backend():
    store = SessionStore(NamelessBucket())
    assert store.backend_name == "unknown"
    store.save(session_of("s"))
    assert store.exists("s")
    with pytest.raises(NotSupportedError, match="the unknown bucket has no presigned URLs"):
        store.presign_file("s", "x", timedelta(hours=1))


@pytest.mark.parametrize("argument", [5, b"s3://bucket", ["s3://bucket"], object()])
def test_a_url_of_another_type_is_refused(open_store, argument: Any):
    with pytest.raises(InvalidArgumentError, match="must be a string or a path"):
        open_store(argument)


def test_a_session_without_a_bucket_is_refused(open_store, tmp_path: Path):
    with pytest.raises(InvalidArgumentError, match="a session is refused"):
        open_store(tmp_path, session=object())
    with pytest.raises(InvalidArgumentError, match="session is refused"):
        open_store("s3://bucket", session=5)


def test_a_store_shows_its_place_and_an_object_never_its_body(side: SyncSide, open_store, tmp_path: Path):
    store = open_store(tmp_path)
    store.save(session_of("s", "secret text"))
    store.put_file("s", "log.txt", b"secret text")
    document = store.documents("mine").put("k", b"secret text")
    documents = store.documents("mine")
    for shown in (store, documents, store.raw, store.bucket):
        assert store.bucket.location in repr(unwrapped(shown))
    with store.open_file("s", "log.txt") as reader:
        assert "'log.txt' 11 bytes" in repr(unwrapped(reader))
    found = store.raw.get("s")
    assert isinstance(found, StoredObject)
    assert isinstance(document, Document)
    for shown in (found, document):
        assert "secret" not in repr(shown)
        assert "key=" in repr(shown)
    assert "secret" not in repr(unwrapped(store))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs permissions that hold")
def test_exists_in_a_folder_needs_no_permission_to_read(open_store, tmp_path: Path):
    store = open_store(tmp_path)
    store.save(session_of("s"))
    (tmp_path / "s.json").chmod(0)
    assert store.exists("s")


def test_exists_in_a_folder_reads_no_body(side: SyncSide, location_of: Callable[[str], Location]):
    """The session has a size that no process can read into memory."""
    location = location_of(FILE)
    store = side.store(side.file_bucket(location.root))
    store.save(session_of("s"))
    with (location.root / "s.json").open("wb") as file:
        file.truncate(1 << 40)
    assert store.exists("s")
    assert not store.exists("other")


@pytest.mark.parametrize(
    ("url", "prefix"),
    [
        ("memory://named", ""),
        ("memory://named/", ""),
        ("memory://named/a/b/", "a/b"),
        ("s3://bucket/prod", "prod"),
    ],
)
def test_a_store_has_the_prefix_of_its_url(open_store, url: str, prefix: str):
    assert open_store(url).prefix == prefix
