"""Properties of the file bucket alone."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.locations import Location, environment
from conformance.samples import artifacts_of, event_of, say, session_of, texts_of
from sessionbucket import (
    AccessDeniedError,
    Always,
    BucketNotFoundError,
    DeleteIncompleteError,
    FileBucket,
    InvalidArgumentError,
    PreconditionFailedError,
    SessionConflictError,
    SessionStore,
    StoreUnavailableError,
    open_store,
)
from sessionbucket._core.objects import IfAbsent

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX modes and symlinks")


@pytest.fixture
def store(folder: Location) -> Iterator[SessionStore[Any]]:
    with open_store(folder.url()) as store:
        yield store


def files_under(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if not path.is_dir()]


@posix
def test_folders_are_0700_and_files_0600_whatever_the_umask(folder: Location):
    before = os.umask(0)
    try:
        with open_store(folder.url()) as store:
            store.save(session_of("s"))
            store.save_artifacts("s", artifacts_of("x"))
            store.put_file("s", "large", [b"x"] * 3)
            store.append_trace_events("s", [event_of("x")])
    finally:
        os.umask(before)
    for path in [folder.root, *folder.root.rglob("*")]:
        mode = stat.S_IMODE(path.lstat().st_mode)
        assert oct(mode) == oct(0o700 if path.is_dir() else 0o600), path


def test_no_temporary_file_remains_after_a_failure(folder: Location, store: SessionStore[Any]):
    store.save(session_of("s", "first"))
    bucket = store.bucket
    with pytest.raises(PreconditionFailedError):
        bucket.put("s.json", b"x", condition=IfAbsent())
    (folder.root / "taken.json").mkdir()
    with pytest.raises(StoreUnavailableError, match="a file is in the place of a folder"):
        bucket.put("taken.json", b"x", condition=Always())

    def failing() -> Iterator[bytes]:
        yield b"x"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        bucket.put_stream("artifacts/s/files/x", failing())
    assert folder.names() == ["s.json"]


def test_temporary_files_of_a_crash_are_never_listed(folder: Location, store: SessionStore[Any]):
    store.save(session_of("s"))
    store.put_file("s", "large", b"x")
    temporary = folder.root / ".sessionbucket/tmp"
    assert temporary.is_dir()
    (temporary / f"{'0123456789abcdef' * 2}.tmp").write_bytes(b"half")
    assert store.list() == ["s"]
    assert [info.name for info in store.list_files("s")] == ["large"]
    page = store.bucket.list_page("")
    assert [info.key for info in page.objects] == ["artifacts/s/files/large", "s.json"]
    assert page.folders == []
    assert store.bucket.list_page("", delimiter="/").folders == ["artifacts/"]


@pytest.mark.parametrize(
    "name", ["build.tmp", ".0123456789abcdef.tmp", f"{'ab' * 16}.tmp", "s.json.1700000000.7.tmp"]
)
def test_a_file_with_the_name_of_a_temporary_file_survives_a_repair(
    folder: Location, store: SessionStore[Any], name: str
):
    store.save(session_of("s"))
    store.put_file("s", name, b"mine")
    store.documents("notes").put(name, b"mine")
    for path in folder.root.rglob("*"):
        os.utime(path, (0, 0))
    assert store.repair(list(store.check())) == []
    assert [info.name for info in store.list_files("s")] == [name]
    assert store.open_file("s", name).read() == b"mine"
    assert [info.key for info in store.documents("notes").list()] == [name]


@posix
def test_no_symlink_is_followed_out_of_the_root(folder: Location, store: SessionStore[Any], tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "s.json").write_bytes(b"secret")
    (folder.root / "link.json").symlink_to(outside / "s.json")
    (folder.root / "artifacts").symlink_to(outside, target_is_directory=True)
    (folder.root / "dangling.json").symlink_to(outside / "new.json")
    assert store.list() == []
    rejected: list[Callable[[], object]] = [
        lambda: store.load("link"),
        lambda: store.load("dangling"),
        lambda: store.save_artifacts("s", artifacts_of("x")),
        lambda: store.load_artifacts("s"),
        lambda: store.put_file("s", "x", b"x"),
        lambda: store.open_file("s", "x"),
        lambda: store.list_files("s"),
        lambda: store.save(session_of("link", "mine"), overwrite=True),
    ]
    for call in rejected:
        with pytest.raises(AccessDeniedError):
            call()
    store.bucket.put("link.json", b"mine")
    assert not (folder.root / "link.json").is_symlink()
    store.bucket.delete(["dangling.json"])
    assert [path.name for path in outside.iterdir()] == ["s.json"]
    assert (outside / "s.json").read_bytes() == b"secret"


@posix
def test_no_lock_is_created_outside_the_root(folder: Location, tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    folder.root.mkdir()
    (folder.root / ".sessionbucket").symlink_to(outside, target_is_directory=True)
    with open_store(folder.url()) as store, pytest.raises(AccessDeniedError):
        store.save(session_of("s"))
    assert list(outside.iterdir()) == []


def test_the_root_itself_may_be_a_symlink(folder: Location, tmp_path: Path):
    folder.root.mkdir()
    symlink = tmp_path / "symlink"
    symlink.symlink_to(folder.root, target_is_directory=True)
    with open_store(symlink.as_uri()) as one, open_store(folder.url()) as other:
        assert one.location == other.location
        session = session_of("s")
        one.save(session)
        other.save(session)


@pytest.mark.parametrize("key", ["../x", "a/../../x", "/etc/x", "a//b", "", "a/", ".", "a\0b"])
def test_a_key_outside_the_root_is_rejected(store: SessionStore[Any], folder: Location, key: str):
    for call in (
        lambda: store.bucket.put(key, b"x"),
        lambda: store.bucket.get(key, max_bytes=1),
        lambda: store.bucket.put_stream(key, iter([b"x"])),
    ):
        with pytest.raises(InvalidArgumentError):
            call()
    assert folder.names() == []


@pytest.mark.parametrize("fsync", ["true", "false"])
def test_a_store_works_with_fsync_and_without(folder: Location, fsync: str):
    with open_store(folder.url(fsync=fsync)) as store:
        session = session_of("s")
        store.save(session)
        say(session, "more")
        store.save(session)
        assert store.load("s") == session
        store.delete("s")
        assert store.list() == []


def test_the_version_of_a_body_is_its_etag_in_s3(folder: Location, moto: Location):
    for body in (b"", b"x", "é😀".encode() * 1000):
        etag = moto.raw.put_object(Bucket=moto.bucket, Key="k", Body=body)["ETag"]
        bucket = FileBucket(folder.root)
        assert bucket.put("k", body) == etag
        head = bucket.head("k")
        assert head is not None
        assert head.version == etag


def test_a_change_by_another_program_is_a_conflict(folder: Location, store: SessionStore[Any]):
    store.save(session_of("s", "base"))
    session = store.load("s")
    assert session is not None
    body = folder.read("s.json")
    folder.write("s.json", body.replace(b"base", b"BASE"))
    say(session, "more")
    with pytest.raises(SessionConflictError):
        store.save(session)
    assert texts_of(store.load("s")) == ["BASE"]


def test_deletes_leave_no_empty_folders(folder: Location, store: SessionStore[Any]):
    for id in ("s", "t"):
        store.save(session_of(id))
        store.put_file(id, "x", b"x")
        store.save_trace_events(id, [event_of("x")])
    store.delete("s")
    assert (folder.root / "artifacts" / "t" / "files").is_dir()
    assert not (folder.root / "artifacts" / "s").exists()
    store.delete("t")
    assert [path.name for path in folder.root.iterdir()] == [".sessionbucket"]


def test_a_missing_root_is_created_unless_create_is_off(folder: Location):
    with open_store(folder.url(create="false")) as store:
        assert not folder.root.exists()
        for call in (
            store.list,
            store.health_check,
            lambda: store.load("s"),
            lambda: store.exists("s"),
            lambda: store.save(session_of("s")),
            lambda: store.delete("s"),
        ):
            with pytest.raises((BucketNotFoundError, DeleteIncompleteError)):
                call()
        assert not folder.root.exists()
    with open_store(folder.url()) as store:
        assert folder.root.is_dir()
        store.health_check()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_save_to_a_read_only_folder_is_an_access_error(folder: Location, store: SessionStore[Any]):
    store.save(session_of("s"))
    folder.root.chmod(0o500)
    try:
        with pytest.raises(AccessDeniedError):
            store.save(session_of("t"))
    finally:
        folder.root.chmod(0o700)


def test_a_root_that_is_a_file_is_an_error(folder: Location):
    folder.root.write_bytes(b"x")
    with pytest.raises(StoreUnavailableError, match="a file is in the place of a folder"):
        FileBucket(folder.root)


@posix
def test_only_regular_files_are_objects(folder: Location, store: SessionStore[Any]):
    """A named pipe would block its reader forever."""
    os.mkfifo(folder.root / "s.json")
    assert store.list() == []
    assert store.load("s") is None


def test_file_names_that_are_not_utf8_are_no_keys(folder: Location, store: SessionStore[Any]):
    store.save(session_of("s"))
    try:
        Path(os.fsdecode(os.fsencode(folder.root) + b"/\xff.json")).write_bytes(b"{}")
    except OSError:
        pytest.skip("this file system accepts UTF-8 names only")
    assert store.list() == ["s"]


def test_a_reader_takes_no_lock(folder: Location):
    """So a store on a read-only mount can be read."""
    with open_store(folder.url()) as store:
        store.save(session_of("s", "text"))
    for path in (folder.root / ".sessionbucket").rglob("*.lock"):
        path.unlink()
    program = (
        "import sys, os; from sessionbucket import open_store\n"
        "with open_store(sys.argv[1]) as store:\n"
        "    print(store.list(), store.load('s').messages[0].text, store.exists('s'))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, folder.url()],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == "['s'] text True"
    assert not list((folder.root / ".sessionbucket").rglob("*.lock"))
