"""The policies of the module allow every request of a store, and deny others."""

from __future__ import annotations

import pytest

from sessionbucket import INTEGRATION_FOLDERS
from terraform.policy_simulator import ADMINISTRATOR, BUCKET_ARN, KEY_ARN, S3_SERVICE, MakePolicies, Request
from terraform.recorded_requests import TLS, Record, missing_key_request

OWN = "support/prod"
OTHER = "research"
NEIGHBOWN = (OTHER, "support/production", "support/pro", "support")
"""Prefixes of others. ``support`` cannot be a tenant beside ours, but objects can exist there."""
SESSION = f"{BUCKET_ARN}/{OWN}/chat-1.json"
PARTS = (
    "artifacts/s/artifacts.json",
    "artifacts/s/files/a.json",
    "traces/s.json",
    "verification/s.json",
    "runs/s.json",
    *(f"{name}/t/c.bin" for name in sorted(INTEGRATION_FOLDERS)),
)
pytestmark = (
    pytest.mark.slow
)  # Terraform computes the policies of many stores, and every request of each is evaluated

CREATING = {**TLS, "s3:ObjectCreationOperation": "true"}
PREPARING = {**TLS, "s3:ObjectCreationOperation": "false"}
CREATE = {**CREATING, "s3:if-none-match": "*"}
UPDATE = {**CREATING, "s3:if-match": '"0123456789abcdef0123456789abcdef"'}
READS = ("s3:GetObject", "s3:ListBucket")


@pytest.mark.parametrize("enforced", [False, True], ids=["plain", "enforced"])
@pytest.mark.parametrize("prefix", [OWN, ""], ids=["prefix", "root"])
def test_the_agent_may_send_every_request_of_a_store(
    policies_of: MakePolicies, recorded: Record, prefix: str, enforced: bool
):
    policies = policies_of(prefix, enforced=enforced)
    requests = recorded(prefix).working
    assert {request.action for request in requests} == {
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject",
    }
    for request in requests:
        assert policies.allows(policies.agent[prefix], request), request


@pytest.mark.parametrize("prefix", [OWN, ""], ids=["prefix", "root"])
def test_the_reader_may_send_every_read_request(policies_of: MakePolicies, recorded: Record, prefix: str):
    policies = policies_of(prefix)
    for request in recorded(prefix).reading:
        assert policies.allows(policies.reader[prefix], request), request


@pytest.mark.parametrize("prefix", [OWN, ""], ids=["prefix", "root"])
def test_the_historian_may_look_back_and_with_the_agents_policy_restore(
    policies_of: MakePolicies, recorded: Record, prefix: str
):
    policies = policies_of(prefix)
    requests = recorded(prefix)
    assert {"s3:GetObjectVersion", "s3:ListBucketVersions"} <= {each.action for each in requests.looking_back}
    for request in requests.looking_back:
        assert policies.allows(policies.historian[prefix], request), request
    for request in requests.restoring:
        assert policies.allows(policies.historian[prefix], request) or policies.allows(
            policies.agent[prefix], request
        ), request


@pytest.mark.parametrize("enforced", [False, True], ids=["plain", "enforced"])
@pytest.mark.parametrize("prefix", [OWN, ""], ids=["prefix", "root"])
def test_the_eraser_may_erase(policies_of: MakePolicies, recorded: Record, prefix: str, enforced: bool):
    policies = policies_of(prefix, enforced=enforced)
    requests = recorded(prefix).erasing
    assert {"s3:DeleteObjectVersion", "s3:ListBucketMultipartUploads"} <= {each.action for each in requests}
    for request in requests:
        assert policies.allows(policies.eraser[prefix], request), request


def test_only_the_eraser_may_erase_and_never_past_a_lock(policies_of: MakePolicies, recorded: Record):
    policies = policies_of(OWN)
    for request in recorded(OWN).erasing:
        if request.action == "s3:DeleteObjectVersion":
            for identity in (policies.agent[OWN], policies.reader[OWN], policies.historian[OWN]):
                assert not policies.allows(identity, request), request
    for action in ("BypassGovernanceRetention", "PutObjectRetention", "PutObjectLegalHold"):
        assert not policies.allows(policies.eraser[OWN], Request(f"s3:{action}", SESSION, TLS))
    assert not policies.allows(policies.historian[OWN], Request("s3:PutObject", SESSION, CREATE))


@pytest.mark.parametrize("neighbour", NEIGHBOWN)
def test_no_tenant_may_look_into_or_erase_the_history_of_another(
    policies_of: MakePolicies, recorded: Record, neighbour: str
):
    policies = policies_of(OWN, OTHER)
    for original in recorded(OTHER).erasing:
        request = original.moved(OTHER, neighbour)
        if request.resource != BUCKET_ARN or "s3:prefix" in request.context:
            assert not policies.allows(policies.historian[OWN], request), request
            assert not policies.allows(policies.eraser[OWN], request), request


