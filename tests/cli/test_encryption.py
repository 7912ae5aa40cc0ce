"""Commands on encrypted stores, and the rotation of their keys."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from cli.command_line import Command, make_session
from sessionbucket import Keyring, SessionStore, open_store

OLD, NEW = bytes(range(32)), bytes(32)


def keyring_text(primary: str, **keys: bytes) -> str:
    return json.dumps(
        {"primary": primary, "keys": {id: base64.b64encode(key).decode() for id, key in keys.items()}}
    )


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SESSIONBUCKET_KEYRING", raising=False)


@pytest.fixture
def old(tmp_path: Path) -> str:
    path = tmp_path / "old.json"
    path.write_text(keyring_text("old", old=OLD))
    return str(path)


@pytest.fixture
def both(tmp_path: Path) -> str:
    path = tmp_path / "both.json"
    path.write_text(keyring_text("new", old=OLD, new=NEW))
    return str(path)


@pytest.fixture
def encrypted_url(url: str) -> str:
    with open_store(url, encryption=Keyring({"old": OLD}, primary="old")) as store:
        store.save(make_session("chat", "a secret"))
        store.put_file("chat", "file", b"x" * 1000)
    return url


def test_a_command_takes_the_keys_of_a_file(run: Command, encrypted_url: str, old: str):
    assert "a secret" in run.ok("--keyring", old, "show", encrypted_url, "chat")
    assert "not among the keys" not in run.ok("--keyring", old, "check", encrypted_url)


def test_a_command_takes_the_keys_of_the_variable(
    run: Command, encrypted_url: str, old: str, monkeypatch: pytest.MonkeyPatch
):
    for text in (old, Path(old).read_text()):
        monkeypatch.setenv("SESSIONBUCKET_KEYRING", text)
        assert "a secret" in run.ok("show", encrypted_url, "chat")


def test_a_command_without_keys_shows_nothing_of_an_encrypted_session(run: Command, encrypted_url: str):
    assert "chat" in run.ok("ls", encrypted_url)
    assert "chat.json" in run.error("show", encrypted_url, "chat")


@pytest.mark.parametrize("text", ["/no/such/file", "{}", "arn:aws:kms:x"])
def test_a_bad_keyring_is_refused(run: Command, url: str, text: str):
    assert "keyring" in (message := run.error("--keyring", text, "ls", url)) or "ARN" in message


def test_a_file_with_anything_else_is_refused(run: Command, url: str, tmp_path: Path):
    (tmp_path / "text").write_text("secret")
    message = run.error("--keyring", str(tmp_path / "text"), "ls", url)
    assert "neither the JSON" in message
    assert "secret" not in message


def test_reencrypt_rotates_the_keys(run: Command, encrypted_url: str, both: str, tmp_path: Path):
    assert run.ok("--keyring", both, "reencrypt", encrypted_url) == "encrypted 2, current 0\n"
    assert run.ok("--keyring", both, "reencrypt", encrypted_url) == "encrypted 0, current 2\n"
    with open_store(encrypted_url, encryption=Keyring({"new": NEW}, primary="new")) as store:
        assert store.load("chat") is not None


def test_reencrypt_names_what_it_could_not_encrypt(run: Command, url: str, store: SessionStore, old: str):
    store.save(make_session("chat", "plain"))
    result = run("--keyring", old, "reencrypt", url)
    assert result.exit_code == 1
    assert "'chat.json' was not encrypted again" in result.stderr
    assert run.ok("--keyring", old, "reencrypt", url, "--accept-plain") == "encrypted 1, current 0\n"
    assert "plain" in run.ok("--keyring", old, "show", url, "chat")


def test_reencrypt_refuses_a_store_without_keys(run: Command, url: str, store: SessionStore):
    store.save(make_session("chat"))
    assert "it is not encrypted" in run.error("reencrypt", url)


def test_cp_encrypts_decrypts_and_changes_keys(
    run: Command, encrypted_url: str, other_url: str, old: str, both: str, tmp_path: Path
):
    decrypted = ["--keyring", old, "cp", encrypted_url, other_url, "--destination-keyring", "none"]
    assert run.ok(*decrypted).startswith("copied 1")
    assert run.ok(*decrypted) == "copied 0, same 1, conflicts 0\n"
    assert "a secret" in run.ok("show", other_url, "chat")
    third = (tmp_path / "third").as_uri()
    assert run.ok("--keyring", both, "cp", other_url, third, "--source-keyring", "none").startswith(
        "copied 1"
    )
    assert "a secret" in run.ok("--keyring", both, "show", third, "chat")
    changed = ["cp", encrypted_url, third, "--source-keyring", old, "--destination-keyring", both]
    assert run.ok(*changed) == "copied 0, same 1, conflicts 0\n"
