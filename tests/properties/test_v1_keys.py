"""The keys of the v1 layout of a3s-code, and back."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sessionbucket import InvalidSessionIdError
from sessionbucket._core.keys import StoreKeys


@given(st.text(min_size=1, max_size=60), st.sampled_from(["", "team", "a/b"]))
def test_an_id_comes_back_from_its_key(id, prefix):
    keys = StoreKeys(prefix)
    try:
        key = keys.v1_session(id)
    except InvalidSessionIdError:
        assume(False)
    assert keys.v1_session_id(key) == id
    assert key == f"{keys.root}v1/sessions/id_{urlsafe_b64encode(id.encode()).decode().rstrip('=')}.json"


@given(st.text(max_size=30))
def test_a_name_that_is_no_key_of_the_layout_has_no_id(name):
    keys = StoreKeys("team")
    key = f"team/v1/sessions/{name}"
    id = keys.v1_session_id(key)
    assert id is None or keys.v1_session(id) == key


@pytest.mark.parametrize(
    "name",
    ["id_.json", "id_YQ==.json", "id_YQ.json.1.2.tmp", "id_YR.json", "YQ.json", "id_Y.json", "id__w.json"],
)
def test_only_the_exact_encoding_is_a_key(name):
    assert StoreKeys().v1_session_id(f"v1/sessions/{name}") is None
