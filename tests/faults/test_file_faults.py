"""Faults of a folder: a full disk, missing permissions, obstructing files, and planted symbolic links."""

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

from both_sides import at_once, errors_in, first_on_sync
from faults import folder_actions
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


def act(side: Any, action: str, *arguments: str, before: tuple[str, ...] = ()) -> str:
    """Run one of the ``folder_actions`` in another process, and return its output."""
    done = subprocess.run(
        [*before, sys.executable, folder_actions.__file__, side.name, action, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class TestAFullDisk:
    """The error names the cause, nothing changes, no partial file remains, and the store works again once there is space."""

    def test_a_write_without_free_space_fails_and_changes_nothing(self, side: Any, tmp_path: Path) -> None:
        in_namespace = ("unshare", "--mount", "--map-root-user", "sh", "-c")
        mounted = f'mount -t tmpfs -o size=1m none "{tmp_path}" && exec "$@"'
        mounting = (*in_namespace, mounted, "sh")
        try:
            possible = subprocess.run([*mounting, "true"], capture_output=True, check=False).returncode == 0
        except FileNotFoundError:
            possible = False
        if not possible:
            pytest.skip("this machine cannot mount a small file system")
        output = act(side, "fill", str(tmp_path), before=mounting)
        assert "StoreUnavailableError" in output
        assert "free some space" in output
        assert "not written" in output
        assert output.endswith("before, and after\n")

    def test_a_write_above_the_file_size_limit_fails_and_changes_nothing(
        self, side: Any, tmp_path: Path
    ) -> None:
        output = act(side, "limit", str(tmp_path))
        assert "StoreUnavailableError" in output
        assert output.endswith("before, and after\n")
        assert not list(tmp_path.rglob("*.tmp"))


class TestExhaustedDescriptors:
    @pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts descriptors in /proc")
    def test_each_write_is_reported_as_it_was_stored(self, side: Any, tmp_path: Path) -> None:
        if side.name == "async":
            pytest.skip("an event loop of its own needs descriptors, too")
        tmp_path.chmod(0o700)
        assert act(side, "exhaust", str(tmp_path)) == "not written and written\n"


class TestMissingPermissions:
    """A folder without permission raises an ``AccessDeniedError`` that names the folder."""

    @pytest.mark.parametrize("action", ["save", "delete", "put_file"])
    def test_a_write_to_a_read_only_folder_fails_and_changes_nothing(
        self, side: Any, open_store: Opener, action: str
    ) -> None:
        with TemporaryDirectory(prefix="sessionbucket-") as folder:
            root = Path(folder) / "store"
            open_store(root).save(SessionData(id="s", tool_names=["before"]))
            self._protect(root, 0o500, 0o400)
            Path(folder).chmod(0o755)
            output = act(side, action, str(root), str(NOBODY) if AS_ROOT else "")
            self._protect(root, 0o700, 0o600)
            assert output.startswith("AccessDeniedError")
            assert "check the folder's owner and permissions" in output
            assert root.as_uri() in output
            assert open_store(root).load("s").tool_names == ["before"]

    def test_a_save_to_a_folder_that_cannot_be_opened_for_its_fsync_changes_nothing(
        self, side: Any, open_store: Opener
    ) -> None:
        with TemporaryDirectory(prefix="sessionbucket-") as folder:
            root = Path(folder) / "store"
            open_store(root).save(SessionData(id="s", tool_names=["before"]))
            self._protect(root, 0o300, 0o600)
            Path(folder).chmod(0o755)
            output = act(side, "durable_save", str(root), str(NOBODY) if AS_ROOT else "")
            self._protect(root, 0o700, 0o600)
            assert output.startswith("AccessDeniedError"), output
            assert open_store(root).load("s").tool_names == ["before"]

    def test_an_unreadable_session_is_not_reported_as_missing(self, side: Any, open_store: Opener) -> None:
        with TemporaryDirectory(prefix="sessionbucket-") as folder:
            root = Path(folder) / "store"
            open_store(root).save(SessionData(id="s"))
            self._protect(root, 0o700, 0)
            Path(folder).chmod(0o755)
            output = act(side, "load", str(root), str(NOBODY) if AS_ROOT else "")
            assert output.startswith("AccessDeniedError")

    @staticmethod
    def _protect(root: Path, folders: int, files: int) -> None:
        for path in (root, *root.rglob("*")):
            if AS_ROOT:
                os.chown(path, NOBODY, NOBODY)
            path.chmod(folders if path.is_dir() else files)


class TestObstructions:
    def test_a_file_in_the_place_of_a_folder_is_named(self, open_store: Opener, tmp_path: Path) -> None:
        store = open_store(tmp_path)
        (tmp_path / "artifacts").write_text("in the way")
        with pytest.raises(StoreUnavailableError, match="a file is in the place of a folder") as caught:
            store.put_file("s", "a.bin", b"x")
        assert tmp_path.as_uri() in str(caught.value)
        assert caught.value.key == "artifacts/s/files/a.bin"
        assert (tmp_path / "artifacts").read_text() == "in the way"

    def test_a_folder_in_the_place_of_a_session_is_named(self, open_store: Opener, tmp_path: Path) -> None:
        store = open_store(tmp_path)
        (tmp_path / "s.json").mkdir()
        with pytest.raises(StoreUnavailableError, match="move it away"):
            store.save(SessionData(id="s"))
        assert store.load("s") is None
        assert not list(tmp_path.rglob("*.tmp"))

    def test_a_root_that_is_a_file_is_rejected(self, open_store: Opener, tmp_path: Path) -> None:
        (tmp_path / "store").write_text("in the way")
        with pytest.raises(SessionBucketError) as caught:
            open_store(tmp_path / "store").save(SessionData(id="s"))
        assert (tmp_path / "store").as_uri() in str(caught.value)

    @pytest.mark.parametrize("call", ["save", "load", "list", "exists", "delete"])
    def test_a_removed_root_is_an_error_and_not_an_empty_store(
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


class TestPlantedSymlinks:
    """No symbolic link below the root leads out of it, neither for reads nor for writes."""

    @pytest.fixture
    def outside(self, tmp_path: Path) -> Path:
        folder = tmp_path / "outside"
        folder.mkdir()
        (folder / "s.json").write_text(SessionData(id="s").model_dump_json())
        (folder / "a.bin").write_text("secret")
        return folder

    def test_a_session_that_is_a_symlink_is_neither_read_nor_written_through(
        self, open_store: Opener, tmp_path: Path, outside: Path
    ) -> None:
        store = open_store(tmp_path / "store")
        before = (outside / "s.json").read_bytes()
        (tmp_path / "store" / "s.json").symlink_to(outside / "s.json")
        for call in (lambda: store.load("s"), lambda: store.exists("s")):
            with pytest.raises(AccessDeniedError, match="no symbolic link is in it"):
                call()
        for overwrite in (False, True):
            with pytest.raises(AccessDeniedError):
                store.save(SessionData(id="s", tool_names=["ours"]), overwrite=overwrite)
        assert (outside / "s.json").read_bytes() == before

    @pytest.mark.parametrize("symlink", ["artifacts", "artifacts/s", "artifacts/s/files"])
    def test_a_folder_that_is_a_symlink_is_not_entered(
        self, open_store: Opener, tmp_path: Path, outside: Path, symlink: str
    ) -> None:
        root = tmp_path / "store"
        store = open_store(root)
        (root / symlink).parent.mkdir(parents=True, exist_ok=True)
        (root / symlink).symlink_to(outside)
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

    @pytest.mark.parametrize("symlink", [".sessionbucket", ".sessionbucket/locks"])
    def test_no_lock_is_created_outside_the_root(
        self, open_store: Opener, tmp_path: Path, outside: Path, symlink: str
    ) -> None:
        root = tmp_path / "store"
        store = open_store(root)
        (root / symlink).parent.mkdir(parents=True, exist_ok=True)
        (root / symlink).symlink_to(outside)
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

    def test_a_symlink_to_the_root_opens_the_same_store(self, open_store: Opener, tmp_path: Path) -> None:
        first = open_store(tmp_path / "store")
        (tmp_path / "name").symlink_to(tmp_path / "store")
        second = open_store(tmp_path / "name")
        assert first.location == second.location
        session = SessionData(id="s")
        first.save(session)
        session.tool_names.append("second")
        second.save(session)  # it was saved at the same location
        assert first.load("s").tool_names == ["second"]

    def test_one_of_several_concurrent_creates_of_a_session_succeeds(
        self, open_store: Opener, tmp_path: Path
    ) -> None:
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

    @first_on_sync
    def test_one_of_several_processes_that_replace_a_version_succeeds(
        self, side: Any, tmp_path: Path
    ) -> None:
        output = act(side, "race", str(tmp_path / "store"), "4", "25")
        assert output.split() == ["1"] * 25


def test_folders_and_files_belong_to_their_owner_alone(open_store: Opener, tmp_path: Path) -> None:
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
