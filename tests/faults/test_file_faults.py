"""A folder on a bad day: full, read-only, in the way, or with a link planted in it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from faults import acting
from faults.sides import at_once, errors_in
from sessionbucket import (
    AccessDeniedError,
    BucketNotFoundError,
    SessionBucketError,
    SessionConflictError,
    SessionData,
    StoreUnavailableError,
)

NOBODY = 65534
AS_ROOT = hasattr(os, "getuid") and os.getuid() == 0

Opener = Callable[[Path], Any]


@pytest.fixture
def open_store(side: Any) -> Opener:
    return lambda root: side.store(side.file_bucket(root, fsync=False))


def act(side: Any, what: str, *words: str, before: tuple[str, ...] = ()) -> str:
    """Run one of the acts of ``acting`` in a process of its own, and give what it printed."""
    done = subprocess.run(
        [*before, sys.executable, acting.__file__, side.name, what, *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class TestAFullDisk:
    """The error says so, what was there stays, nothing half-written is left, and room makes it work again."""

    def test_no_space(self, side: Any, tmp_path: Path) -> None:
        in_namespace = ("unshare", "--mount", "--map-root-user", "sh", "-c")
        mounted = f'mount -t tmpfs -o size=1m none "{tmp_path}" && exec "$@"'
        words = (*in_namespace, mounted, "sh")
        try:
            possible = subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0
        except FileNotFoundError:
            possible = False
        if not possible:
            pytest.skip("a small file system can't be mounted here")
        said = act(side, "fill", str(tmp_path), before=words)
        assert "StoreUnavailableError" in said
        assert "free some space" in said
        assert "not written" in said
        assert said.endswith("before, and after\n")

    def test_no_larger_files(self, side: Any, tmp_path: Path) -> None:
        said = act(side, "limit", str(tmp_path))
        assert "StoreUnavailableError" in said
        assert said.endswith("before, and after\n")
        assert not list(tmp_path.rglob("*.tmp"))


class TestNoPermission:
    """A folder that may not be written is an ``AccessDeniedError`` that names the folder."""

    @pytest.mark.parametrize("what", ["save", "delete", "put_file"])
    def test_a_read_only_folder_refuses_and_keeps_what_is_there(
        self, side: Any, open_store: Opener, what: str
    ) -> None:
        with TemporaryDirectory(prefix="sessionbucket-") as folder:
            root = Path(folder) / "store"
            open_store(root).save(SessionData(id="s", tool_names=["before"]))
            self._protect(root, 0o500, 0o400)
            Path(folder).chmod(0o755)
            said = act(side, what, str(root), str(NOBODY) if AS_ROOT else "")
            self._protect(root, 0o700, 0o600)
            assert said.startswith("AccessDeniedError" if what != "delete" else "DeleteIncompleteError")
            assert "check the folder's owner and permissions" in said
            assert root.as_uri() in said
            assert open_store(root).load("s").tool_names == ["before"]

    def test_a_session_that_may_not_be_read_is_not_a_missing_one(self, side: Any, open_store: Opener) -> None:
        with TemporaryDirectory(prefix="sessionbucket-") as folder:
            root = Path(folder) / "store"
            open_store(root).save(SessionData(id="s"))
            self._protect(root, 0o700, 0)
            Path(folder).chmod(0o755)
            said = act(side, "load", str(root), str(NOBODY) if AS_ROOT else "")
            assert said.startswith("AccessDeniedError")

    @staticmethod
    def _protect(root: Path, folders: int, files: int) -> None:
        for path in (root, *root.rglob("*")):
            if AS_ROOT:
                os.chown(path, NOBODY, NOBODY)
            path.chmod(folders if path.is_dir() else files)


class TestSomethingInTheWay:
    def test_a_file_where_a_folder_should_be_is_named(self, open_store: Opener, tmp_path: Path) -> None:
        store = open_store(tmp_path)
        (tmp_path / "artifacts").write_text("in the way")
        with pytest.raises(StoreUnavailableError, match="a file lies where a folder should be") as caught:
            store.put_file("s", "a.bin", b"x")
        assert tmp_path.as_uri() in str(caught.value)
        assert caught.value.key == "artifacts/s/files/a.bin"
        assert (tmp_path / "artifacts").read_text() == "in the way"

    def test_a_folder_where_a_session_should_be_is_named(self, open_store: Opener, tmp_path: Path) -> None:
        store = open_store(tmp_path)
        (tmp_path / "s.json").mkdir()
        with pytest.raises(StoreUnavailableError, match="move it away"):
            store.save(SessionData(id="s"))
        assert store.load("s") is None
        assert not list(tmp_path.rglob("*.tmp"))

    def test_a_root_that_is_a_file_is_refused(self, open_store: Opener, tmp_path: Path) -> None:
        (tmp_path / "store").write_text("in the way")
        with pytest.raises(SessionBucketError) as caught:
            open_store(tmp_path / "store").save(SessionData(id="s"))
        assert (tmp_path / "store").as_uri() in str(caught.value)

    @pytest.mark.parametrize("call", ["save", "load", "list", "exists", "delete"])
    def test_a_root_that_has_gone_is_an_error_and_not_an_empty_store(
        self, open_store: Opener, tmp_path: Path, call: str
    ) -> None:
        store = open_store(tmp_path / "store")
        (tmp_path / "store").rmdir()
        calls = {
            "save": lambda: store.save(SessionData(id="s")),
            "load": lambda: store.load("s"),
            "list": store.list,
            "exists": lambda: store.exists("s"),
            "delete": lambda: store.delete("s"),
        }
        with pytest.raises(SessionBucketError, match="does not exist") as caught:
            calls[call]()
        assert call == "delete" or isinstance(caught.value, BucketNotFoundError)
        assert not (tmp_path / "store").exists()


class TestAPlantedLink:
    """No link below the root leads out of it, neither for reading nor for writing."""

    @pytest.fixture
    def outside(self, tmp_path: Path) -> Path:
        folder = tmp_path / "outside"
        folder.mkdir()
        (folder / "s.json").write_text(SessionData(id="s").model_dump_json())
        (folder / "a.bin").write_text("secret")
        return folder

    def test_a_session_that_is_a_link_is_not_read_and_not_written_through(
        self, open_store: Opener, tmp_path: Path, outside: Path
    ) -> None:
        store = open_store(tmp_path / "store")
        before = (outside / "s.json").read_bytes()
        (tmp_path / "store" / "s.json").symlink_to(outside / "s.json")
        for call in (lambda: store.load("s"), lambda: store.exists("s")):
            with pytest.raises(AccessDeniedError, match="no link lies in it"):
                call()
        with pytest.raises(AccessDeniedError):
            store.save(SessionData(id="s", tool_names=["ours"]))
        store.save(SessionData(id="s", tool_names=["ours"]), overwrite=True)  # replaces the link itself
        assert (outside / "s.json").read_bytes() == before
        assert store.load("s").tool_names == ["ours"]

    @pytest.mark.parametrize("link", ["artifacts", "artifacts/s", "artifacts/s/files"])
    def test_a_folder_that_is_a_link_is_not_entered(
        self, open_store: Opener, tmp_path: Path, outside: Path, link: str
    ) -> None:
        root = tmp_path / "store"
        store = open_store(root)
        (root / link).parent.mkdir(parents=True, exist_ok=True)
        (root / link).symlink_to(outside)
        with pytest.raises(AccessDeniedError):
            store.put_file("s", "a.bin", b"ours")
        with pytest.raises(AccessDeniedError):
            store.open_file("s", "a.bin")
        with suppress(AccessDeniedError):
            assert store.list_files("s") == []
        with suppress(AccessDeniedError):
            store.delete("s")
        assert sorted(path.name for path in outside.iterdir()) == ["a.bin", "s.json"]
        assert (outside / "a.bin").read_text() == "secret"

    @pytest.mark.parametrize("link", [".sessionbucket", ".sessionbucket/locks"])
    def test_locks_are_not_made_outside(
        self, open_store: Opener, tmp_path: Path, outside: Path, link: str
    ) -> None:
        root = tmp_path / "store"
        store = open_store(root)
        (root / link).parent.mkdir(parents=True, exist_ok=True)
        (root / link).symlink_to(outside)
        before = sorted(outside.rglob("*"))
        with pytest.raises(AccessDeniedError):
            store.save(SessionData(id="s"))
        assert sorted(outside.rglob("*")) == before


class TestTwoStoresOnOneFolder:
    def test_a_stale_save_of_the_other_store_is_a_conflict(self, open_store: Opener, tmp_path: Path) -> None:
        first, second = open_store(tmp_path / "store"), open_store(tmp_path / "store")
        first.save(SessionData(id="s"))
        ours, theirs = first.load("s"), second.load("s")
        theirs.tool_names.append("theirs")
        second.save(theirs)
        ours.tool_names.append("ours")
        with pytest.raises(SessionConflictError):
            first.save(ours)
        assert first.load("s").tool_names == ["theirs"]

    def test_a_root_under_another_name_is_the_same_store(self, open_store: Opener, tmp_path: Path) -> None:
        first = open_store(tmp_path / "store")
        (tmp_path / "name").symlink_to(tmp_path / "store")
        second = open_store(tmp_path / "name")
        assert first.location == second.location
        session = SessionData(id="s")
        first.save(session)
        session.tool_names.append("second")
        second.save(session)  # it came from the same place
        assert first.load("s").tool_names == ["second"]

    def test_of_many_who_create_one_session_one_wins(self, open_store: Opener, tmp_path: Path) -> None:
        for number in range(20):
            stores = [open_store(tmp_path / "store") for _ in range(4)]
            calls = [
                lambda store=store, name=name: store.save(
                    SessionData(id=f"s{number}", tool_names=[str(name)])  # noqa: B023 (called at once)
                )
                for name, store in enumerate(stores)
            ]
            results = at_once(calls)
            assert len(errors_in(results)) == 3
            winner = next(name for name, result in enumerate(results) if result is None)
            assert stores[0].load(f"s{number}").tool_names == [str(winner)]

    def test_of_many_processes_that_replace_one_version_one_wins(self, side: Any, tmp_path: Path) -> None:
        said = act(side, "race", str(tmp_path / "store"), "4", "25")
        assert said.split() == ["1"] * 25


def test_folders_and_files_are_their_owners_alone(open_store: Opener, tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        store = open_store(tmp_path / "store")
        store.save(SessionData(id="s"))
        store.put_file("s", "a.bin", b"x")
    finally:
        os.umask(old)
    for path in (tmp_path / "store", *(tmp_path / "store").rglob("*")):
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path
