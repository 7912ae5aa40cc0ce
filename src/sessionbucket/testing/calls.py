"""What a faulty bucket is asked, and which of it a fault is meant for."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from sessionbucket.errors import InvalidArgumentError

Operation = Literal["get", "head", "put", "delete", "list_page", "put_stream", "get_stream", "leftovers"]
"""The methods of a bucket that ask something of it."""

CHANGES: frozenset[Operation] = frozenset({"put", "put_stream", "delete"})
"""Those that change something."""

OPERATIONS: tuple[Operation, ...] = get_args(Operation)


@dataclass(frozen=True, slots=True)
class Call:
    """One request: the method and its key; the keys of a ``delete``, the prefix of a listing."""

    operation: Operation
    keys: tuple[str, ...]


@dataclass(slots=True)
class Rule:
    """A fault, and the calls it is meant for: ``times`` of those that match (all, if None), from the ``nth`` on."""

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
                f"operation {self.operation!r} is unknown; there are: {', '.join(OPERATIONS)}"
            )
        for name, number in (("nth", self.nth), ("times", self.times)):
            if number is not None and number < 1:
                raise InvalidArgumentError(f"{name}={number} is refused: it must be at least 1")

    def meets(self, call: Call) -> bool:
        """Count the call if it matches, and tell whether the fault is for it."""
        if self.operation not in (None, call.operation):
            return False
        if not any(fnmatchcase(key, self.key) for key in call.keys):
            return False
        self.seen += 1
        return self.seen >= self.nth and (self.times is None or self.seen < self.nth + self.times)

    @property
    def pending(self) -> bool:
        """Whether calls that it is meant for have not come yet."""
        return self.seen < self.nth + (self.times or 1) - 1

    @property
    def spent(self) -> bool:
        """Whether no more calls are meant."""
        return self.times is not None and not self.pending

    def __str__(self) -> str:
        return f"{self.name} {self.operation or 'any call'} of {self.key!r}"
