"""The settings of a session, and its language model."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, SecretStr

from sessionbucket.models._base import CheckedOnReadModel, WireModel, is_empty, is_none
from sessionbucket.models._lazy import lazy_model
from sessionbucket.models._scalars import F32, U32, U64

if TYPE_CHECKING:
    from sessionbucket.models.policies import ConfirmationPolicy, PermissionPolicy, SecurityConfig
    from sessionbucket.models.queues import SessionQueueConfig
else:
    ConfirmationPolicy = lazy_model("sessionbucket.models.policies", "ConfirmationPolicy")
    PermissionPolicy = lazy_model("sessionbucket.models.policies", "PermissionPolicy")
    SecurityConfig = lazy_model("sessionbucket.models.policies", "SecurityConfig")
    SessionQueueConfig = lazy_model("sessionbucket.models.queues", "SessionQueueConfig")

DEFAULT_AUTO_COMPACT_THRESHOLD = 0.8
"""The fraction of the context at which a history is compacted, unless a session sets another."""


class StorageBackend(StrEnum):
    """The storage of a3s-code. It is stored for a3s-code, and has no effect here."""

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

    ``max_context_length`` is in tokens. ``auto_compact_threshold`` is the fraction of it, between 0 and 1,
    at which the history is compacted. Later releases of a3s-code write ``enforce_active_skill_tool_restrictions``,
    ``max_parallel_tasks`` and ``auto_delegation`` (any JSON object); 2.x ignores them.
    """

    required_on_read: ClassVar = ("name", "workspace", "max_context_length", "auto_compact")

    name: str = ""
    workspace: str = ""
    system_prompt: str | None = None
    max_context_length: U32 = 0
    auto_compact: bool = False
    auto_compact_threshold: F32 = DEFAULT_AUTO_COMPACT_THRESHOLD
    storage_type: StorageBackend = StorageBackend.FILE
    queue_config: SessionQueueConfig | None = Field(default=None, exclude_if=is_none)
    confirmation_policy: ConfirmationPolicy | None = Field(default=None, exclude_if=is_none)
    permission_policy: PermissionPolicy | None = Field(default=None, exclude_if=is_none)
    enforce_active_skill_tool_restrictions: bool = Field(default=False, exclude_if=is_empty)
    max_parallel_tasks: U64 | None = Field(default=None, exclude_if=is_none)
    auto_delegation: dict[str, Any] | None = Field(default=None, exclude_if=is_none)
    parent_id: str | None = Field(default=None, exclude_if=is_none)
    security_config: SecurityConfig | None = Field(default=None, exclude_if=is_none)
    planning_mode: PlanningMode = PlanningMode.AUTO
    goal_tracking: bool = False


class LlmConfigData(WireModel):
    """A provider, a model, and the URL of its API.

    ``api_key`` is accepted, and is read from a file that contains one. It is never written, dumped or
    shown, so set it again after a load.
    """

    provider: str
    model: str
    base_url: str | None = None
    api_key: SecretStr | None = Field(default=None, exclude=True, repr=False)