@pytest.mark.parametrize("prefix", [OWN, ""], ids=["prefix", "root"])
def test_a_reader_writes_the_catalog_and_an_agent_the_leases(policies_of: MakePolicies, prefix: str):
    policies = policies_of(prefix, enforced=True)
    bookkeeping = f"{BUCKET_ARN}/{prefix}/.sessionbucket" if prefix else f"{BUCKET_ARN}/.sessionbucket"
    shard, lease = f"{bookkeeping}/catalog/chat-1.jsonl.gz", f"{bookkeeping}/leases/chat-1.json"
    for role, folders in (("agent", [shard, lease]), ("reader", [shard]), ("historian", [])):
        identity = getattr(policies, role)[prefix]
        for key in (shard, lease):
            for context in (CREATE, UPDATE):
                request = Request("s3:PutObject", key, context)
                assert policies.allows(identity, request) == (key in folders), request
    assert not policies.allows(policies.reader[prefix], Request("s3:DeleteObject", shard, TLS))


def test_the_reader_may_neither_write_nor_delete(policies_of: MakePolicies, recorded: Record):
    policies = policies_of(OWN)
    requests = [request for request in recorded(OWN).working if request.action not in READS]
    assert requests
    for request in requests:
        assert not policies.allows(policies.reader[OWN], request), request


@pytest.mark.parametrize("neighbour", NEIGHBOWN)
def test_no_tenant_may_use_the_prefix_of_another(policies_of: MakePolicies, recorded: Record, neighbour: str):
    policies = policies_of(OWN, OTHER)
    for original in recorded(OTHER).working:
        request = original.moved(OTHER, neighbour)
        assert not policies.allows(policies.agent[OWN], request), request
        assert not policies.allows(policies.reader[OWN], request), request


def test_each_tenant_has_its_own_policies(policies_of: MakePolicies, recorded: Record):
    policies = policies_of(OWN, OTHER, enforced=True)
    for prefix in (OWN, OTHER):
        for request in recorded(prefix).working:
            assert policies.allows(policies.agent[prefix], request), request


@pytest.mark.parametrize("prefix", [None, "", "support", "support/", OWN, "research/"])
def test_only_the_tenants_prefix_may_be_listed(policies_of: MakePolicies, prefix: str | None):
    policies = policies_of(OWN)
    request = Request("s3:ListBucket", BUCKET_ARN, TLS if prefix is None else {**TLS, "s3:prefix": prefix})
    assert not policies.allows(policies.agent[OWN], request)
    assert not policies.allows(policies.reader[OWN], request)


@pytest.mark.parametrize("name", ["nobody.json", ".sessionbucket/probe/x", *PARTS])
def test_a_missing_key_under_the_own_prefix_is_reported_as_missing(policies_of: MakePolicies, name: str):
    policies = policies_of(OWN)
    for identity in (policies.agent[OWN], policies.reader[OWN]):
        assert policies.allows(identity, missing_key_request(f"{OWN}/{name}", BUCKET_ARN))
        assert not policies.allows(identity, missing_key_request(f"{OTHER}/{name}", BUCKET_ARN))


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        *((f"s3:{name}", SESSION) for name in ("GetObjectVersion", "DeleteObjectVersion", "RestoreObject")),
        *((f"s3:{name}", SESSION) for name in ("PutObjectAcl", "PutObjectTagging", "GetObjectAcl")),
        *((f"s3:{name}", BUCKET_ARN) for name in ("ListBucketVersions", "ListBucketMultipartUploads")),
        *((f"s3:{name}", BUCKET_ARN) for name in ("PutBucketPolicy", "DeleteBucketPolicy", "DeleteBucket")),
        *((f"s3:{name}", BUCKET_ARN) for name in ("PutLifecycleConfiguration", "PutBucketVersioning")),
        *((f"s3:{name}", BUCKET_ARN) for name in ("PutEncryptionConfiguration", "PutBucketAcl")),
        ("s3:ListAllMyBuckets", "*"),
        ("iam:CreateUser", "arn:aws:iam::123456789012:user/another"),
    ],
)
def test_the_agent_may_send_no_request_that_a_store_does_not_send(
    policies_of: MakePolicies, action: str, resource: str
):
    policies = policies_of(OWN, key=KEY_ARN)
    request = Request(action, resource, {"aws:SecureTransport": "true"})
    assert not policies.allows(policies.agent[OWN], request)
    assert not policies.allows(policies.reader[OWN], request)
    assert policies.allows(ADMINISTRATOR, request)


@pytest.mark.parametrize(
    "transport",
    [{"aws:SecureTransport": "false"}, {"s3:TlsVersion": "1.1"}, {"s3:TlsVersion": "1.0"}],
    ids=["http", "TLS 1.1", "TLS 1.0"],
)
def test_requests_without_tls_1_2_are_denied(
    policies_of: MakePolicies, recorded: Record, transport: dict[str, str]
):
    policies = policies_of(OWN)
    for request in recorded(OWN).working:
        plain = Request(request.action, request.resource, {**request.context, **transport})
        for identity in (policies.agent[OWN], ADMINISTRATOR):
            assert policies.decide(identity, plain) == "ExplicitlyDenied", plain


