"""Opening the store that a command names: by a URL, or by the path of a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from sessionbucket import (
    ENVIRONMENT_VARIABLE,
    InvalidArgumentError,
    SessionStore,
    SummaryMode,
    open_store,
)
from sessionbucket.cli.keys import keys_of
from sessionbucket.models import AnySession

_SCHEMES = ("s3://", "gs://", "az://", "file:", "memory:")
_PATHS = ("/", "./", "../", "~/")


def is_store(text: str) -> bool:
    """Whether an argument names a store and no session: a URL, or a path that starts as one."""
    return text in (".", "..", "~") or text.startswith((*_SCHEMES, *_PATHS))


def chosen_store(argument: str | None, option: str | None) -> str | None:
    """The store in the argument or the option of a command. Raises ``InvalidArgumentError`` for both.

    The option also has the value of the environment variable, which an argument replaces.
    """
    if argument is None:
        return option
    if option is not None and option != os.environ.get(ENVIRONMENT_VARIABLE):
        raise InvalidArgumentError(
            "the store is given twice: pass it as an argument or with --store, not both"
        )
    return argument


@contextmanager
def opened(
    store: str | None,
    *,
    create: bool = False,
    summaries: SummaryMode = "full",
) -> Iterator[SessionStore]:
    """The store at the URL or path, closed at the end.

    A missing folder is created only with ``create``: a mistyped path must not look like an empty store.
    """
    url = url_of(store, create=create)
    with open_store(url, summaries=summaries, encryption=keys_of()) as opened_store:
        yield opened_store


@contextmanager
def opened_for_any_model(
    store: str | None,
    *,
    create: bool = False,
    model: type[AnySession] = AnySession,
    keyring: str | None = None,
    accept_plain: bool = False,
) -> Iterator[SessionStore[AnySession]]:
    """The same store, for sessions of any model. ``keyring`` replaces the keyring of the command."""
    keys = keys_of(keyring)
    with open_store(
        url_of(store, create=create), model=model, encryption=keys, accept_plain=accept_plain
    ) as opened_store:
        yield opened_store


def url_of(store: str | None, *, create: bool = False) -> str:
    """The URL of the store at a URL or path. A missing folder is created only with ``create``."""
    if not store:
        raise InvalidArgumentError(
            f"no store is given: pass its URL or folder, or --store, or set {ENVIRONMENT_VARIABLE} "
            "(s3://bucket/prefix, /folder)"
        )
    if not store.startswith(_SCHEMES) and "://" not in store:
        store = Path(store).expanduser().absolute().as_uri()
    if store.startswith("file:") and not create and "create" not in parse_qs(urlsplit(store).query):
        store += ("&" if "?" in store else "?") + "create=false"
    return store
