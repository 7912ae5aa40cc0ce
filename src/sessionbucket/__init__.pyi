from sessionbucket._async.append_log import AsyncAppendLog as AsyncAppendLog
from sessionbucket._async.base_store import AsyncBaseSessionStore as AsyncBaseSessionStore
from sessionbucket._async.bucket import AsyncBucket as AsyncBucket
from sessionbucket._async.bucket import AsyncObjectStream as AsyncObjectStream
from sessionbucket._async.buckets.file import AsyncFileBucket as AsyncFileBucket
from sessionbucket._async.buckets.memory import AsyncMemoryBucket as AsyncMemoryBucket
from sessionbucket._async.buckets.obstore import AsyncObstoreBucket as AsyncObstoreBucket
from sessionbucket._async.buckets.s3 import AsyncS3Bucket as AsyncS3Bucket
from sessionbucket._async.copying import copy_async_sessions as copy_async_sessions
from sessionbucket._async.documents import AsyncDocumentStore as AsyncDocumentStore
from sessionbucket._async.history import AsyncSessionHistory as AsyncSessionHistory
from sessionbucket._async.lease import AsyncLease as AsyncLease
from sessionbucket._async.open_bucket import open_async_documents as open_async_documents
from sessionbucket._async.open_store import open_async_store as open_async_store
from sessionbucket._async.raw_sessions import AsyncRawSessions as AsyncRawSessions
from sessionbucket._async.reencrypting import reencrypt_async_store as reencrypt_async_store
from sessionbucket._async.session_files import AsyncFileReader as AsyncFileReader
from sessionbucket._async.session_ranges import AsyncSessionRanges as AsyncSessionRanges
from sessionbucket._async.store import AsyncSessionStore as AsyncSessionStore
from sessionbucket._async.traced_store import AsyncTracedSessionStore as AsyncTracedSessionStore
from sessionbucket._async.wrappers.base import AsyncBucketWrapper as AsyncBucketWrapper
from sessionbucket._async.wrappers.encrypting import AsyncEncryptingBucket as AsyncEncryptingBucket
from sessionbucket._async.wrappers.tracing import AsyncTracingBucket as AsyncTracingBucket
from sessionbucket._backends.kms import KmsKeyring as KmsKeyring
from sessionbucket._backends.obstore.options import CloudOptions as CloudOptions
from sessionbucket._backends.s3.options import S3Options as S3Options
from sessionbucket._backends.store_options import StoreOptions as StoreOptions
from sessionbucket._core.document_keys import INTEGRATION_FOLDERS as INTEGRATION_FOLDERS
from sessionbucket._core.document_keys import decode_segment as decode_segment
from sessionbucket._core.document_keys import encode_segment as encode_segment
from sessionbucket._core.document_keys import newest_first as newest_first
from sessionbucket._core.findings import Finding as Finding
from sessionbucket._core.findings import Problem as Problem
from sessionbucket._core.frames import Frame as Frame
from sessionbucket._core.frames import decode_frame as decode_frame
from sessionbucket._core.frames import decode_frame_header as decode_frame_header
from sessionbucket._core.frames import encode_frame as encode_frame
from sessionbucket._core.keyring import EncryptionContext as EncryptionContext
from sessionbucket._core.keyring import EncryptionKey as EncryptionKey
from sessionbucket._core.keyring import KeyProvider as KeyProvider
from sessionbucket._core.keyring import Keyring as Keyring
from sessionbucket._core.log_results import Log as Log
from sessionbucket._core.log_results import LogDraft as LogDraft
from sessionbucket._core.log_results import LogHead as LogHead
from sessionbucket._core.log_results import LogInfo as LogInfo
from sessionbucket._core.objects import NO_METADATA as NO_METADATA
from sessionbucket._core.objects import PAGE_LIMIT as PAGE_LIMIT
from sessionbucket._core.objects import Always as Always
from sessionbucket._core.objects import BucketCall as BucketCall
from sessionbucket._core.objects import Capabilities as Capabilities
from sessionbucket._core.objects import Condition as Condition
from sessionbucket._core.objects import IfAbsent as IfAbsent
from sessionbucket._core.objects import IfMatch as IfMatch
from sessionbucket._core.objects import Kept as Kept
from sessionbucket._core.objects import ObjectInfo as ObjectInfo
from sessionbucket._core.objects import ObjectPage as ObjectPage
from sessionbucket._core.objects import ObjectVersion as ObjectVersion
from sessionbucket._core.objects import Operation as Operation
from sessionbucket._core.objects import StoredObject as StoredObject
from sessionbucket._core.objects import VersionPage as VersionPage
from sessionbucket._core.objects import md5_version as md5_version
from sessionbucket._core.results import UNSEEN as UNSEEN
from sessionbucket._core.results import ConditionalWriteSupport as ConditionalWriteSupport
from sessionbucket._core.results import CopyResult as CopyResult
from sessionbucket._core.results import Document as Document
from sessionbucket._core.results import DocumentInfo as DocumentInfo
from sessionbucket._core.results import ErasureReport as ErasureReport
from sessionbucket._core.results import FileInfo as FileInfo
from sessionbucket._core.results import IntegrationInfo as IntegrationInfo
from sessionbucket._core.results import IntegrationPage as IntegrationPage
from sessionbucket._core.results import ProbeResult as ProbeResult
from sessionbucket._core.results import ReencryptResult as ReencryptResult
from sessionbucket._core.results import SessionDiff as SessionDiff
from sessionbucket._core.results import SessionInfo as SessionInfo
from sessionbucket._core.results import SessionPage as SessionPage
from sessionbucket._core.results import SessionVersion as SessionVersion
from sessionbucket._core.results import Unseen as Unseen
from sessionbucket._core.retention import Retention as Retention
from sessionbucket._core.retention import Swept as Swept
from sessionbucket._core.retry import NO_RETRY as NO_RETRY
from sessionbucket._core.retry import RetryConfig as RetryConfig
from sessionbucket._core.session_ranges import ListedObject as ListedObject
from sessionbucket._core.session_ranges import SessionRange as SessionRange
from sessionbucket._core.store_url import ENVIRONMENT_VARIABLE as ENVIRONMENT_VARIABLE
from sessionbucket._core.summary import SessionSummary as SessionSummary
from sessionbucket._core.summary import SummaryMode as SummaryMode
from sessionbucket._core.summary import SummaryPage as SummaryPage
from sessionbucket._core.summary import summarize as summarize
from sessionbucket._core.telemetry import Telemetry as Telemetry
from sessionbucket._sync.append_log import AppendLog as AppendLog
from sessionbucket._sync.base_store import BaseSessionStore as BaseSessionStore
from sessionbucket._sync.bucket import Bucket as Bucket
from sessionbucket._sync.bucket import ObjectStream as ObjectStream
from sessionbucket._sync.buckets.file import FileBucket as FileBucket
from sessionbucket._sync.buckets.memory import MemoryBucket as MemoryBucket
from sessionbucket._sync.buckets.obstore import ObstoreBucket as ObstoreBucket
from sessionbucket._sync.buckets.s3 import S3Bucket as S3Bucket
from sessionbucket._sync.copying import copy_sessions as copy_sessions
from sessionbucket._sync.documents import DocumentStore as DocumentStore
from sessionbucket._sync.history import SessionHistory as SessionHistory
from sessionbucket._sync.lease import Lease as Lease
from sessionbucket._sync.open_bucket import open_documents as open_documents
from sessionbucket._sync.open_store import open_store as open_store
from sessionbucket._sync.raw_sessions import RawSessions as RawSessions
from sessionbucket._sync.reencrypting import reencrypt_store as reencrypt_store
from sessionbucket._sync.session_files import FileReader as FileReader
from sessionbucket._sync.session_ranges import SessionRanges as SessionRanges
from sessionbucket._sync.store import SessionStore as SessionStore
from sessionbucket._sync.traced_store import TracedSessionStore as TracedSessionStore
from sessionbucket._sync.wrappers.base import BucketWrapper as BucketWrapper
from sessionbucket._sync.wrappers.encrypting import EncryptingBucket as EncryptingBucket
from sessionbucket._sync.wrappers.tracing import TracingBucket as TracingBucket
from sessionbucket.errors import AccessDeniedError as AccessDeniedError
from sessionbucket.errors import BucketNotFoundError as BucketNotFoundError
from sessionbucket.errors import ConditionalWritesUnsupportedError as ConditionalWritesUnsupportedError
from sessionbucket.errors import ConflictError as ConflictError
from sessionbucket.errors import DeleteIncompleteError as DeleteIncompleteError
from sessionbucket.errors import EraseIncompleteError as EraseIncompleteError
from sessionbucket.errors import FileNotInStoreError as FileNotInStoreError
from sessionbucket.errors import InvalidArgumentError as InvalidArgumentError
from sessionbucket.errors import InvalidSessionIdError as InvalidSessionIdError
from sessionbucket.errors import LeaseHeldError as LeaseHeldError
from sessionbucket.errors import LeaseLostError as LeaseLostError
from sessionbucket.errors import NotSupportedError as NotSupportedError
from sessionbucket.errors import ObjectTooLargeError as ObjectTooLargeError
from sessionbucket.errors import PreconditionFailedError as PreconditionFailedError
from sessionbucket.errors import SessionBucketError as SessionBucketError
from sessionbucket.errors import SessionConflictError as SessionConflictError
from sessionbucket.errors import SessionCorruptedError as SessionCorruptedError
from sessionbucket.errors import SessionNotFoundError as SessionNotFoundError
from sessionbucket.errors import SessionTooLargeError as SessionTooLargeError
from sessionbucket.errors import StorageError as StorageError
from sessionbucket.errors import StoreUnavailableError as StoreUnavailableError
from sessionbucket.errors import VersionNotFoundError as VersionNotFoundError
from sessionbucket.models.conversation import Conversation as Conversation
from sessionbucket.models.messages import Message as Message
from sessionbucket.models.session import SessionData as SessionData

