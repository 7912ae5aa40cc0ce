"""Requests that may be repeated without harm, repeated while the storage does not answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from sessionbucket._concurrency.threads import sleep
from sessionbucket._core.retry import Patience
from sessionbucket.errors import Outcome, StoreUnavailableError

logger = logging.getLogger(__name__)

T = TypeVar("T")


def repeated(request: Callable[[], T], patience: Patience) -> T:
    """The answer to the request, which is sent again after ``StoreUnavailableError`` while the patience lasts.

    Where that ends, the outcome is unknown if it is so of any try.
    """
    tries = patience.begin()
    outcome: Outcome = "not written"
    while True:
        try:
            return request()
        except StoreUnavailableError as error:
            if error.outcome == "unknown":
                outcome = "unknown"
            if not tries.allows_another():
                if error.outcome == outcome:
                    raise
                raise error.with_outcome(outcome) from error.__cause__
            logger.debug("trying again: %s", error)
        sleep(tries.pause())
