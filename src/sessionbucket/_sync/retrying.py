"""Requests that may be repeated without harm, repeated while the storage does not answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from sessionbucket._runtime.sync import sleep
from sessionbucket.errors import StoreUnavailableError
from sessionbucket.patience import Patience

logger = logging.getLogger(__name__)

T = TypeVar("T")


def repeated(request: Callable[[], T], patience: Patience) -> T:
    """The answer to the request, which is sent again after ``StoreUnavailableError`` while the patience lasts."""
    tries = patience.begin()
    while True:
        try:
            return request()
        except StoreUnavailableError as error:
            if not tries.allows_another():
                raise
            logger.debug("trying again: %s", error)
        sleep(tries.pause())
