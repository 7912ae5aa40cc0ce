"""Keeps AI agents' sessions in S3-compatible buckets, and in a local folder with the very same keys."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sessionbucket._async.base_store import (
        AsyncBaseSessionStore,
    )
    from sessionbucket._async.bucket import (
        AsyncBucket,
        AsyncObjectStream,
    )
    from sessionbucket._async.buckets.file import (
        AsyncFileBucket,
    )
    from sessionbucket._async.buckets.memory import (
        AsyncMemoryBucket,
    )
    from sessionbucket._async.buckets.obstore import (
        AsyncObstoreBucket,
    )
    from sessionbucket._async.buckets.s3 import (
        AsyncS3Bucket,
    )
    from sessionbucket._async.file_reader import (
        AsyncFileReader,
    )
    from sessionbucket._async.open_store import (
        open_async_store,
    )
    from sessionbucket._async.store import (
        AsyncSessionStore,
    )
    from sessionbucket._backends.obstore.options import (
        CloudOptions,
    )
    from sessionbucket._backends.s3.options import (
        S3Options,
    )
    from sessionbucket._core.findings import (
        Finding,
        Problem,
    )
    from sessionbucket._core.objects import (
        Absent,
        Anything,
        Condition,
        Match,
        ObjectInfo,
        ObjectPage,
        PreconditionFailedError,
        StoredObject,
    )
    from sessionbucket._core.pagination import (
        FileInfo,
        SessionInfo,
        SessionPage,
    )
    from sessionbucket._core.results import (
        Capability,
        ProbeResult,
    )
    from sessionbucket._core.retry import (
        Patience,
    )
    from sessionbucket._sync.base_store import (
        BaseSessionStore,
    )
    from sessionbucket._sync.bucket import (
        Bucket,
        ObjectStream,
    )
    from sessionbucket._sync.buckets.file import (
        FileBucket,
    )
    from sessionbucket._sync.buckets.memory import (
        MemoryBucket,
    )
    from sessionbucket._sync.buckets.obstore import (
        ObstoreBucket,
    )
    from sessionbucket._sync.buckets.s3 import (
        S3Bucket,
    )
    from sessionbucket._sync.file_reader import (
        FileReader,
    )
    from sessionbucket._sync.open_store import (
        open_store,
    )
    from sessionbucket._sync.store import (
        SessionStore,
    )
    from sessionbucket.errors import (
        AccessDeniedError,
        BucketNotFoundError,
        ConditionalWritesUnsupportedError,
        DeleteIncompleteError,
        FileNotInStoreError,
        InvalidArgumentError,
        InvalidSessionIdError,
        NotSupportedError,
        SessionBucketError,
        SessionConflictError,
        SessionCorruptedError,
        SessionNotFoundError,
        SessionTooLargeError,
        StorageError,
        StoreUnavailableError,
    )
    from sessionbucket.models import (
        ArtifactStore,
        ClassificationRule,
        ConfirmationPolicy,
        ContentBlock,
        ContextUsage,
        ImageBlock,
        ImageSource,
        Lane,
        LaneHandlerConfig,
        LaneHandlerMode,
        LlmConfigData,
        LlmCostRecord,
        Message,
        PermissionDecision,
        PermissionPolicy,
        PermissionRule,
        PlanningMode,
        PriorityBoost,
        RateLimit,
        RedactionStrategy,
        RetryPolicy,
        SecurityConfig,
        SecurityFeatures,
        SensitivityLevel,
        SessionConfig,
        SessionData,
        SessionQueueConfig,
        SessionState,
        StorageBackend,
        Task,
        TaskPriority,
        TaskStatus,
        TextBlock,
        TimeoutAction,
        TokenUsage,
        ToolArtifact,
        ToolDefinition,
        ToolResultBlock,
        ToolResultPart,
        ToolUseBlock,
        TraceEvent,
        TraceKind,
        VerificationCheck,
        VerificationReport,
        VerificationStatus,
        tool_names_from_definitions,
    )

# Where each name lives. A module is loaded when one of its names is first asked for, so that a store in a
# folder never pays for boto3, nor a sync one for asyncio.
_HOMES = {
    "AsyncBaseSessionStore": "sessionbucket._async.base_store",
    "AsyncBucket": "sessionbucket._async.bucket",
    "AsyncObjectStream": "sessionbucket._async.bucket",
    "AsyncFileBucket": "sessionbucket._async.buckets.file",
    "AsyncMemoryBucket": "sessionbucket._async.buckets.memory",
    "AsyncObstoreBucket": "sessionbucket._async.buckets.obstore",
    "AsyncS3Bucket": "sessionbucket._async.buckets.s3",
    "open_async_store": "sessionbucket._async.open_store",
    "AsyncSessionStore": "sessionbucket._async.store",
    "AsyncFileReader": "sessionbucket._async.file_reader",
    "CloudOptions": "sessionbucket._backends.obstore.options",
    "S3Options": "sessionbucket._backends.s3.options",
    "BaseSessionStore": "sessionbucket._sync.base_store",
    "Bucket": "sessionbucket._sync.bucket",
    "ObjectStream": "sessionbucket._sync.bucket",
    "FileBucket": "sessionbucket._sync.buckets.file",
    "MemoryBucket": "sessionbucket._sync.buckets.memory",
    "ObstoreBucket": "sessionbucket._sync.buckets.obstore",
    "S3Bucket": "sessionbucket._sync.buckets.s3",
    "open_store": "sessionbucket._sync.open_store",
    "SessionStore": "sessionbucket._sync.store",
    "FileReader": "sessionbucket._sync.file_reader",
    "Capability": "sessionbucket._core.results",
    "ProbeResult": "sessionbucket._core.results",
    "AccessDeniedError": "sessionbucket.errors",
    "BucketNotFoundError": "sessionbucket.errors",
    "ConditionalWritesUnsupportedError": "sessionbucket.errors",
    "DeleteIncompleteError": "sessionbucket.errors",
    "FileNotInStoreError": "sessionbucket.errors",
    "InvalidArgumentError": "sessionbucket.errors",
    "InvalidSessionIdError": "sessionbucket.errors",
    "NotSupportedError": "sessionbucket.errors",
    "SessionBucketError": "sessionbucket.errors",
    "SessionConflictError": "sessionbucket.errors",
    "SessionCorruptedError": "sessionbucket.errors",
    "SessionNotFoundError": "sessionbucket.errors",
    "SessionTooLargeError": "sessionbucket.errors",
    "StorageError": "sessionbucket.errors",
    "StoreUnavailableError": "sessionbucket.errors",
    "Finding": "sessionbucket._core.findings",
    "Problem": "sessionbucket._core.findings",
    "FileInfo": "sessionbucket._core.pagination",
    "SessionInfo": "sessionbucket._core.pagination",
    "SessionPage": "sessionbucket._core.pagination",
    "ArtifactStore": "sessionbucket.models",
    "ClassificationRule": "sessionbucket.models",
    "ConfirmationPolicy": "sessionbucket.models",
    "ContentBlock": "sessionbucket.models",
    "ContextUsage": "sessionbucket.models",
    "ImageBlock": "sessionbucket.models",
    "ImageSource": "sessionbucket.models",
    "Lane": "sessionbucket.models",
    "LaneHandlerConfig": "sessionbucket.models",
    "LaneHandlerMode": "sessionbucket.models",
    "LlmConfigData": "sessionbucket.models",
    "LlmCostRecord": "sessionbucket.models",
    "Message": "sessionbucket.models",
    "PermissionDecision": "sessionbucket.models",
    "PermissionPolicy": "sessionbucket.models",
    "PermissionRule": "sessionbucket.models",
    "PlanningMode": "sessionbucket.models",
    "PriorityBoost": "sessionbucket.models",
    "RateLimit": "sessionbucket.models",
    "RedactionStrategy": "sessionbucket.models",
    "RetryPolicy": "sessionbucket.models",
    "SecurityConfig": "sessionbucket.models",
    "SecurityFeatures": "sessionbucket.models",
    "SensitivityLevel": "sessionbucket.models",
    "SessionConfig": "sessionbucket.models",
    "SessionData": "sessionbucket.models",
    "SessionQueueConfig": "sessionbucket.models",
    "SessionState": "sessionbucket.models",
    "StorageBackend": "sessionbucket.models",
    "Task": "sessionbucket.models",
    "TaskPriority": "sessionbucket.models",
    "TaskStatus": "sessionbucket.models",
    "TextBlock": "sessionbucket.models",
    "TimeoutAction": "sessionbucket.models",
    "TokenUsage": "sessionbucket.models",
    "ToolArtifact": "sessionbucket.models",
    "ToolDefinition": "sessionbucket.models",
    "ToolResultBlock": "sessionbucket.models",
    "ToolResultPart": "sessionbucket.models",
    "ToolUseBlock": "sessionbucket.models",
    "TraceEvent": "sessionbucket.models",
    "TraceKind": "sessionbucket.models",
    "VerificationCheck": "sessionbucket.models",
    "VerificationReport": "sessionbucket.models",
    "VerificationStatus": "sessionbucket.models",
    "tool_names_from_definitions": "sessionbucket.models",
    "Absent": "sessionbucket._core.objects",
    "Anything": "sessionbucket._core.objects",
    "Condition": "sessionbucket._core.objects",
    "Match": "sessionbucket._core.objects",
    "ObjectInfo": "sessionbucket._core.objects",
    "ObjectPage": "sessionbucket._core.objects",
    "PreconditionFailedError": "sessionbucket._core.objects",
    "StoredObject": "sessionbucket._core.objects",
    "Patience": "sessionbucket._core.retry",
}

__all__ = [
    "Absent",
    "AccessDeniedError",
    "Anything",
    "ArtifactStore",
    "AsyncBaseSessionStore",
    "AsyncBucket",
    "AsyncFileBucket",
    "AsyncFileReader",
    "AsyncMemoryBucket",
    "AsyncObjectStream",
    "AsyncObstoreBucket",
    "AsyncS3Bucket",
    "AsyncSessionStore",
    "BaseSessionStore",
    "Bucket",
    "BucketNotFoundError",
    "Capability",
    "ClassificationRule",
    "CloudOptions",
    "Condition",
    "ConditionalWritesUnsupportedError",
    "ConfirmationPolicy",
    "ContentBlock",
    "ContextUsage",
    "DeleteIncompleteError",
    "FileBucket",
    "FileInfo",
    "FileNotInStoreError",
    "FileReader",
    "Finding",
    "ImageBlock",
    "ImageSource",
    "InvalidArgumentError",
    "InvalidSessionIdError",
    "Lane",
    "LaneHandlerConfig",
    "LaneHandlerMode",
    "LlmConfigData",
    "LlmCostRecord",
    "Match",
    "MemoryBucket",
    "Message",
    "NotSupportedError",
    "ObjectInfo",
    "ObjectPage",
    "ObjectStream",
    "ObstoreBucket",
    "Patience",
    "PermissionDecision",
    "PermissionPolicy",
    "PermissionRule",
    "PlanningMode",
    "PreconditionFailedError",
    "PriorityBoost",
    "ProbeResult",
    "Problem",
    "RateLimit",
    "RedactionStrategy",
    "RetryPolicy",
    "S3Bucket",
    "S3Options",
    "SecurityConfig",
    "SecurityFeatures",
    "SensitivityLevel",
    "SessionBucketError",
    "SessionConfig",
    "SessionConflictError",
    "SessionCorruptedError",
    "SessionData",
    "SessionInfo",
    "SessionNotFoundError",
    "SessionPage",
    "SessionQueueConfig",
    "SessionState",
    "SessionStore",
    "SessionTooLargeError",
    "StorageBackend",
    "StorageError",
    "StoreUnavailableError",
    "StoredObject",
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
    "open_async_store",
    "open_store",
    "tool_names_from_definitions",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
