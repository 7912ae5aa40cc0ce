"""Reset of objects in a forked child process, before any of its threads runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from weakref import WeakMethod

_resets: list[WeakMethod[Callable[[], Any]]] = []


def reset_after_fork(method: Callable[[], Any]) -> None:
    """Call a bound method in each forked child process, as long as its object exists.

    A lock that another thread held at the fork stays locked in the child, and a connection is that of the parent.
    """
    _resets[:] = [reset for reset in _resets if reset() is not None]
    _resets.append(WeakMethod(method))


def _run_resets() -> None:
    for reset in _resets:
        method = reset()
        if method is not None:
            method()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_run_resets)
