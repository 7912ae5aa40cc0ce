"""Everything that is stored, as pydantic models: sessions and their parts, artifacts, traces, reports."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sessionbucket.models.artifacts import ArtifactStore, ToolArtifact
    from sessionbucket.models.config import PlanningMode, SessionConfig, StorageBackend
    from sessionbucket.models.confirmation import ConfirmationPolicy, TimeoutAction
    from sessionbucket.models.llm import LlmConfigData
    from sessionbucket.models.messages import (
        ContentBlock,
        ImageBlock,
        ImageSource,
        Message,
        TextBlock,
        ToolResultBlock,
        ToolResultPart,
        ToolUseBlock,
    )
    from sessionbucket.models.permissions import PermissionDecision, PermissionPolicy, PermissionRule
    from sessionbucket.models.queues import (
        Lane,
        LaneHandlerConfig,
        LaneHandlerMode,
        PriorityBoost,
        RateLimit,
        RetryPolicy,
        SessionQueueConfig,
    )
    from sessionbucket.models.security import (
        ClassificationRule,
        RedactionStrategy,
        SecurityConfig,
        SecurityFeatures,
        SensitivityLevel,
    )
    from sessionbucket.models.session import SessionData, SessionState
    from sessionbucket.models.tasks import Task, TaskPriority, TaskStatus
    from sessionbucket.models.tools import ToolDefinition, tool_names_from_definitions
    from sessionbucket.models.traces import TraceEvent, TraceKind
    from sessionbucket.models.usage import ContextUsage, LlmCostRecord, TokenUsage
    from sessionbucket.models.verification import VerificationCheck, VerificationReport, VerificationStatus

# Where each name lives. To make a model costs about a millisecond, and a store that loads a session needs neither the parts
# nor the reports.
_HOMES = {
    "ArtifactStore": "artifacts",
    "ToolArtifact": "artifacts",
    "PlanningMode": "config",
    "SessionConfig": "config",
    "StorageBackend": "config",
    "ConfirmationPolicy": "confirmation",
    "TimeoutAction": "confirmation",
    "LlmConfigData": "llm",
    "ContentBlock": "messages",
    "ImageBlock": "messages",
    "ImageSource": "messages",
    "Message": "messages",
    "TextBlock": "messages",
    "ToolResultBlock": "messages",
    "ToolResultPart": "messages",
    "ToolUseBlock": "messages",
    "PermissionDecision": "permissions",
    "PermissionPolicy": "permissions",
    "PermissionRule": "permissions",
    "Lane": "queues",
    "LaneHandlerConfig": "queues",
    "LaneHandlerMode": "queues",
    "PriorityBoost": "queues",
    "RateLimit": "queues",
    "RetryPolicy": "queues",
    "SessionQueueConfig": "queues",
    "ClassificationRule": "security",
    "RedactionStrategy": "security",
    "SecurityConfig": "security",
    "SecurityFeatures": "security",
    "SensitivityLevel": "security",
    "SessionData": "session",
    "SessionState": "session",
    "Task": "tasks",
    "TaskPriority": "tasks",
    "TaskStatus": "tasks",
    "ToolDefinition": "tools",
    "tool_names_from_definitions": "tools",
    "TraceEvent": "traces",
    "TraceKind": "traces",
    "ContextUsage": "usage",
    "LlmCostRecord": "usage",
    "TokenUsage": "usage",
    "VerificationCheck": "verification",
    "VerificationReport": "verification",
    "VerificationStatus": "verification",
}

__all__ = [
    "ArtifactStore",
    "ClassificationRule",
    "ConfirmationPolicy",
    "ContentBlock",
    "ContextUsage",
    "ImageBlock",
    "ImageSource",
    "Lane",
    "LaneHandlerConfig",
    "LaneHandlerMode",
    "LlmConfigData",
    "LlmCostRecord",
    "Message",
    "PermissionDecision",
    "PermissionPolicy",
    "PermissionRule",
    "PlanningMode",
    "PriorityBoost",
    "RateLimit",
    "RedactionStrategy",
    "RetryPolicy",
    "SecurityConfig",
    "SecurityFeatures",
    "SensitivityLevel",
    "SessionConfig",
    "SessionData",
    "SessionQueueConfig",
    "SessionState",
    "StorageBackend",
    "Task",
    "TaskPriority",
    "TaskStatus",
    "TextBlock",
    "TimeoutAction",
    "TokenUsage",
    "ToolArtifact",
    "ToolDefinition",
    "ToolResultBlock",
    "ToolResultPart",
    "ToolUseBlock",
    "TraceEvent",
    "TraceKind",
    "VerificationCheck",
    "VerificationReport",
    "VerificationStatus",
    "tool_names_from_definitions",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
