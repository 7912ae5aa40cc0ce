"""The program of docs/http.md does what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from conformance.samples import say, session_of, texts_of
from sessionbucket import SessionData, open_store

PAGE = Path(__file__).parents[2] / "docs" / "http.md"


def test_the_handlers_pass_versions_as_etags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SESSIONBUCKET_URL", tmp_path.as_uri())
    [program] = re.findall(r"```python\n(.+?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(program, names)
    get, put = names["get"], names["put"]
    assert get("s")[0] == 404
    status, first, _ = put("s", {}, session_of("s", "one").model_dump_json())
    assert status == 204
    assert put("s", {}, session_of("s", "two").model_dump_json())[0] == 412
    status, headers, body = get("s")
    assert (status, headers) == (200, first)
    session = SessionData.model_validate_json(body)
    say(session, "two")
    status, second, _ = put("s", {"If-Match": headers["ETag"]}, session.model_dump_json())
    assert status == 204
    assert put("s", {"If-Match": headers["ETag"]}, session.model_dump_json())[0] == 412
    with open_store() as store:
        assert texts_of(store.load("s")) == ["one", "two"]
        assert get("s")[1] == second
