"""What the module's policies allow and deny: every request that the store makes, and others that it does not."""

from __future__ import annotations

import pytest

from terraform.recording import TLS, Record, looking_for
from terraform.simulating import ADMINISTRATOR, BUCKET_ARN, KEY_ARN, S3_SERVICE, MakePolicies, Request

OURS = "support/prod"
ANOTHERS = "research"
NEIGHBOURS = (ANOTHERS, "support/production", "support/pro", "support")
"""Prefixes of others; ``support`` cannot be a tenant beside ours, but an object may well lie there."""
SESSION = f"{BUCKET_ARN}/{OURS}/chat-1.json"
PARTS = ("artifacts/s/artifacts.json", "artifacts/s/files/a.json", "traces/s.json", "verification/s.json")
CREATING = {**TLS, "s3:ObjectCreationOperation": "true"}
PREPARING = {**TLS, "s3:ObjectCreationOperation": "false"}
CREATE = {**CREATING, "s3:if-none-match": "*"}
UPDATE = {**CREATING, "s3:if-match": '"0123456789abcdef0123456789abcdef"'}
READS = ("s3:GetObject", "s3:ListBucket")


@pytest.mark.parametrize("enforced", [False, True], ids=["plain", "enforced"])
@pytest.mark.parametrize("prefix", [OURS, ""], ids=["prefix", "root"])
def test_the_agent_may_do_all_that_a_store_does(
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


@pytest.mark.parametrize("prefix", [OURS, ""], ids=["prefix", "root"])
def test_the_reader_may_do_all_that_reading_takes(policies_of: MakePolicies, recorded: Record, prefix: str):
    policies = policies_of(prefix)
    for request in recorded(prefix).reading:
        assert policies.allows(policies.reader[prefix], request), request


def test_the_reader_may_write_and_delete_nothing(policies_of: MakePolicies, recorded: Record):
    policies = policies_of(OURS)
    requests = [request for request in recorded(OURS).working if request.action not in READS]
    assert requests
    for request in requests:
        assert not policies.allows(policies.reader[OURS], request), request


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
def test_nobody_reaches_what_is_anothers(policies_of: MakePolicies, recorded: Record, neighbour: str):
    policies = policies_of(OURS, ANOTHERS)
    for recording in recorded(ANOTHERS).working:
        request = recording.moved(ANOTHERS, neighbour)
        assert not policies.allows(policies.agent[OURS], request), request
        assert not policies.allows(policies.reader[OURS], request), request


def test_each_tenant_has_policies_of_its_own(policies_of: MakePolicies, recorded: Record):
    policies = policies_of(OURS, ANOTHERS, enforced=True)
    for prefix in (OURS, ANOTHERS):
        for request in recorded(prefix).working:
            assert policies.allows(policies.agent[prefix], request), request


@pytest.mark.parametrize("prefix", [None, "", "support", "support/", OURS, "research/"])
def test_nothing_is_listed_but_what_is_under_the_prefix(policies_of: MakePolicies, prefix: str | None):
    policies = policies_of(OURS)
    request = Request("s3:ListBucket", BUCKET_ARN, TLS if prefix is None else {**TLS, "s3:prefix": prefix})
    assert not policies.allows(policies.agent[OURS], request)
    assert not policies.allows(policies.reader[OURS], request)


@pytest.mark.parametrize("name", ["nobody.json", ".sessionbucket/probe/x", *PARTS])
def test_a_key_that_does_not_exist_is_said_not_to(policies_of: MakePolicies, name: str):
    policies = policies_of(OURS)
    for identity in (policies.agent[OURS], policies.reader[OURS]):
        assert policies.allows(identity, looking_for(f"{OURS}/{name}", BUCKET_ARN))
        assert not policies.allows(identity, looking_for(f"{ANOTHERS}/{name}", BUCKET_ARN))


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
def test_the_agent_may_do_nothing_that_a_store_does_not(
    policies_of: MakePolicies, action: str, resource: str
):
    policies = policies_of(OURS, key=KEY_ARN)
    request = Request(action, resource, {"aws:SecureTransport": "true"})
    assert not policies.allows(policies.agent[OURS], request)
    assert not policies.allows(policies.reader[OURS], request)
    assert policies.allows(ADMINISTRATOR, request)


@pytest.mark.parametrize(
    "transport",
    [{"aws:SecureTransport": "false"}, {"s3:TlsVersion": "1.1"}, {"s3:TlsVersion": "1.0"}],
    ids=["http", "TLS 1.1", "TLS 1.0"],
)
def test_nobody_comes_in_without_tls(policies_of: MakePolicies, recorded: Record, transport: dict[str, str]):
    policies = policies_of(OURS)
    for request in recorded(OURS).working:
        plain = Request(request.action, request.resource, {**request.context, **transport})
        for identity in (policies.agent[OURS], ADMINISTRATOR):
            assert policies.decide(identity, plain) == "ExplicitlyDenied", plain


def test_tls_1_2_is_enough(policies_of: MakePolicies):
    policies = policies_of(OURS, enforced=True)
    request = Request("s3:PutObject", SESSION, {**CREATE, "s3:TlsVersion": "1.2"})
    assert policies.allows(policies.agent[OURS], request)


@pytest.mark.parametrize("prefix", [OURS, ""], ids=["prefix", "root"])
def test_where_it_is_enforced_nobody_overwrites_a_session_unseen(
    policies_of: MakePolicies, recorded: Record, prefix: str
):
    requests = recorded(prefix).overwriting
    assert requests
    for request in requests:
        enforced, plain = policies_of(prefix, enforced=True), policies_of(prefix)
        for identity in (enforced.agent[prefix], ADMINISTRATOR):
            assert enforced.decide(identity, request) == "ExplicitlyDenied", request
        assert plain.allows(plain.agent[prefix], request)


@pytest.mark.parametrize(
    "stem", ["chat-1", "artifacts", "traces", "verification", "%2Esessionbucket", "a.json"]
)
@pytest.mark.parametrize("prefix", [OURS, ""], ids=["prefix", "root"])
def test_where_it_is_enforced_a_session_takes_only_conditional_writes(
    policies_of: MakePolicies, prefix: str, stem: str
):
    policies = policies_of(prefix, enforced=True)
    agent = policies.agent[prefix]
    key = f"{BUCKET_ARN}/{prefix}/{stem}.json" if prefix else f"{BUCKET_ARN}/{stem}.json"
    assert policies.allows(agent, Request("s3:PutObject", key, CREATE))
    assert policies.allows(agent, Request("s3:PutObject", key, UPDATE))
    assert policies.decide(agent, Request("s3:PutObject", key, CREATING)) == "ExplicitlyDenied"
    assert policies.allows(agent, Request("s3:DeleteObject", key, TLS))


def test_where_it_is_enforced_the_last_request_of_a_multipart_upload_takes_the_condition(
    policies_of: MakePolicies,
):
    policies = policies_of(OURS, enforced=True)
    agent = policies.agent[OURS]
    assert policies.allows(agent, Request("s3:PutObject", SESSION, PREPARING))
    assert policies.allows(agent, Request("s3:PutObject", SESSION, CREATE))
    assert not policies.allows(agent, Request("s3:PutObject", SESSION, CREATING))


@pytest.mark.parametrize("name", [*PARTS, ".sessionbucket/health/x"])
@pytest.mark.parametrize("prefix", [OURS, ""], ids=["prefix", "root"])
def test_where_it_is_enforced_parts_are_written_as_ever(policies_of: MakePolicies, prefix: str, name: str):
    policies = policies_of(prefix, enforced=True)
    key = f"{BUCKET_ARN}/{prefix}/{name}" if prefix else f"{BUCKET_ARN}/{name}"
    assert policies.allows(policies.agent[prefix], Request("s3:PutObject", key, CREATING))


@pytest.mark.parametrize("name", ["stray.json", "support/traces/s.json", "support/prod/deeper/s.json"])
def test_where_it_is_enforced_it_holds_for_all_that_is_no_part(policies_of: MakePolicies, name: str):
    policies = policies_of(OURS, enforced=True)
    request = Request("s3:PutObject", f"{BUCKET_ARN}/{name}", CREATING)
    assert policies.decide(ADMINISTRATOR, request) == "ExplicitlyDenied"


@pytest.mark.parametrize("action", ["kms:GenerateDataKey", "kms:Decrypt"])
def test_the_key_is_used_through_s3_alone(policies_of: MakePolicies, action: str):
    policies = policies_of(OURS, key=KEY_ARN)
    through_s3 = Request(action, KEY_ARN, {"kms:ViaService": S3_SERVICE})
    others = [
        Request(action, KEY_ARN),
        Request(action, KEY_ARN, {"kms:ViaService": S3_SERVICE.replace("s3", "secretsmanager")}),
        Request(action, f"{KEY_ARN[:-1]}1", {"kms:ViaService": S3_SERVICE}),
    ]
    assert policies.allows(policies.agent[OURS], through_s3)
    assert policies.allows(policies.reader[OURS], through_s3) == (action == "kms:Decrypt")
    for request in others:
        assert not policies.allows(policies.agent[OURS], request), request
        assert not policies.allows(policies.reader[OURS], request), request


def test_without_a_key_no_key_is_granted(policies_of: MakePolicies):
    policies = policies_of(OURS)
    request = Request("kms:Decrypt", KEY_ARN, {"kms:ViaService": S3_SERVICE})
    assert not policies.allows(policies.agent[OURS], request)
