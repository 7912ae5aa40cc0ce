"""The rules of the module's variables. They are tested alone, which needs no provider."""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from sessionbucket import InvalidArgumentError
from sessionbucket._core.keys import StoreKeys
from terraform.programs import MODULE, Terraform, with_variables

GOOD = {"bucket_name": "acme-sessions", "tenants": {"agent": {"prefix": "agents/prod"}}}
KEY_ARN = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
PREFIXES = ["", "a", "a/b", "b/.hidden/~x@y+z=1,2", "artifacts", "x" * 512]
BAD_PREFIXES = ["/a", "a/", "a//b", "a/../b", ".", "a\\b", "a\tb", "a\x00b", "x" * 513]
AMBIGUOUS_PREFIXES = ["a*", "a?", "a$", "a/${aws:username}", "a b", "a%2Fb", "a#b", "ä"]
"""Prefixes that the library accepts, but that have another meaning in a policy or a URL."""


def shown(prefix: str) -> str:
    return ascii(prefix[:20])


@pytest.fixture(scope="session")
def variables(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("variables")
    shutil.copy(MODULE / "variables.tf", folder)
    return terraform.initialise(folder)


def error_of(terraform: Terraform, folder: Path, **changes: Any) -> str:
    """Terraform's error for the values on one line; empty when it accepts them."""
    done = terraform.attempt(with_variables(folder, {**GOOD, **changes}), "plan", "-no-color")
    return "" if done.returncode == 0 else re.sub(r"\s+", " ", done.stdout)


def tenant(**values: Any) -> dict[str, Any]:
    return {"tenants": {"agent": {"prefix": "a", **values}}}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"bucket_name": "a-1"},
        {"bucket_name": "b" * 63},
        {"kms_key_arn": KEY_ARN},
        {"kms_key_arn": KEY_ARN.replace("aws:", "aws-us-gov:").replace("key/", "key/mrk-")},
        {"tenants": {"a": {"prefix": "a"}, "ab": {"prefix": "ab"}, "b-1_C": {"prefix": "b/a"}}},
        tenant(artifacts_expiration_days=30, traces_expiration_days=1, sessions_expiration_days=30),
    ],
)
def test_valid_values_are_accepted(terraform: Terraform, variables: Path, changes: dict[str, Any]):
    assert error_of(terraform, variables, **changes) == ""


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"bucket_name": "Acme"}, "bucket_name must have 3 to 63 lower-case letters"),
        ({"bucket_name": "acme.sessions"}, "no dots"),
        ({"bucket_name": "-acme"}, "a letter or digit at both ends"),
        ({"bucket_name": "ab"}, "3 to 63"),
        ({"bucket_name": "b" * 64}, "3 to 63"),
        ({"bucket_name": None}, "required variable may not be set to null"),
        ({"tenants": {}}, "at least one store"),
        ({"tenants": {"a b": {"prefix": "a"}}}, "names of tenants"),
        ({"tenants": {"a" * 41: {"prefix": "a"}}}, "1 to 40"),
        ({"tenants": {"a": {"prefix": "a"}, "A": {"prefix": "b"}}}, "differ in more than case"),
        ({"tenants": {"a": {}}}, 'attribute "prefix" is required'),
        ({"tenants": {"a": {"prefix": "a"}, "b": {"prefix": "a"}}}, "may be another's or lie under it"),
        ({"tenants": {"a": {"prefix": "a"}, "b": {"prefix": "a/b"}}}, "may be another's or lie under it"),
        ({"tenants": {"a": {"prefix": "a/b/c"}, "b": {"prefix": "a"}}}, "may be another's or lie under it"),
        ({"tenants": {"a": {"prefix": ""}, "b": {"prefix": "b"}}}, 'root ("") holds every other prefix'),
        ({"tenants": {"a": {"prefix": "b"}, "b": {"prefix": ""}}}, 'root ("") holds every other prefix'),
        (tenant(artifacts_expiration_days=0), "whole days, 1 or more"),
        (tenant(traces_expiration_days=-1), "whole days, 1 or more"),
        (tenant(sessions_expiration_days=0.5), "whole days, 1 or more"),
        (tenant(artifacts_expiration_days=31, sessions_expiration_days=30), "cannot outlive"),
        (tenant(traces_expiration_days=31, sessions_expiration_days=30), "cannot outlive"),
        ({"kms_key_arn": KEY_ARN.replace("key/", "alias/")}, "an alias cannot be granted"),
        ({"kms_key_arn": "1234abcd-12ab-34cd-56ef-1234567890ab"}, "must be the ARN of a key"),
        ({"noncurrent_version_expiration_days": 0}, "noncurrent_version_expiration_days must be whole days"),
        ({"noncurrent_version_expiration_days": 1.5}, "noncurrent_version_expiration_days must be"),
        ({"abort_incomplete_multipart_upload_days": 0}, "abort_incomplete_multipart_upload_days must be"),
        ({"abort_incomplete_multipart_upload_days": 1.5}, "abort_incomplete_multipart_upload_days must be"),
    ],
)
def test_the_error_for_an_invalid_value_names_the_rule(
    terraform: Terraform, variables: Path, changes: dict[str, Any], rule: str
):
    assert rule in error_of(terraform, variables, **changes)


@pytest.mark.parametrize("prefix", PREFIXES, ids=shown)
def test_an_accepted_prefix_is_the_prefix_of_the_store(terraform: Terraform, variables: Path, prefix: str):
    assert error_of(terraform, variables, **tenant(prefix=prefix)) == ""
    assert StoreKeys(prefix).prefix == prefix


@pytest.mark.parametrize("prefix", BAD_PREFIXES, ids=shown)
def test_a_prefix_that_the_library_rejects_or_changes_is_rejected(
    terraform: Terraform, variables: Path, prefix: str
):
    assert "A tenant's prefix must have" in error_of(terraform, variables, **tenant(prefix=prefix))
    with suppress(InvalidArgumentError):
        assert StoreKeys(prefix).prefix != prefix


@pytest.mark.parametrize("prefix", AMBIGUOUS_PREFIXES, ids=shown)
def test_a_prefix_with_another_meaning_in_policies_or_urls_is_rejected(
    terraform: Terraform, variables: Path, prefix: str
):
    assert StoreKeys(prefix).prefix == prefix
    assert "A tenant's prefix must have at most 512 characters of" in error_of(
        terraform, variables, **tenant(prefix=prefix)
    )
