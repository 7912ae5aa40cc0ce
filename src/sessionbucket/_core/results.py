"""What a server makes of the conditions of a put."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Capability(StrEnum):
    """Whether a save can rely on its condition."""

    ATOMIC = "atomic"
    """Conditions are kept, and of writers who race exactly one wins."""
    NOT_ATOMIC = "not atomic"
    """Conditions are looked at, but of writers who race several win, or none."""
    IGNORED = "ignored"
    """Conditions are accepted and not kept."""
    REFUSED = "refused"
    """Conditional requests are refused."""
    OFF = "off"
    """The store was opened with ``conditional_writes="off"``: saves are unconditional."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What a probe found, and where it is not ``ATOMIC``, what failed."""

    capability: Capability
    failed: str
