"""The examples, applied to moto's server: the buckets they make, stores at work in them, and what is left in the end.

They are applied all at once, since the provider waits a minute for each bucket's lifecycle rules to settle, and by one worker.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest

from sessionbucket import AccessDeniedError, open_store
from terraform import work
from terraform.programs import Terraform
from terraform.recording import calls_of, requests_of
from terraform.simulating import Simulator

pytestmark = pytest.mark.xdist_group("applied")

REGION = "eu-central-1"
BUCKETS = ("acme-minimal", "acme-tenants", "acme-lambda")
TENANTS = {"support": "support/prod", "research": "research"}
SERVICES = ("iam", "kms", "lambda", "logs", "s3", "sts")


@pytest.fixture(scope="module")
def aws(moto_url: str) -> Iterator[dict[str, Any]]:
    """A client of each service."""
    session = boto3.Session(region_name=REGION)
    clients = {name: session.client(name, endpoint_url=moto_url) for name in SERVICES}
    yield clients
    for client in clients.values():
        client.close()


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment package, of a handler that does nothing: moto keeps it and does not call it."""
    path = tmp_path_factory.mktemp("package") / "package.zip"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("async_handler.py", "def handler(event, context): ...")
    return path


@pytest.fixture(scope="module")
def applied(terraform_for_aws: Terraform, examples: Path, moto_url: str, package: Path) -> dict[str, Any]:
    """The outputs, by the example."""
    for folder in (examples / "terraform" / "examples").iterdir():
        (folder / "moto_override.tf").write_text(at_moto(moto_url))
    main = examples / "main.tf.json"
    root = json.loads(main.read_text())
    chosen = {"package": str(package), "architecture": "arm64", "handler": "async_handler.handler"}
    root["module"]["lambda"].update(chosen)
    main.write_text(json.dumps(root))
    terraform_for_aws.run(examples, "apply", "-auto-approve", "-no-color")
    return terraform_for_aws.outputs(examples)


def at_moto(url: str) -> str:
    endpoints = "\n".join(f"    {name} = {json.dumps(url)}" for name in SERVICES)
    return f"""provider "aws" {{
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true

  endpoints {{
{endpoints}
  }}
}}
"""


@pytest.mark.usefixtures("applied")
class TestBuckets:
    @pytest.mark.parametrize("bucket", BUCKETS)
    def test_each_keeps_versions(self, aws: dict[str, Any], bucket: str):
        assert aws["s3"].get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"

    @pytest.mark.parametrize("bucket", BUCKETS)
    def test_each_is_private_and_owns_its_objects(self, aws: dict[str, Any], bucket: str):
        blocked = aws["s3"].get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        assert blocked == dict.fromkeys(
            ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
        )
        controls = aws["s3"].get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
        assert controls["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]

    @pytest.mark.parametrize("bucket", ["acme-minimal", "acme-lambda"])
    def test_each_is_encrypted_with_s3s_keys(self, aws: dict[str, Any], bucket: str):
        assert encryption_of(aws["s3"], bucket) == ({"SSEAlgorithm": "AES256"}, False)

    def test_that_of_the_tenants_is_encrypted_with_the_key(self, aws: dict[str, Any]):
        default, bucket_key = encryption_of(aws["s3"], "acme-tenants")
        key = aws["kms"].describe_key(KeyId=default["KMSMasterKeyID"])["KeyMetadata"]
        assert default == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key["Arn"]}
        assert bucket_key

    @pytest.mark.parametrize("bucket", BUCKETS)
    def test_each_removes_leftovers(self, aws: dict[str, Any], bucket: str):
        assert rules_of(aws["s3"], bucket)["leftovers"] == {
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
            "Expiration": {"ExpiredObjectDeleteMarker": True},
        }

    def test_nothing_else_expires_but_what_was_asked_to(self, aws: dict[str, Any]):
        expiring = {bucket: rules_of(aws["s3"], bucket) for bucket in BUCKETS}
        for rules in expiring.values():
            del rules["leftovers"]
        assert expiring == {
            "acme-minimal": {},
            "acme-lambda": {},
            "acme-tenants": {
                "support-artifacts": {"Prefix": "support/prod/artifacts/", "Expiration": {"Days": 90}},
                "support-traces": {"Prefix": "support/prod/traces/", "Expiration": {"Days": 30}},
                "research-sessions": {"Prefix": "research/", "Expiration": {"Days": 365}},
            },
        }

    @pytest.mark.parametrize("bucket", BUCKETS)
    def test_each_has_its_policy(self, aws: dict[str, Any], bucket: str):
        statements = policy_of(aws["s3"], bucket)["Statement"]
        enforced = ["DenyUnconditionalSessionWrites"] if bucket == "acme-tenants" else []
        assert [row["Sid"] for row in statements] == ["DenyPlainHTTP", "DenyOldTLS", *enforced]


