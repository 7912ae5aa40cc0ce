"""The requests of a store to S3, in the form in which a policy allows or denies them.

The permissions are those of "Required permissions for Amazon S3 API operations" in the S3 User Guide, the keys those of "Actions,
resources, and condition keys for Amazon S3" in the Service Authorization Reference.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3

from sessionbucket import S3Bucket, SessionData, SessionStore
from terraform.policy_simulator import Request

Call = tuple[str, dict[str, Any]]
Work = Callable[[SessionStore[SessionData]], None]

TLS = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
UPLOADS = "s3:ListBucketMultipartUploads"
_READING = ("GetObject", "HeadObject")
_CREATING = ("PutObject", "CompleteMultipartUpload")
_PREPARING = ("CreateMultipartUpload", "UploadPart")
_CONDITIONS = {"IfMatch": "s3:if-match", "IfNoneMatch": "s3:if-none-match"}


@dataclass(frozen=True)
class Recorded:
    """The requests of a store: those of reads, those of all work, those of history, and the writes of sessions by a store whose
    conditional writes are off.
    """

    reading: list[Request]
    working: list[Request]
    looking_back: list[Request]
    restoring: list[Request]
    erasing: list[Request]
    unconditional: list[Request]


Record = Callable[[str], Recorded]


def calls_of(work: Work, endpoint_url: str, bucket: str, prefix: str, **options: Any) -> list[Call]:
    """The S3 operations, with their parameters, that a store at the prefix sends for the work."""
    calls: list[Call] = []
    session = boto3.Session()
    session.events.register(
        "provide-client-params.s3", lambda params, model, **_: calls.append((model.name, dict(params)))
    )
    s3 = S3Bucket(bucket, session=session, endpoint_url=endpoint_url, region="us-east-1", **options)
    with SessionStore(s3, prefix) as store, warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of a store whose conditional writes are off
        work(store)
    return calls


def requests_of(calls: Iterable[Call], bucket_arn: str) -> list[Request]:
    """The distinct requests of the calls."""
    found = {str(request): request for call in calls for request in _requests(*call, bucket_arn)}
    return list(found.values())


def _requests(operation: str, parameters: dict[str, Any], bucket_arn: str) -> Iterator[Request]:  # noqa: C901, PLR0912 (a table)
    resource = f"{bucket_arn}/{parameters.get('Key')}"
    if operation in _READING and "VersionId" in parameters:
        yield Request("s3:GetObjectVersion", resource, TLS)
    elif operation in _READING:
        yield Request("s3:GetObject", resource, TLS)
        yield missing_key_request(parameters["Key"], bucket_arn)
    elif operation in _CREATING:
        conditions = {key: parameters[name] for name, key in _CONDITIONS.items() if name in parameters}
        yield Request("s3:PutObject", resource, {**TLS, **conditions, "s3:ObjectCreationOperation": "true"})
    elif operation == "CopyObject":
        source = parameters["CopySource"]
        yield Request("s3:GetObject", f"{bucket_arn}/{source['Key']}", TLS)
        yield Request("s3:PutObject", resource, {**TLS, "s3:ObjectCreationOperation": "true"})
    elif operation in _PREPARING:
        yield Request("s3:PutObject", resource, {**TLS, "s3:ObjectCreationOperation": "false"})
    elif operation in ("AbortMultipartUpload", "DeleteObject"):
        yield Request(f"s3:{operation}", resource, TLS)
        if "IfMatch" in parameters:
            yield Request("s3:GetObject", resource, TLS)
    elif operation == "DeleteObjects":
        for row in parameters["Delete"]["Objects"]:
            action = "s3:DeleteObjectVersion" if "VersionId" in row else "s3:DeleteObject"
            yield Request(action, f"{bucket_arn}/{row['Key']}", TLS)
    elif operation == "GetBucketVersioning":
        yield Request("s3:GetBucketVersioning", bucket_arn, TLS)
    elif operation == "ListMultipartUploads":
        yield Request(UPLOADS, bucket_arn, TLS)
    elif operation == "ListObjectVersions":
        keys = {"s3:prefix": parameters["Prefix"], "s3:max-keys": str(parameters["MaxKeys"])}
        yield Request("s3:ListBucketVersions", bucket_arn, {**TLS, **keys})
    elif operation == "ListObjectsV2":
        delimiter = {"s3:delimiter": parameters["Delimiter"]} if "Delimiter" in parameters else {}
        keys = {"s3:prefix": parameters["Prefix"], "s3:max-keys": str(parameters["MaxKeys"]), **delimiter}
        yield Request("s3:ListBucket", bucket_arn, {**TLS, **keys})
    else:
        raise AssertionError(f"the permissions of {operation} are missing here")


def without_uploads(requests: Iterable[Request]) -> list[Request]:
    """The requests without the listing of unfinished uploads, without which a check checks the rest."""
    return [request for request in requests if request.action != UPLOADS]


def missing_key_request(key: str, bucket_arn: str) -> Request:
    """The request that a policy must allow for a read of a missing key to get 404. Otherwise S3 responds 403."""
    return Request("s3:ListBucket", bucket_arn, {**TLS, "s3:prefix": key})
