"""The examples, applied to moto: their buckets, stores in them, and the state after a destroy.

One test applies all of them together, because the provider waits a minute for the lifecycle rules of a bucket to settle.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest

from sessionbucket import (
    AccessDeniedError,
    AsyncObstoreBucket,
    ObstoreBucket,
    S3Bucket,
    open_async_store,
    open_store,
)
from terraform import store_operations
from terraform.policy_simulator import Simulator
from terraform.programs import Terraform
from terraform.recorded_requests import calls_of, requests_of, without_uploads

REGION = "eu-central-1"
BUCKETS = ("acme-minimal", "acme-tenants", "acme-lambda")
TENANTS = {"support": "support/prod", "research": "research"}
FUNCTION = "sessionbucket-agent"
SERVICES = ("iam", "kms", "lambda", "logs", "s3", "sts")


@dataclass(frozen=True)
class Applied:
    """The outputs of each example, and a client of each service."""

    outputs: dict[str, Any]
    aws: dict[str, Any]
    endpoint_url: str
    simulator: Simulator


@pytest.fixture
def aws(moto_url: str) -> Iterator[dict[str, Any]]:
    session = boto3.Session(region_name=REGION)
    clients = {name: session.client(name, endpoint_url=moto_url) for name in SERVICES}
    yield clients
    for client in clients.values():
        client.close()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A deployment package with a handler that does nothing. moto stores it and never runs it."""
    path = tmp_path / "package.zip"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("async_handler.py", "def handler(event, context): ...")
    return path


@pytest.fixture
def at_moto(examples: Path, package: Path, moto_url: str) -> Path:
    """The examples' root module with one common provider, because each provider takes seconds to start."""
    for folder in (examples / "terraform" / "examples").iterdir():
        (folder / "provider.tf").unlink()
    main = examples / "main.tf.json"
    root = json.loads(main.read_text())
    root["provider"] = {
        "aws": {
            "region": REGION,
            "s3_use_path_style": True,
            "skip_credentials_validation": True,
            "skip_metadata_api_check": True,
            "endpoints": dict.fromkeys(SERVICES, moto_url),
        }
    }
    chosen = {"package": str(package), "architecture": "arm64", "handler": "async_handler.handler"}
    root["module"]["lambda"].update(chosen)
    main.write_text(json.dumps(root))
    return examples


@pytest.fixture
def applied(
    terraform_for_aws: Terraform,
    at_moto: Path,
    aws: dict[str, Any],
    moto_url: str,
    simulator: Simulator,
) -> Applied:
    terraform_for_aws.run(at_moto, "apply", "-auto-approve", "-no-color")
    return Applied(terraform_for_aws.outputs(at_moto), aws, moto_url, simulator)


@pytest.mark.slow
def test_the_examples_create_what_they_document_and_a_destroy_removes_everything(
    applied: Applied, terraform_for_aws: Terraform, at_moto: Path, subtests: pytest.Subtests
):
    for check in CHECKS:
        with subtests.test(check.__name__):
            check(applied)
    empty(applied.aws["s3"], "acme-tenants")
    terraform_for_aws.run(at_moto, "destroy", "-auto-approve", "-refresh=false", "-no-color")
    assert {row["Name"] for row in applied.aws["s3"].list_buckets()["Buckets"]}.isdisjoint(BUCKETS)
    assert applied.aws["iam"].list_policies(Scope="Local")["Policies"] == []
    assert applied.aws["iam"].list_roles()["Roles"] == []
    assert applied.aws["lambda"].list_functions()["Functions"] == []
    assert applied.aws["logs"].describe_log_groups()["logGroups"] == []


def buckets_keep_versions(applied: Applied) -> None:
    for bucket in BUCKETS:
        assert applied.aws["s3"].get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"


def buckets_block_public_access_and_own_their_objects(applied: Applied) -> None:
    names = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    s3 = applied.aws["s3"]
    for bucket in BUCKETS:
        blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        assert blocked == dict.fromkeys(names, True)
        controls = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
        assert controls["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def buckets_are_encrypted_with_s3s_keys_or_the_given_key(applied: Applied) -> None:
    for bucket in ("acme-minimal", "acme-lambda"):
        assert encryption_of(applied.aws["s3"], bucket) == ({"SSEAlgorithm": "AES256"}, False)
    default, bucket_key = encryption_of(applied.aws["s3"], "acme-tenants")
    key = applied.aws["kms"].describe_key(KeyId=default["KMSMasterKeyID"])["KeyMetadata"]
    assert default == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key["Arn"]}
    assert bucket_key


def lifecycle_rules_expire_old_versions_and_what_the_tenants_configure(applied: Applied) -> None:
    cleanup = {
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
        "Expiration": {"ExpiredObjectDeleteMarker": True},
    }
    old_bookkeeping = {"NoncurrentVersionExpiration": {"NoncurrentDays": 1}}
    for bucket in ("acme-minimal", "acme-lambda"):
        found = rules_of(applied.aws["s3"], bucket)
        assert found.pop("cleanup") == cleanup
        [(id, rule)] = found.items()
        assert id.endswith("-bookkeeping")
        assert rule.pop("Prefix").endswith(".sessionbucket/")
        assert rule == old_bookkeeping
    assert rules_of(applied.aws["s3"], "acme-tenants") == {
        "cleanup": cleanup,
        "support-artifacts": {"Prefix": "support/prod/artifacts/", "Expiration": {"Days": 90}},
        "support-traces": {"Prefix": "support/prod/traces/", "Expiration": {"Days": 30}},
        "research-sessions": {"Prefix": "research/", "Expiration": {"Days": 365}},
        "support-bookkeeping": {"Prefix": "support/prod/.sessionbucket/", **old_bookkeeping},
        "research-bookkeeping": {"Prefix": "research/.sessionbucket/", **old_bookkeeping},
    }


