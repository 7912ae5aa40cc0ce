"""A session: everything that an agent needs to continue."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import AliasChoices, Field

from sessionbucket.models._base import CheckedOnReadModel, is_empty, is_none, new_list, refusing
from sessionbucket.models._scalars import F64, I64, U64
from sessionbucket.models.config import LlmConfigData, SessionConfig
from sessionbucket.models.messages import Message, ToolDefinition
from sessionbucket.models.tasks import Task
from sessionbucket.models.usage import ContextUsage, LlmCostRecord, TokenUsage


class SessionState(StrEnum):
    """The state of a session."""

    UNKNOWN = "Unknown"
    ACTIVE = "Active"
    PAUSED = "Paused"
    COMPLETED = "Completed"
    ERROR = "Error"


def _now() -> int:
    return int(time.time())


def _as_created(members: dict[str, Any]) -> Any:
    return members["created_at"]


def _new_config() -> SessionConfig:
    return SessionConfig()


def _new_context_usage() -> ContextUsage:
    return ContextUsage()


def _new_total_usage() -> TokenUsage:
    return TokenUsage()


class SessionData(CheckedOnReadModel):
    """A session. ``SessionData(id="x")`` makes an empty one.

    ``created_at`` and ``updated_at`` are Unix seconds, by default the current time. A store never changes them; ``touch`` moves
    ``updated_at``. ``total_cost`` is in US dollars, ``thinking_budget`` in tokens. Older files have
    ``todos`` instead of ``tasks``; that name is read and never written. a3s-code writes ``tenant_id``, ``principal``,
    ``agent_template_id`` and ``correlation_id`` since 3.3, and ignores ``tags``: words of yours to find sessions by.
    """

    required_on_read: ClassVar = (
        "config",
        "state",
        "messages",
        "context_usage",
        "total_usage",
        "tool_names",
        "thinking_enabled",
        "created_at",
        "updated_at",
    )
    read_aliases: ClassVar[Mapping[str, str]] = {"todos": "tasks"}

    id: str
    config: SessionConfig = Field(default_factory=_new_config)
    state: SessionState = SessionState.UNKNOWN
    messages: list[Message] = Field(default_factory=new_list)
    context_usage: ContextUsage = Field(default_factory=_new_context_usage)
    total_usage: TokenUsage = Field(default_factory=_new_total_usage)
    total_cost: F64 = 0.0
    model_name: str | None = Field(default=None, exclude_if=is_none)
    cost_records: list[LlmCostRecord] = Field(default_factory=new_list)
    tool_names: list[str] = Field(default_factory=new_list)
    thinking_enabled: bool = False
    thinking_budget: U64 | None = None
    created_at: I64 = Field(default_factory=_now)
    updated_at: I64 = Field(default_factory=_as_created)
    llm_config: LlmConfigData | None = Field(default=None, exclude_if=is_none)
    tasks: list[Task] = Field(
        default_factory=new_list,
        validation_alias=AliasChoices("tasks", "todos"),
    )
    parent_id: str | None = Field(default=None, exclude_if=is_none)
    tenant_id: str | None = Field(default=None, exclude_if=is_none)
    principal: str | None = Field(default=None, exclude_if=is_none)
    agent_template_id: str | None = Field(default=None, exclude_if=is_none)
    correlation_id: str | None = Field(default=None, exclude_if=is_none)
    tags: list[str] = Field(default_factory=new_list, exclude_if=is_empty)

    @staticmethod
    @refusing
    def tool_names_from_definitions(definitions: Iterable[ToolDefinition]) -> list[str]:
        """The names of the tools, in order, for ``tool_names``."""
        return [definition.name for definition in definitions]

    def touch(self) -> None:
        """Set ``updated_at`` to the current time; it never moves backwards. Nothing is saved."""
        self.updated_at = max(self.updated_at, _now())