def test_tls_1_2_is_allowed(policies_of: MakePolicies):
    policies = policies_of(OWN, enforced=True)
    request = Request("s3:PutObject", SESSION, {**CREATE, "s3:TlsVersion": "1.2"})
    assert policies.allows(policies.agent[OWN], request)


@pytest.mark.parametrize("prefix", [OWN, ""], ids=["prefix", "root"])
def test_enforced_conditions_deny_the_saves_of_a_store_whose_conditional_writes_are_off(
    policies_of: MakePolicies, recorded: Record, prefix: str
):
    requests = recorded(prefix).unconditional
    assert requests
    for request in requests:
        enforced, plain = policies_of(prefix, enforced=True), policies_of(prefix)
        for identity in (enforced.agent[prefix], ADMINISTRATOR):
            assert enforced.decide(identity, request) == "ExplicitlyDenied", request
        assert plain.allows(plain.agent[prefix], request)


@pytest.mark.parametrize(
    "stem", ["chat-1", "artifacts", "traces", "verification", "%2Esessionbucket", "a.json"]
)
@pytest.mark.parametrize("prefix", [OWN, ""], ids=["prefix", "root"])
def test_enforced_conditions_allow_only_conditional_writes_of_sessions(
    policies_of: MakePolicies, prefix: str, stem: str
):
    policies = policies_of(prefix, enforced=True)
    agent = policies.agent[prefix]
    key = f"{BUCKET_ARN}/{prefix}/{stem}.json" if prefix else f"{BUCKET_ARN}/{stem}.json"
    assert policies.allows(agent, Request("s3:PutObject", key, CREATE))
    assert policies.allows(agent, Request("s3:PutObject", key, UPDATE))
    assert policies.decide(agent, Request("s3:PutObject", key, CREATING)) == "ExplicitlyDenied"
    assert policies.allows(agent, Request("s3:DeleteObject", key, TLS))


def test_enforced_conditions_apply_to_the_last_request_of_a_multipart_upload(
    policies_of: MakePolicies,
):
    policies = policies_of(OWN, enforced=True)
    agent = policies.agent[OWN]
    assert policies.allows(agent, Request("s3:PutObject", SESSION, PREPARING))
    assert policies.allows(agent, Request("s3:PutObject", SESSION, CREATE))
    assert not policies.allows(agent, Request("s3:PutObject", SESSION, CREATING))


@pytest.mark.parametrize("name", [*PARTS, ".sessionbucket/health/x"])
@pytest.mark.parametrize("prefix", [OWN, ""], ids=["prefix", "root"])
def test_enforced_conditions_do_not_apply_to_parts(policies_of: MakePolicies, prefix: str, name: str):
    policies = policies_of(prefix, enforced=True)
    key = f"{BUCKET_ARN}/{prefix}/{name}" if prefix else f"{BUCKET_ARN}/{name}"
    assert policies.allows(policies.agent[prefix], Request("s3:PutObject", key, CREATING))


@pytest.mark.parametrize("name", ["stray.json", "support/traces/s.json", "support/production/traces/s.json"])
def test_enforced_conditions_apply_to_every_key_outside_the_folders_of_a_store(
    policies_of: MakePolicies, name: str
):
    policies = policies_of(OWN, enforced=True)
    request = Request("s3:PutObject", f"{BUCKET_ARN}/{name}", CREATING)
    assert policies.decide(ADMINISTRATOR, request) == "ExplicitlyDenied"


@pytest.mark.parametrize("action", ["kms:GenerateDataKey", "kms:Decrypt"])
def test_the_key_may_be_used_only_through_s3(policies_of: MakePolicies, action: str):
    policies = policies_of(OWN, key=KEY_ARN)
    through_s3 = Request(action, KEY_ARN, {"kms:ViaService": S3_SERVICE})
    others = [
        Request(action, KEY_ARN),
        Request(action, KEY_ARN, {"kms:ViaService": S3_SERVICE.replace("s3", "secretsmanager")}),
        Request(action, f"{KEY_ARN[:-1]}1", {"kms:ViaService": S3_SERVICE}),
    ]
    assert policies.allows(policies.agent[OWN], through_s3)
    assert policies.allows(policies.reader[OWN], through_s3) == (action == "kms:Decrypt")
    for request in others:
        assert not policies.allows(policies.agent[OWN], request), request
        assert not policies.allows(policies.reader[OWN], request), request


def test_without_a_key_no_use_of_a_key_is_allowed(policies_of: MakePolicies):
    policies = policies_of(OWN)
    request = Request("kms:Decrypt", KEY_ARN, {"kms:ViaService": S3_SERVICE})
    assert not policies.allows(policies.agent[OWN], request)
