"""Where writers wait for each other, so that a race is no matter of luck."""

from __future__ import annotations

from threading import Lock

from sessionbucket.testing._concurrency.threads import Event, came

PATIENCE = 10.0


class Rendezvous:
    """A point that each of so many writers passes once all have come to it; who comes again passes at once.

    A writer who fails before it keeps the others waiting for some seconds, not for ever.
    """

    def __init__(self, writers: int) -> None:
        self._missing = writers
        self._complete = Event()
        self._lock = Lock()

    def meet(self) -> None:
        """Wait for the others."""
        with self._lock:
            self._missing -= 1
            if self._missing <= 0:
                self._complete.set()
        came(self._complete, PATIENCE)