__all__ = [
    "AccessDeniedError",
    "AppendLog",
    "AsyncAppendLog",
    "AsyncBaseSessionStore",
    "AsyncBucket",
    "AsyncDocumentStore",
    "AsyncFileBucket",
    "AsyncMemoryBucket",
    "AsyncObstoreBucket",
    "AsyncS3Bucket",
    "AsyncSessionStore",
    "BaseSessionStore",
    "Bucket",
    "BucketNotFoundError",
    "ConditionalWritesUnsupportedError",
    "ConflictError",
    "Conversation",
    "DeleteIncompleteError",
    "Document",
    "DocumentStore",
    "EraseIncompleteError",
    "ErasureReport",
    "FileBucket",
    "FileInfo",
    "FileNotInStoreError",
    "InvalidArgumentError",
    "InvalidSessionIdError",
    "MemoryBucket",
    "Message",
    "NotSupportedError",
    "ObstoreBucket",
    "Retention",
    "S3Bucket",
    "SessionBucketError",
    "SessionConflictError",
    "SessionCorruptedError",
    "SessionData",
    "SessionInfo",
    "SessionNotFoundError",
    "SessionPage",
    "SessionStore",
    "SessionSummary",
    "SessionTooLargeError",
    "StorageError",
    "StoreUnavailableError",
    "VersionNotFoundError",
    "copy_async_sessions",
    "copy_sessions",
    "open_async_documents",
    "open_async_store",
    "open_documents",
    "open_store",
]
