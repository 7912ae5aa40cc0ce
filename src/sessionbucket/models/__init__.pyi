from sessionbucket.models.any_session import AnySession as AnySession
from sessionbucket.models.artifacts import ArtifactStore as ArtifactStore
from sessionbucket.models.artifacts import ToolArtifact as ToolArtifact
from sessionbucket.models.config import DEFAULT_AUTO_COMPACT_THRESHOLD as DEFAULT_AUTO_COMPACT_THRESHOLD
from sessionbucket.models.config import LlmConfigData as LlmConfigData
from sessionbucket.models.config import PlanningMode as PlanningMode
from sessionbucket.models.config import SessionConfig as SessionConfig
from sessionbucket.models.config import StorageBackend as StorageBackend
from sessionbucket.models.conversation import Conversation as Conversation
from sessionbucket.models.messages import ContentBlock as ContentBlock
from sessionbucket.models.messages import ImageBlock as ImageBlock
from sessionbucket.models.messages import ImageSource as ImageSource
from sessionbucket.models.messages import Message as Message
from sessionbucket.models.messages import TextBlock as TextBlock
from sessionbucket.models.messages import ToolDefinition as ToolDefinition
from sessionbucket.models.messages import ToolResultBlock as ToolResultBlock
from sessionbucket.models.messages import ToolResultPart as ToolResultPart
from sessionbucket.models.messages import ToolUseBlock as ToolUseBlock
from sessionbucket.models.policies import ClassificationRule as ClassificationRule
from sessionbucket.models.policies import ConfirmationPolicy as ConfirmationPolicy
from sessionbucket.models.policies import PermissionDecision as PermissionDecision
from sessionbucket.models.policies import PermissionPolicy as PermissionPolicy
from sessionbucket.models.policies import PermissionRule as PermissionRule
from sessionbucket.models.policies import RedactionStrategy as RedactionStrategy
from sessionbucket.models.policies import SecurityConfig as SecurityConfig
from sessionbucket.models.policies import SecurityFeatures as SecurityFeatures
from sessionbucket.models.policies import SensitivityLevel as SensitivityLevel
from sessionbucket.models.policies import TimeoutAction as TimeoutAction
from sessionbucket.models.queues import Lane as Lane
from sessionbucket.models.queues import LaneHandlerConfig as LaneHandlerConfig
from sessionbucket.models.queues import LaneHandlerMode as LaneHandlerMode
from sessionbucket.models.queues import PriorityBoost as PriorityBoost
from sessionbucket.models.queues import RateLimit as RateLimit
from sessionbucket.models.queues import RetryPolicy as RetryPolicy
from sessionbucket.models.queues import SessionQueueConfig as SessionQueueConfig
from sessionbucket.models.session import SessionData as SessionData
from sessionbucket.models.session import SessionState as SessionState
from sessionbucket.models.tasks import Task as Task
from sessionbucket.models.tasks import TaskPriority as TaskPriority
from sessionbucket.models.tasks import TaskStatus as TaskStatus
from sessionbucket.models.traces import TraceEvent as TraceEvent
from sessionbucket.models.traces import TraceKind as TraceKind
from sessionbucket.models.usage import ContextUsage as ContextUsage
from sessionbucket.models.usage import LlmCostRecord as LlmCostRecord
from sessionbucket.models.usage import TokenUsage as TokenUsage
from sessionbucket.models.verification import VerificationCheck as VerificationCheck
from sessionbucket.models.verification import VerificationReport as VerificationReport
from sessionbucket.models.verification import VerificationStatus as VerificationStatus

__all__ = [
    "DEFAULT_AUTO_COMPACT_THRESHOLD",
    "AnySession",
    "ArtifactStore",
    "ClassificationRule",
    "ConfirmationPolicy",
    "ContentBlock",
    "ContextUsage",
    "Conversation",
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
]
