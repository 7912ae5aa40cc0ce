"""When a tool call has to be confirmed by a person."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import AfterValidator, Field

from sessionbucket.models._base import CheckedOnReadModel
from sessionbucket.models._constructor_member import ConstructorMember
from sessionbucket.models._numbers import U64
from sessionbucket.models.queues import Lane


class TimeoutAction(StrEnum):
    """What happens to a call nobody answered for."""

    REJECT = "Reject"
    AUTO_APPROVE = "AutoApprove"


def _once_each(lanes: list[Lane]) -> list[Lane]:
    return list(dict.fromkeys(lanes))


class ConfirmationPolicy(CheckedOnReadModel):
    """Whether a person confirms calls, for how many milliseconds to wait, and which lanes need no asking.

    ``ConfirmationPolicy.enabled()`` makes a policy that asks; on an instance ``enabled`` is the flag.
    """

    required_on_read: ClassVar = ("enabled", "default_timeout_ms", "timeout_action", "yolo_lanes")

    if TYPE_CHECKING:
        enabled: ConstructorMember[Callable[[], ConfirmationPolicy], bool] = ConstructorMember()
    else:
        enabled: bool = False
    default_timeout_ms: U64 = 30_000
    timeout_action: TimeoutAction = TimeoutAction.REJECT
    yolo_lanes: Annotated[list[Lane], AfterValidator(_once_each)] = Field(default_factory=list)

    @classmethod
    def enabled_policy(cls) -> Self:
        """A policy that asks, waits 30 seconds, and then rejects."""
        return cls(enabled=True)


ConstructorMember.install(ConfirmationPolicy, enabled="enabled_policy")
