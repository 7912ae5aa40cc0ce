"""Everything that is stored, as pydantic models: sessions and their parts, artifacts, traces, reports."""

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
