"""The queues of a session's tool calls: lanes, handlers, retries and limits.

Only ``SessionQueueConfig`` and its parts are camelCase in the wire format. In Python every
name is snake_case, and a constructor accepts both spellings.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, Self

from pydantic import ConfigDict, Field, ValidationInfo, model_validator
from pydantic.alias_generators import to_camel

from sessionbucket.models._base import CheckedOnReadModel, WireModel, new_dict
from sessionbucket.models._scalars import U32, U64


class Lane(StrEnum):
    """The queues, from most to least urgent."""

    CONTROL = "Control"
    QUERY = "Query"
    EXECUTE = "Execute"
    GENERATE = "Generate"


class LaneHandlerMode(StrEnum):
    """The executor of a lane's calls."""

    INTERNAL = "Internal"
    EXTERNAL = "External"
    HYBRID = "Hybrid"


class LaneHandlerConfig(CheckedOnReadModel):
    """The executor of a lane's calls, and its time limit in milliseconds."""

    required_on_read: ClassVar = ("mode", "timeout_ms")

    mode: LaneHandlerMode = LaneHandlerMode.INTERNAL
    timeout_ms: U64 = 60_000


class _CamelCaseModel(WireModel):
    model_config = ConfigDict(alias_generator=to_camel)


class RetryPolicy(_CamelCaseModel):
    """Retries of a failed call. ``strategy`` is ``exponential``, ``fixed`` or ``none``; delays are milliseconds."""

    strategy: str
    max_retries: U32 = 3
    initial_delay_ms: U64 = 100
    fixed_delay_ms: U64 | None = None


class RateLimit(_CamelCaseModel):
    """``limit_type`` is ``per_second``, ``per_minute``, ``per_hour`` or ``unlimited``."""

    limit_type: str
    max_operations: U64 | None = None


class PriorityBoost(_CamelCaseModel):
    """``strategy`` is ``standard``, ``aggressive`` or ``disabled``; the deadline is in milliseconds."""

    strategy: str
    deadline_ms: U64 | None = None


class _LeftOut(int):
    """A default that marks a missing field. Pydantic's own set of given fields contains a field when an unknown member has its name."""


class SessionQueueConfig(_CamelCaseModel):
    """The queue of a session.

    There are two sets of defaults, both the reference's: a new config allows 2, 4, 2 and 1 calls at
    once in the four lanes, while a member missing in JSON reads as 4, 12, 4 and 2.
    """

    concurrency_when_missing: ClassVar[Mapping[str, int]] = {
        "control_max_concurrency": 4,
        "query_max_concurrency": 12,
        "execute_max_concurrency": 4,
        "generate_max_concurrency": 2,
    }

    control_max_concurrency: U64 = _LeftOut(2)
    query_max_concurrency: U64 = _LeftOut(4)
    execute_max_concurrency: U64 = _LeftOut(2)
    generate_max_concurrency: U64 = _LeftOut(1)
    lane_handlers: dict[Lane, LaneHandlerConfig] = Field(default_factory=new_dict)
    enable_dlq: bool = False
    dlq_max_size: U64 | None = None
    enable_metrics: bool = False
    enable_alerts: bool = False
    default_timeout_ms: U64 | None = None
    storage_path: str | None = None
    retry_policy: RetryPolicy | None = None
    rate_limit: RateLimit | None = None
    priority_boost: PriorityBoost | None = None
    pressure_threshold: U64 | None = None
    lane_timeouts: dict[Lane, U64] = Field(default_factory=new_dict)

    @model_validator(mode="after")
    def _fill_what_was_left_out(self, info: ValidationInfo) -> Self:
        for name, value_in_json in self.concurrency_when_missing.items():
            value = self.__dict__[name]
            if isinstance(value, _LeftOut):
                self.__dict__[name] = value_in_json if info.mode == "json" else int(value)
        return self
