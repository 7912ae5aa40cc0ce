"""Which hosts are AWS, and which server a bucket uses. Everything else is probed before the first conditional write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError
from botocore.session import get_session

from conformance.locations import Location
from conformance.samples import session_of
from sessionbucket import (
    AsyncObstoreBucket,
    AsyncS3Bucket,
    InvalidArgumentError,
    ObstoreBucket,
    S3Bucket,
    SessionStore,
    open_store,
)
from sessionbucket._backends.endpoints import partition_of

KINDS = pytest.mark.parametrize("kind", [S3Bucket, AsyncS3Bucket, ObstoreBucket, AsyncObstoreBucket])
OTHER_HOSTS = [
    "ec2-192-0-2-1.eu-west-1.compute.amazonaws.com",
    "s3.eu-west-1.compute.amazonaws.com",
    "s3.balancer-1.eu-west-1.elb.amazonaws.com",
    "vpce-1.vpce-svc-2.us-east-1.vpce.amazonaws.com",
    "s3.execute-api.eu-west-1.amazonaws.com",
    "s3.amazonaws.com.example.org",
    "minio.s3.example.org",
    "xs3.amazonaws.com",
    "amazonaws.com",
    "localhost",
]
WITHOUT_A_REGION = ["bucket.s3-accelerate.amazonaws.com", "bucket.s3-accelerate.dualstack.amazonaws.com"]
VPC_ENDPOINTS = [
    "bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com",
    "accesspoint.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com",
    "vpce-1a2b3c4d-5e6f-us-east-1a.s3.us-east-1.vpce.amazonaws.com",
]


def endpoints_in_botocores_data() -> Iterator[tuple[str, str]]:
    """The partition and URL of every endpoint that botocore's own rules give to a bucket, an access point, or none."""
    loader = get_session().get_component("data_loader")
    partitions = loader.load_data("partitions")
    provider = EndpointProvider(loader.load_service_model("s3", "endpoint-rule-set-1"), partitions)
    for partition in partitions["partitions"]:
        name = partition["id"]
        for region in partition["regions"]:
            if region.endswith("-global"):
                continue  # no region, but a name for none
            arn = f"arn:{name}:s3:{region}:123456789012:accesspoint:ap"
            buckets = ("bucket", "my.bucket", None, arn, "name--use1-az4--x-s3")
            for fips, dual_stack, bucket in product([0, 1], [0, 1], buckets):
                parameters: dict[str, Any] = {
                    "Region": region,
                    "UseFIPS": bool(fips),
                    "UseDualStack": bool(dual_stack),
                    **({"Bucket": bucket} if bucket else {}),
                }
                try:
                    yield name, provider.resolve_endpoint(**parameters).url
                except EndpointProviderError:
                    continue  # the partition has no such endpoint


def test_every_endpoint_in_botocores_data_is_aws_in_its_partition():
    found = list(endpoints_in_botocores_data())
    assert len({urlsplit(url).hostname for _, url in found}) > 500
    assert [(name, url) for name, url in found if partition_of(url, None) != name] == []


def test_the_hosts_of_aws_other_services_are_not_s3():
    services = get_session().get_component("data_loader").load_data("endpoints")["partitions"][0]["services"]
    for service, described in services.items():
        hosts = {f"{service}.eu-west-1.amazonaws.com"}
        hosts |= {each["hostname"] for each in described["endpoints"].values() if "hostname" in each}
        found = [host for host in hosts if partition_of(f"https://{host}", None)]
        assert not found or service in ("s3", "s3-outposts")


@pytest.mark.parametrize("host", [*VPC_ENDPOINTS, *WITHOUT_A_REGION])
def test_vpc_endpoints_and_accelerated_endpoints_are_aws(host: str):
    assert partition_of(f"https://{host}", None) == "aws"


@KINDS
@pytest.mark.parametrize("host", OTHER_HOSTS)
def test_a_host_that_only_resembles_s3_is_probed(kind: Any, host: str):
    bucket = kind("bucket", endpoint_url=f"https://{host}")
    assert bucket.capabilities.conditional_writes == "probe"
    assert not bucket.location.startswith("s3://")


@KINDS
def test_aws_is_trusted_and_its_partitions_have_their_own_locations(kind: Any):
    def location(**options: str) -> str:
        bucket = kind("bucket", **options)
        assert bucket.capabilities.conditional_writes == "trusted"
        return str(bucket.location)

    assert location() == location(region="eu-west-1") == "s3://bucket"
    assert location(endpoint_url="https://s3.eu-west-1.amazonaws.com") == "s3://bucket"
    assert location(endpoint_url="https://s3.cn-north-1.amazonaws.com.cn") == "arn:aws-cn:s3:::bucket"
    assert location(region="cn-north-1") == "arn:aws-cn:s3:::bucket"
    assert location(region="us-gov-west-1") == "arn:aws-us-gov:s3:::bucket"


