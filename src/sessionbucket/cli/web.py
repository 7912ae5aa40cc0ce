"""``web``: the viewer in the browser."""

from __future__ import annotations

import os
from importlib.util import find_spec

import typer

from sessionbucket import ENVIRONMENT_VARIABLE, InvalidArgumentError, NotSupportedError
from sessionbucket.cli.stores import opened

_NEEDED = ("jinja2", "ormsgpack", "starlette", "uvicorn")


def show_in_browser(
    url: str | None, *, demo: bool, host: str, port: int, any_host: bool, opens_browser: bool
) -> None:
    """Serve the viewer until it is interrupted. Raises ``NotSupportedError`` without the extra ``web``."""
    if any(find_spec(name) is None for name in _NEEDED):
        raise NotSupportedError(
            "the viewer needs starlette, jinja2, uvicorn and ormsgpack: pip install 'sessionbucket[web]'"
        )
    from sessionbucket.web.serving import serve  # noqa: PLC0415 (needs the extra)

    if demo:
        if url is not None and url != os.environ.get(ENVIRONMENT_VARIABLE):
            raise InvalidArgumentError(
                "a store and --demo contradict each other: --demo has a store of its own"
            )
        from sessionbucket.web.demo import demo_store  # noqa: PLC0415

        store = demo_store()
        serve(store, host=host, port=port, any_host=any_host, opens_browser=opens_browser, say=typer.echo)
        return
    with opened(url) as opened_store:
        opened_store.list_page(
            limit=1
        )  # a store that cannot be read is an error of the command, not of a page
        serve(
            opened_store, host=host, port=port, any_host=any_host, opens_browser=opens_browser, say=typer.echo
        )
