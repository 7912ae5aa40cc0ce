"""The application: the pages behind the guard, and its style."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from sessionbucket import SessionBucketError, SessionStore
from sessionbucket.web.guard import Guard
from sessionbucket.web.pages import Pages
from sessionbucket.web.viewed_store import ViewedStore

COOKIE = "sessionbucket"


def viewer(store: SessionStore[Any], *, cookie: str = COOKIE, any_host: bool = False) -> Guard:
    """The viewer of a store as an ASGI application. ``/?token=`` with the ``token`` of the result lets one browser in.

    The store is only read. ``cookie`` is the name of the cookie of that browser. With ``any_host``, a request may come under any
    name, and not only under those of the loopback address.
    """
    pages = Pages(ViewedStore(store))
    static = Mount("/static", StaticFiles(directory=Path(__file__).with_name("static")))
    app = Starlette(
        routes=[*pages.routes, static],
        exception_handlers={
            SessionBucketError: pages.failed,
            HTTPException: pages.missing,
            Exception: pages.broken,
        },
    )
    return Guard(app, cookie=cookie, any_host=any_host)
