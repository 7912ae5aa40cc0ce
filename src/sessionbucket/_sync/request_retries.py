# Generated from sessionbucket/_async/request_retries.py by scripts/generate_sync.py: do not edit.
"""Retries of requests that may be repeated without harm."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from sessionbucket._concurrency.threads import sleep
from sessionbucket._core.retry import Attempts, RetryConfig
from sessionbucket.errors import Outcome, StoreUnavailableError

logger = logging.getLogger(__name__)

T = TypeVar("T")


def send_with_retries(send: Callable[[], T], retry: RetryConfig, *, repeat_unknown: bool = True) -> T:
    """Send a request, and again after each ``StoreUnavailableError`` until the retry budget is spent.

    The outcome of the error raised then is unknown if that of any attempt is. Without ``repeat_unknown``, an attempt
    whose outcome is unknown is the last.
    """
    started = time.monotonic()
    attempts: Attempts | None = None  # most requests need no second attempt
    outcome: Outcome = "not written"
    while True:
        try:
            return send()
        except StoreUnavailableError as error:
            attempts = attempts or Attempts(retry, started)
            if error.outcome == "unknown":
                outcome = "unknown"
            pause = attempts.next_pause() if repeat_unknown or outcome == "not written" else None
            if pause is None:
                if error.outcome == outcome:
                    raise
                raise error.with_outcome(outcome) from error.__cause__
            logger.debug("retrying: %s", error)
        sleep(pause)
