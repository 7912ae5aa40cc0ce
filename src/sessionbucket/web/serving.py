"""Runs the viewer on a port of this machine, until Ctrl-C."""

from __future__ import annotations

import socket
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import uvicorn

from sessionbucket import InvalidArgumentError, SessionStore
from sessionbucket.web.app import COOKIE, viewer
from sessionbucket.web.guard import TOKEN, is_loopback

DEFAULT_HOST = "127.0.0.1"


def serve(
    store: SessionStore[Any],
    *,
    host: str = DEFAULT_HOST,
    port: int = 0,
    any_host: bool = False,
    opens_browser: bool = True,
    say: Callable[[str], None] = print,
) -> None:
    """Serve the pages of the store, say their URL, and return after Ctrl-C. Port 0 is a free one.

    Raises ``InvalidArgumentError`` for a port that is taken, and for a host of other machines without ``any_host``.
    """
    is_local = is_loopback(f"[{host}]" if ":" in host else host)
    if not (is_local or any_host):
        raise InvalidArgumentError(
            f"the host {host!r} is refused: other machines could reach the sessions; pass --allow-other-machines, too, if they may"
        )
    with _listening(host, port) as listener:
        port = listener.getsockname()[1]
        # Cookies have no port: without the number, two viewers would replace each other's.
        app = viewer(store, cookie=f"{COOKIE}-{port}", any_host=any_host)
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}/?{TOKEN}={app.token}"
        say(f"{store.location} is shown at {url}")
        say("The URL opens in one browser, once. Nothing is written to the store. Ctrl-C stops the viewer.")
        if opens_browser:
            webbrowser.open(url)  # the socket listens already, so the request waits for the server
        options = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,  # it would contain the token
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        with suppress(KeyboardInterrupt):
            uvicorn.Server(options).run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise InvalidArgumentError(
            f"the viewer cannot listen on {host} port {port} ({error.strerror or type(error).__name__}): choose another with --port"
        ) from None