def buckets_have_the_configured_policies(applied: Applied) -> None:
    for bucket in BUCKETS:
        statements = policy_of(applied.aws["s3"], bucket)["Statement"]
        enforced = ["DenyUnconditionalSessionWrites"] if bucket == "acme-tenants" else []
        assert [row["Sid"] for row in statements] == ["DenyPlainHTTP", "DenyOldTLS", *enforced]


def each_store_works_and_only_its_role_may_send_its_requests(applied: Applied) -> None:
    bucket = "acme-tenants"
    operations = (store_operations.write, store_operations.read, store_operations.delete)
    s3, iam = applied.aws["s3"], applied.aws["iam"]
    bucket_policy = policy_of(s3, bucket)
    roles = {name: attached_policy(iam, f"{bucket}-{name}") for name in TENANTS}
    urls = applied.outputs["tenants"]["store_urls"]
    for tenant, prefix in TENANTS.items():
        assert urls[tenant] == f"s3://{bucket}/{prefix}?region={REGION}"
        here = f"{urls[tenant]}&{urlencode({'endpoint_url': applied.endpoint_url})}"
        # moto ignores the conditions of the bucket's policy, and so denies every request.
        with open_store(here) as store, pytest.raises(AccessDeniedError):
            store.health_check()
        s3.delete_bucket_policy(Bucket=bucket)
        for engine in ("boto3", "auto"):  # auto: as in the handlers of examples/lambda
            with open_store(f"{here}&engine={engine}") as store:
                assert isinstance(store.bucket, S3Bucket if engine == "boto3" else ObstoreBucket)
                for each in operations:
                    each(store)
        assert isinstance(open_async_store(f"{here}&engine=auto").bucket, AsyncObstoreBucket)
        calls = [call for each in operations for call in calls_of(each, applied.endpoint_url, bucket, prefix)]
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(bucket_policy))
        for request in without_uploads(requests_of(calls, f"arn:aws:s3:::{bucket}")):
            decisions = {
                name: applied.simulator.decide(request, role, bucket_policy) for name, role in roles.items()
            }
            assert {name for name, decision in decisions.items() if decision == "Allowed"} == {tenant}, (
                request
            )


def the_function_has_the_configured_runtime_and_store_url(applied: Applied) -> None:
    function = applied.aws["lambda"].get_function(FunctionName=FUNCTION)["Configuration"]
    url = applied.outputs["lambda"]["store_url"]
    assert url.startswith("s3://acme-lambda/agents/prod?")
    assert function["Environment"]["Variables"] == {"SESSIONBUCKET_URL": url}
    assert function["Runtime"] == "python3.12"
    assert function["Architectures"] == ["arm64"]
    assert function["Handler"] == "async_handler.handler"
    assert function["Timeout"] == 30


def the_functions_role_may_use_the_store_and_its_own_logs(applied: Applied) -> None:
    iam = applied.aws["iam"]
    role = applied.aws["lambda"].get_function(FunctionName=FUNCTION)["Configuration"]["Role"].split("/")[-1]
    (attached,) = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert attached["PolicyName"] == "acme-lambda.agent.agent"
    logs = iam.get_role_policy(RoleName=role, PolicyName="logs")["PolicyDocument"]
    (group,) = applied.aws["logs"].describe_log_groups()["logGroups"]
    assert group["logGroupName"] == f"/aws/lambda/{FUNCTION}"
    assert [row["Resource"] for row in logs["Statement"]] == [group["arn"]]


CHECKS: tuple[Callable[[Applied], None], ...] = (
    buckets_keep_versions,
    buckets_block_public_access_and_own_their_objects,
    buckets_are_encrypted_with_s3s_keys_or_the_given_key,
    lifecycle_rules_expire_old_versions_and_what_the_tenants_configure,
    buckets_have_the_configured_policies,
    each_store_works_and_only_its_role_may_send_its_requests,
    the_function_has_the_configured_runtime_and_store_url,
    the_functions_role_may_use_the_store_and_its_own_logs,
)


def policy_of(s3: Any, bucket: str) -> Any:
    return json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])


def rules_of(s3: Any, bucket: str) -> dict[str, Any]:
    """The enabled lifecycle rules by their id."""
    rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    return {rule["ID"]: _actions(rule) for rule in rules if rule["Status"] == "Enabled"}


def _actions(rule: dict[str, Any]) -> dict[str, Any]:
    prefix = rule["Filter"].get("Prefix")
    actions = {name: value for name, value in rule.items() if name not in ("ID", "Status", "Filter")}
    return {**actions, **({"Prefix": prefix} if prefix else {})}


def encryption_of(s3: Any, bucket: str) -> tuple[dict[str, Any], bool]:
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    return rule["ApplyServerSideEncryptionByDefault"], rule["BucketKeyEnabled"]


def attached_policy(iam: Any, role: str) -> Any:
    (attached,) = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    arn = attached["PolicyArn"]
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]


def empty(s3: Any, bucket: str) -> None:
    s3.delete_bucket_policy(Bucket=bucket)  # because moto would deny the deletes
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for row in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
            s3.delete_object(Bucket=bucket, Key=row["Key"], VersionId=row["VersionId"])
