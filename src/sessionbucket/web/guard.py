"""Who may see the pages, and what a browser may do with them.

Model output is hostile, and other users and web pages can reach the loopback address. So each response has headers that let it run nothing
and load nothing from elsewhere, only names of this machine are served, and only a browser that opened the printed URL.
"""

from __future__ import annotations

import hmac
import secrets
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
TOKEN = "token"  # noqa: S105 (the name of the parameter)
_WRONG_HOST = "This viewer is served under the names of this machine only. Open the URL that `sessionbucket web` printed."
_NO_COOKIE = "Open the URL that `sessionbucket web` printed in this browser. It works once; start the viewer again for a new one."


class Guard:
    """Wraps the application. ``token`` is the secret of the printed URL, which is good for one browser.

    With ``any_host``, names of other machines are served, too.
    """

    def __init__(self, app: ASGIApp, *, cookie: str, any_host: bool = False) -> None:
        self._app = app
        self._cookie = cookie
        self._any_host = any_host
        self._secret = secrets.token_urlsafe(32)
        self.token: str | None = secrets.token_urlsafe(32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        app = self._refusal(scope) or self._app
        await app(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        """The response to a request that the application must not see."""
        headers = Headers(scope=scope)
        if not (self._any_host or is_loopback(headers.get("host", ""))):
            return PlainTextResponse(_WRONG_HOST, status_code=400)
        given = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get(TOKEN)
        if given is not None and self._is_right(given):
            response = RedirectResponse("/", status_code=303)
            response.set_cookie(self._cookie, self._secret, httponly=True, samesite="strict", path="/")
            return response
        if not _same(_cookie_of(headers, self._cookie), self._secret):
            return PlainTextResponse(_NO_COOKIE, status_code=403)
        return None

    def _is_right(self, given: str) -> bool:
        """Whether this is the token; it is no longer valid then."""
        if self.token is None or not _same(given, self.token):
            return False
        self.token = None
        return True


def is_loopback(host: str) -> bool:
    """Whether a Host header, or a host by itself, names this machine: ``localhost`` or an address of its loopback interface."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return "@" not in host and (name == "localhost" or ip_address(name).is_loopback)
    except ValueError:
        return False


def _same(one: str, two: str) -> bool:
    return hmac.compare_digest(one.encode(), two.encode())


def _cookie_of(headers: Headers, name: str) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found else ""