class TestStores:
    @pytest.mark.parametrize("tenant", TENANTS)
    def test_each_works_and_its_role_may_do_what_it_does_and_the_others_may_not(
        self, applied: dict[str, Any], aws: dict[str, Any], moto_url: str, simulating: Simulator, tenant: str
    ):
        prefix, bucket = TENANTS[tenant], "acme-tenants"
        url = applied["tenants"]["store_urls"][tenant]
        assert url == f"s3://{bucket}/{prefix}?region={REGION}&expected_bucket_owner=123456789012"
        bucket_policy = policy_of(aws["s3"], bucket)
        here = f"{url}&{urlencode({'endpoint_url': moto_url})}"
        # moto takes the policy as if it had no conditions, and so denies all.
        with open_store(here) as store, pytest.raises(AccessDeniedError):
            store.health_check()
        aws["s3"].delete_bucket_policy(Bucket=bucket)
        everything = (work.writing, work.reading, work.deleting)
        with open_store(here) as store:
            for each in everything:
                each(store)
        calls = [call for each in everything for call in calls_of(each, moto_url, bucket, prefix)]
        aws["s3"].put_bucket_policy(Bucket=bucket, Policy=json.dumps(bucket_policy))

        roles = {name: attached_policy(aws["iam"], f"acme-tenants-{name}") for name in TENANTS}
        for request in requests_of(calls, f"arn:aws:s3:::{bucket}"):
            may = {name: simulating.decide(request, role, bucket_policy) for name, role in roles.items()}
            assert {name for name, decision in may.items() if decision == "Allowed"} == {tenant}, request


class TestFunction:
    def test_it_runs_as_asked_for_and_finds_its_store(self, applied: dict[str, Any], aws: dict[str, Any]):
        function = aws["lambda"].get_function(FunctionName="sessionbucket-agent")["Configuration"]
        url = applied["lambda"]["store_url"]
        assert url.startswith("s3://acme-lambda/agents/prod?")
        assert function["Environment"]["Variables"] == {"SESSIONBUCKET_URL": url}
        assert function["Runtime"] == "python3.12"
        assert function["Architectures"] == ["arm64"]
        assert function["Handler"] == "async_handler.handler"
        assert function["Timeout"] == 30

    @pytest.mark.usefixtures("applied")
    def test_its_role_reaches_the_store_and_the_functions_own_logs(self, aws: dict[str, Any]):
        function = aws["lambda"].get_function(FunctionName="sessionbucket-agent")["Configuration"]
        role = function["Role"].rsplit("/", 1)[1]
        (attached,) = aws["iam"].list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        assert attached["PolicyName"] == "acme-lambda.agent.agent"
        logs = aws["iam"].get_role_policy(RoleName=role, PolicyName="logs")["PolicyDocument"]
        (group,) = aws["logs"].describe_log_groups()["logGroups"]
        assert group["logGroupName"] == "/aws/lambda/sessionbucket-agent"
        assert [row["Resource"] for row in logs["Statement"]] == [group["arn"]]


@pytest.mark.usefixtures("applied")
class TestInTheEnd:
    def test_a_destroy_leaves_nothing(
        self, aws: dict[str, Any], terraform_for_aws: Terraform, examples: Path
    ):
        empty(aws["s3"], "acme-tenants")
        terraform_for_aws.run(examples, "destroy", "-auto-approve", "-refresh=false", "-no-color")
        assert {row["Name"] for row in aws["s3"].list_buckets()["Buckets"]}.isdisjoint(BUCKETS)
        assert aws["iam"].list_policies(Scope="Local")["Policies"] == []
        assert aws["iam"].list_roles()["Roles"] == []
        assert aws["lambda"].list_functions()["Functions"] == []
        assert aws["logs"].describe_log_groups()["logGroups"] == []


def policy_of(s3: Any, bucket: str) -> Any:
    return json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])


def rules_of(s3: Any, bucket: str) -> dict[str, Any]:
    """The lifecycle rules that are switched on, by their id."""
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
    s3.delete_bucket_policy(Bucket=bucket)  # which moto would take to deny this
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for row in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
            s3.delete_object(Bucket=bucket, Key=row["Key"], VersionId=row["VersionId"])
