"""Terraform, the policies of the module, and the requests to evaluate against them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from conformance.locations import unique_name
from terraform import store_operations
from terraform.policy_simulator import (
    BUCKET_ARN,
    S3_SERVICE,
    MakePolicies,
    Policies,
    Simulator,
    running_simulator,
)
from terraform.programs import (
    MODULE,
    Terraform,
    copy_of,
    environment,
    has_aws_provider,
    missing,
    required,
    with_variables,
)
from terraform.recorded_requests import Record, Recorded, calls_of, requests_of, without_uploads


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the test that mostly waits, so that other workers run the rest meanwhile."""
    items.sort(key=lambda item: item.path.name != "test_applied.py")


@pytest.fixture(scope="session")
def terraform(aws_environment: None, tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """Terraform without providers."""
    return Terraform(required("terraform"), environment(tmp_path_factory.mktemp("configuration")))


@pytest.fixture(scope="session")
def terraform_for_aws(terraform: Terraform) -> Terraform:
    """Terraform with the AWS provider."""
    if not has_aws_provider():
        missing("the AWS provider is in no mirror on this machine: set TF_PLUGIN_DIR, or TF_CLI_CONFIG_FILE")
    return terraform


@pytest.fixture(scope="session")
def module(terraform_for_aws: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An initialised copy of the module, so that no file of Terraform gets into the project."""
    return terraform_for_aws.initialise(copy_of(MODULE, tmp_path_factory.mktemp("module") / "terraform"))


@pytest.fixture
def examples(terraform_for_aws: Terraform, tmp_path: Path) -> Path:
    """A root module that calls every example, each with its own bucket."""
    root = tmp_path / "examples"
    root.mkdir()
    tree = copy_of(MODULE, root / "terraform")
    names = sorted(path.name for path in (tree / "examples").iterdir())
    calls = {
        name: {"source": f"./terraform/examples/{name}", "bucket_name": f"acme-{name}"} for name in names
    }
    calls["tenants"]["principals"] = dict.fromkeys(("support", "research"), "arn:aws:iam::123456789012:root")
    outputs = {name: {"value": f"${{module.{name}}}"} for name in names}
    (root / "main.tf.json").write_text(json.dumps({"module": calls, "output": outputs}))
    return terraform_for_aws.initialise(root)


@pytest.fixture(scope="session")
def simulator(pytestconfig: pytest.Config) -> Iterator[Simulator]:
    with running_simulator(pytestconfig.cache.mkdir("iam-simulate")) as simulator:
        yield simulator


@pytest.fixture(scope="session")
def policies_of(
    terraform: Terraform, simulator: Simulator, tmp_path_factory: pytest.TempPathFactory
) -> MakePolicies:
    """Returns the policies of the module for stores at these prefixes."""
    folder = copy_of(MODULE / "policies", tmp_path_factory.mktemp("policies") / "policies")
    terraform.initialise(folder)

    @cache
    def make(*prefixes: str, enforced: bool = False, key: str | None = None) -> Policies:
        variables = {
            "bucket_arn": BUCKET_ARN,
            "roots": {prefix: f"{prefix}/" if prefix else "" for prefix in prefixes},
            "enforce_conditional_writes": enforced,
            "kms_key_arn": key,
            "s3_service": S3_SERVICE,
        }
        terraform.run(with_variables(folder, variables), "apply", "-auto-approve", "-no-color")
        outputs = terraform.outputs(folder)
        return Policies(
            simulator,
            json.loads(outputs["bucket"]),
            *(
                {prefix: json.loads(policy) for prefix, policy in outputs[role].items()}
                for role in ("agent", "reader", "historian", "eraser")
            ),
        )

    return make


@pytest.fixture(scope="session")
def recorded(moto_url: str, raw_client: Callable[[str], Any]) -> Record:
    """Records the requests of a store at a prefix, once for each prefix."""

    @cache
    def record(prefix: str) -> Recorded:
        bucket = unique_name()
        client = raw_client(moto_url)
        client.create_bucket(Bucket=bucket)
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        writes, reads, overwrites, looks, restores, erasures, deletes = (
            calls_of(each, moto_url, bucket, prefix)
            for each in (
                store_operations.write,
                store_operations.read,
                store_operations.overwrite,
                store_operations.look_back,
                store_operations.restore,
                store_operations.erase,
                store_operations.delete,
            )
        )
        unconditional = calls_of(
            store_operations.overwrite, moto_url, bucket, prefix, conditional_writes="off"
        )
        work = requests_of([*writes, *reads, *overwrites, *deletes], BUCKET_ARN)
        return Recorded(
            without_uploads(requests_of(reads, BUCKET_ARN)),
            without_uploads(work),
            requests_of(looks, BUCKET_ARN),
            requests_of(restores, BUCKET_ARN),
            requests_of(erasures, BUCKET_ARN),
            [
                request
                for request in requests_of(unconditional, BUCKET_ARN)
                if request.action == "s3:PutObject"
            ],
        )

    return record
