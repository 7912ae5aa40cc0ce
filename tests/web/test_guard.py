"""Only this machine, only the browser of the printed URL, and only what the headers allow."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from sessionbucket.web.app import viewer
from sessionbucket.web.guard import HEADERS, is_loopback
from web.viewing import HOST, Viewer, make_session

PATHS = ("/", "/usage", "/session?id=a", "/session/raw?id=a", "/static/style.css", "/static/icon.svg")
REFUSED = ("/nowhere", "/session?id=missing", "/session?id=", "/?sort=bad", "/?page=-1", "/?cursor=bad")


@pytest.fixture(autouse=True)
def _session(store) -> None:
    store.save(make_session("a"))


def stranger(viewed: Viewer, host: str = HOST) -> TestClient:
    return TestClient(viewed.guard, base_url=host, follow_redirects=False)


@pytest.mark.parametrize("path", [*PATHS, *REFUSED])
def test_every_response_has_the_headers(viewed, path):
    response = viewed.client.get(path)
    assert (response.status_code == 200) == (path in PATHS)
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS


def test_the_policy_allows_no_script_and_no_other_host():
    assert HEADERS["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


@pytest.mark.parametrize("path", [*PATHS, *REFUSED])
def test_a_browser_without_the_cookie_sees_nothing(viewed, path):
    response = stranger(viewed).get(path)
    assert response.status_code == 403
    assert "sessionbucket web" in response.text
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS


@pytest.mark.parametrize("cookie", ["", "wrong", "%00", '"', "ü".encode()])
def test_a_wrong_cookie_or_token_is_refused(viewed, cookie):
    client = stranger(viewed)
    assert (
        client.get(
            "/",
            headers={
                b"cookie": b"sessionbucket=" + (cookie if isinstance(cookie, bytes) else cookie.encode())
            },
        ).status_code
        == 403
    )
    assert client.get("/?token=wrong").status_code == 403


def test_the_token_becomes_a_cookie_once(store):
    guard = viewer(store)
    first, second = (TestClient(guard, base_url=HOST, follow_redirects=False) for _ in range(2))
    token = guard.token
    response = first.get("/", params={"token": token})
    assert (response.status_code, response.headers["location"]) == (303, "/")
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert token.lower() not in cookie
    assert first.get("/").status_code == 200
    assert second.get("/", params={"token": token}).status_code == 403
    assert second.get("/").status_code == 403


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "192.168.1.4",
        "x@localhost",
        "[::",
        "",
    ],
)
def test_another_host_name_is_refused(store, viewed, host):
    response = viewed.client.get("/", headers={"host": host})
    assert response.status_code == 400
    assert "names of this machine" in response.text
    fresh = viewer(store)
    client = TestClient(fresh, base_url=HOST)
    assert client.get("/", params={"token": fresh.token}, headers={"host": host}).status_code == 400
    assert client.get("/", params={"token": fresh.token}).status_code == 200, (
        "the refused request used the token up"
    )


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8080", "127.0.0.1", "127.0.0.1:1", "[::1]:80", "127.8.8.8"]
)
def test_the_names_of_this_machine_are_served(viewed, host):
    assert is_loopback(host)
    assert viewed.client.get("/static/style.css", headers={"host": host}).status_code in {200, 403}


def test_other_names_need_a_flag(store):
    guard = viewer(store, any_host=True)
    client = TestClient(guard, base_url="http://viewer.internal:9000")
    assert client.get("/").status_code == 403
    assert client.get("/", params={"token": guard.token}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_reads_are_served(viewed, method):
    assert viewed.client.request(method, "/").status_code == 405
