"""Keyrings, and the context that a key provider gets."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from sessionbucket import EncryptionContext, InvalidArgumentError, Keyring

KEY = bytes(range(32))


@pytest.mark.parametrize(
    ("key", "id"),
    [
        ("chat-42.json", "chat-42"),
        ("alice%2Fchat.json", "alice/chat"),
        ("artifacts/alice%2Fchat/files/a.txt", "alice/chat"),
        ("traces/s.json", "s"),
        ("notes/s.json", None),
        (".sessionbucket/probe/x", None),
        ("readme.txt", None),
    ],
)
def test_the_context_has_the_session_of_an_object(key: str, id: str | None):
    assert EncryptionContext(key).session_id == id


def test_the_primary_key_encrypts_and_every_key_decrypts():
    keys = Keyring({"new": KEY, "old": bytes(32)}, primary="new")
    context = EncryptionContext("k")
    assert keys.key_for_write(context) == ("new", KEY, b"")
    assert [keys.key(id, b"", context) for id in ("new", "old", "lost")] == [KEY, bytes(32), None]


def test_a_keyring_comes_from_json():
    text = json.dumps({"primary": "a", "keys": {"a": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}})
    assert Keyring.from_json(text).key_for_write(EncryptionContext("k")).key == KEY


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"primary": "a", "keys": {"a": "secret"}}',
        '{"primary": "a", "keys": ["secret"]}',
        '{"keys": {}}',
    ],
)
def test_a_bad_json_is_refused_without_repeating_it(text: str):
    with pytest.raises(InvalidArgumentError, match="the keyring is refused") as caught:
        Keyring.from_json(text)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "primary", "reason"),
    [
        ({}, "a", "primary 'a' is refused"),
        ({"a": b"short"}, "a", "key 'a' is refused: it must be 32 bytes"),
        ({"a": "x" * 32}, "a", "key 'a' is refused"),
        ({1: KEY}, "a", "the id of a key is refused"),
        ([KEY], "a", "keys is refused"),
        ({"a": KEY}, None, "primary is refused"),
    ],
)
def test_bad_keys_are_refused(keys: Any, primary: Any, reason: str):
    with pytest.raises(InvalidArgumentError, match=reason):
        Keyring(keys, primary=primary)


def test_a_plain_store_loads_nothing_of_cryptography():
    program = "import sys; from sessionbucket import Keyring, open_store; open_store('memory://'); print('cryptography' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


def test_a_missing_cryptography_is_named():
    program = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from sessionbucket import Keyring, NotSupportedError, open_store\n"
        "try: open_store('memory://', encryption=Keyring({'a': bytes(32)}, primary='a'))\n"
        "except NotSupportedError as error: print(error)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "install sessionbucket[encryption]" in ran.stdout
