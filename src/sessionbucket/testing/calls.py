"""The requests that reach a faulty bucket, and the faults that are meant for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, get_args

from sessionbucket import Operation
from sessionbucket.errors import InvalidArgumentError

CHANGES: frozenset[Operation] = frozenset(
    {"put", "put_stream", "copy", "delete", "delete_if", "remove_temporary", "erase"}
)
"""The operations that change an object."""

OPERATIONS: tuple[Operation, ...] = get_args(Operation)


@dataclass(frozen=True, slots=True)
class Call:
    """One request: its operation and its key; the keys of a ``delete``, source and target of a ``copy``, the prefix of a listing."""

    operation: Operation
    keys: tuple[str, ...]


@dataclass(slots=True)
class Rule:
    """A fault, and the calls that get it: ``times`` of the matching calls (all, if None), from the ``nth`` on."""

    name: str
    fault: Any
    operation: Operation | None
    key: str
    nth: int
    times: int | None
    seen: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.operation is not None and self.operation not in OPERATIONS:
            raise InvalidArgumentError(
                f"operation {self.operation!r} is unknown; known operations: {', '.join(OPERATIONS)}"
            )
        for name, number in (("nth", self.nth), ("times", self.times)):
            if number is not None and number < 1:
                raise InvalidArgumentError(f"{name}={number} is refused: it must be at least 1")

    def matches(self, call: Call) -> bool:
        """Count the call if it matches, and return whether it gets the fault."""
        if self.operation not in (None, call.operation):
            return False
        if not any(fnmatchcase(key, self.key) for key in call.keys):
            return False
        self.seen += 1
        return self.seen >= self.nth and (self.times is None or self.seen < self.nth + self.times)

    @property
    def is_pending(self) -> bool:
        """Whether some of its calls have not come yet."""
        return self.seen < self.nth + (self.times or 1) - 1

    @property
    def is_spent(self) -> bool:
        """Whether all of its calls have come."""
        return self.times is not None and not self.is_pending

    def __str__(self) -> str:
        return f"{self.name} {self.operation or 'any call'} of {self.key!r}"
