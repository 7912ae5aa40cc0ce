"""A browser without a window: the viewer of a store through Starlette's test client, and the sessions that tests look at."""

from __future__ import annotations

import html
import re
from typing import Any

from starlette.testclient import TestClient

from sessionbucket import Message, SessionData, SessionStore
from sessionbucket.web.app import viewer
from sessionbucket.web.guard import Guard

HOST = "http://127.0.0.1"


class Viewer:
    """The pages of a store for a browser that has opened the printed URL."""

    def __init__(self, store: SessionStore[Any]) -> None:
        self.guard: Guard = viewer(store)
        self.client = TestClient(self.guard, base_url=HOST, raise_server_exceptions=False)
        self.client.get("/", params={"token": self.guard.token})

    def get(self, path: str, *, status: int = 200, **parameters: Any) -> str:
        """The text of a page, with this status."""
        response = self.client.get(path, params=parameters or None)
        assert response.status_code == status, response.text
        return response.text

    def follow(self, page: str, text: str) -> str:
        """The page behind the link with this text."""
        href = link(page, text)
        assert href is not None, f"no link {text!r}"
        return self.get(href)

    def ids(self, path: str = "/", **parameters: Any) -> list[str]:
        """The ids of the sessions on a page of the list."""
        return ids_in(self.get(path, **parameters))


def link(page: str, text: str) -> str | None:
    """The target of the first link with this text."""
    found = re.search(rf'<a [^>]*href="([^"]*)"[^>]*>\s*{re.escape(text)}\s*</a>', page)
    return html.unescape(found[1]) if found else None


def ids_in(page: str) -> list[str]:
    return [html.unescape(id) for id in re.findall(r'class="title" href="/session\?id=([^"]*)"', page)]


def text_of(page: str) -> str:
    """The words of a page, without its elements."""
    body = page[page.index("<main") :]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


def make_session(id: str, *texts: str, **members: Any) -> SessionData:
    session = SessionData(id=id, created_at=1_700_000_000, **members)
    session.messages = [Message.user(text) for text in texts or ("hello",)]
    return session
