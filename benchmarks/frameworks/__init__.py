"""Agents of frameworks, each with our session store and with others. No model is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from benchmarks.servers import Server


class Conversation(Protocol):
    """One conversation in a session store."""

    def prepare(self, turns: int) -> None:
        """Store this number of turns."""

    def take_turn(self) -> None:
        """Take one more turn, and store it."""

    def resume(self) -> None:
        """Read the conversation, as a new process does before its first turn."""

    def close(self) -> None:
        """Close all connections."""


Open = Callable[[Server, str], Conversation]
"""Opens a conversation in a bucket of a server."""
