"""How a session was set up."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from sessionbucket.models._base import CheckedOnReadModel, is_none
from sessionbucket.models._numbers import F32, U32
from sessionbucket.models.confirmation import ConfirmationPolicy
from sessionbucket.models.permissions import PermissionPolicy
from sessionbucket.models.queues import SessionQueueConfig
from sessionbucket.models.security import SecurityConfig


class StorageBackend(StrEnum):
    """Where the reference keeps a session; stored for its sake, and not acted upon here."""

    MEMORY = "memory"
    FILE = "file"
    CUSTOM = "custom"


class PlanningMode(StrEnum):
    """Whether an agent plans before it acts."""

    AUTO = "Auto"
    DISABLED = "Disabled"
    ENABLED = "Enabled"


class SessionConfig(CheckedOnReadModel):
    """The settings of a session.

    ``max_context_length`` is in tokens; ``auto_compact_threshold`` is the share of it, between 0 and 1,
    at which the history is compacted.
    """

    required_on_read: ClassVar = ("name", "workspace", "max_context_length", "auto_compact")

    name: str = ""
    workspace: str = ""
    system_prompt: str | None = None
    max_context_length: U32 = 0
    auto_compact: bool = False
    auto_compact_threshold: F32 = 0.8
    storage_type: StorageBackend = StorageBackend.FILE
    queue_config: SessionQueueConfig | None = Field(default=None, exclude_if=is_none)
    confirmation_policy: ConfirmationPolicy | None = Field(default=None, exclude_if=is_none)
    permission_policy: PermissionPolicy | None = Field(default=None, exclude_if=is_none)
    parent_id: str | None = Field(default=None, exclude_if=is_none)
    security_config: SecurityConfig | None = Field(default=None, exclude_if=is_none)
    planning_mode: PlanningMode = PlanningMode.AUTO
    goal_tracking: bool = False