@KINDS
def test_two_servers_have_two_locations_and_two_spellings_of_one_have_one(kind: Any):
    def location(url: str) -> str:
        return str(kind("bucket", endpoint_url=url).location)

    assert location("http://localhost:9000") == location("http://127.0.0.1:9000/")
    assert location("https://S3.Example.org") == location("https://s3.example.org:443")
    servers = [
        "http://127.0.0.1:9000",
        "http://127.0.0.1:9001",
        "http://[::1]:9000",
        "https://127.0.0.1:9000",
        "http://127.0.0.1:9000/tenant",
        "http://192.0.2.1:9000",
    ]
    assert len(set(map(location, servers))) == len(servers)


WRITERS = """
[default]
region = us-east-1
aws_access_key_id = testing
aws_secret_access_key = testing
[profile direct]
region = us-east-1
aws_access_key_id = testing
aws_secret_access_key = testing
endpoint_url = {url}
[profile service]
region = us-east-1
aws_access_key_id = testing
aws_secret_access_key = testing
services = local
[profile ignoring]
region = us-east-1
aws_access_key_id = testing
aws_secret_access_key = testing
endpoint_url = {url}
ignore_configured_endpoint_urls = true
[services local]
s3 =
    endpoint_url = {url}
"""


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Writes AWS's configuration file, whose profiles name the URL of a server."""

    def write(url: str) -> None:
        (tmp_path / "config").write_text(WRITERS.format(url=url))
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))

    return write


@pytest.mark.parametrize("engine", ["boto3", "obstore"])
@pytest.mark.parametrize("profile", ["direct", "service"])
@pytest.mark.parametrize("source", ["option", "environment", "session"])
def test_a_store_uses_the_server_of_the_profile(
    moto: Location,
    configure: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
    profile: str,
    source: str,
):
    configure(moto.endpoint_url)
    arguments: dict[str, Any] = {}
    if source == "environment":
        monkeypatch.setenv("AWS_PROFILE", profile)
    elif source == "option":
        arguments["profile"] = profile
    else:
        arguments["session"] = boto3.Session(profile_name=profile)
    url = f"s3://{moto.bucket}/team?engine={engine}"
    with open_store(url, **arguments) as store:
        assert store.location == f"{moto.endpoint_url}/{moto.bucket}/team"
        assert store.bucket.capabilities.conditional_writes == "probe"
        store.save(session_of("s"))
    assert moto.names() == ["team/s.json"]


@KINDS
@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])
def test_the_server_of_the_environment_is_used(
    kind: Any, configure: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, variable: str
):
    monkeypatch.setenv(variable, "http://127.0.0.1:9000")
    assert kind("bucket").location == "http://127.0.0.1:9000/bucket"
    configure(
        "http://127.0.0.1:9001"
    )  # the environment precedes the file, and S3's own entry precedes a general one
    assert kind("bucket", profile="direct").location == "http://127.0.0.1:9000/bucket"
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    assert kind("bucket").location == "s3://bucket"


@KINDS
@pytest.mark.parametrize("profile", ["default", "direct", "service", "ignoring"])
@pytest.mark.parametrize(
    "variable", [None, pytest.param("AWS_ENDPOINT_URL", marks=pytest.mark.slow), "AWS_ENDPOINT_URL_S3"]
)
def test_the_location_names_the_endpoint_of_boto3s_own_client(
    kind: Any,
    configure: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    profile: str,
    variable: str | None,
):
    configure("http://127.0.0.1:9000")
    if variable:
        monkeypatch.setenv(variable, "http://127.0.0.1:9001")
    client = boto3.Session(profile_name=profile).client("s3")
    used = str(client.meta.endpoint_url)
    client.close()
    expected = "s3://bucket" if used.endswith(".amazonaws.com") else f"{used}/bucket"
    assert kind("bucket", profile=profile).location == expected


def test_a_session_whose_clients_use_another_server_than_its_configuration_is_refused(moto: Location):
    """Some sessions choose the endpoint in their ``client`` method only."""

    class Local(boto3.Session):
        def client(self, *names: Any, **arguments: Any) -> Any:
            return super().client(*names, **arguments | {"endpoint_url": moto.endpoint_url})

    store = SessionStore(S3Bucket(moto.bucket, session=Local()))
    with pytest.raises(InvalidArgumentError, match="endpoint_url"):
        store.save(session_of("s"))
    assert moto.names() == []
    with SessionStore(S3Bucket(moto.bucket, session=Local(), endpoint_url=moto.endpoint_url)) as store:
        store.save(session_of("s"))
