"""A store that was used before a fork: no process reads the response to another's request, and none waits for ever."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.locations import SEAWEEDFS, Location, environment
from faults import forked_readers
from sessionbucket import open_store

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

SECONDS = 120


@pytest.fixture
def location(location_of: Callable[[str], Location]) -> Location:
    """A location of SeaweedFS with the files that the processes read."""
    location = location_of(SEAWEEDFS)
    with open_store(location.url()) as store:
        for number in range(forked_readers.FILES):
            store.put_file(forked_readers.ID, f"{number}", forked_readers.content(number))
    return location


def results(location: Location, engine: str) -> tuple[list[Any], Any]:
    """The result of each child, and that of the parent."""
    ran = subprocess.run(
        [sys.executable, forked_readers.__file__, location.url(), engine],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    *children, parent = map(json.loads, ran.stdout.splitlines())
    assert len(children) == forked_readers.CHILDREN
    return children, parent


@pytest.mark.parametrize(
    "engine",
    [
        pytest.param("boto3", marks=pytest.mark.slow),
        "boto3 beside a thread",
        pytest.param("aioboto3", marks=pytest.mark.slow),
    ],
)
def test_children_and_parent_each_read_their_own_responses(location: Location, engine: str) -> None:
    children, parent = results(location, engine)
    expected = forked_readers.FILES * forked_readers.ROUNDS
    assert children == [expected] * forked_readers.CHILDREN
    assert parent == expected


@pytest.mark.parametrize("engine", ["obstore", "async obstore"])
def test_obstore_raises_in_a_child_at_once_and_the_parent_goes_on(location: Location, engine: str) -> None:
    children, parent = results(location, engine)
    assert parent == forked_readers.FILES * forked_readers.ROUNDS
    for child in children:
        assert child.startswith("NotSupportedError: ")
        assert "forked" in child
        assert "open the store in the child process only" in child
        assert location.endpoint_url in child


def test_a_child_may_use_obstore_when_its_parent_only_opened_a_store(location: Location) -> None:
    program = """
import os, sys
from sessionbucket import open_store
store = open_store(sys.argv[1])
child = os.fork()
if child == 0:
    os._exit(0 if len(store.list_files("s")) == 8 else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    command = [sys.executable, "-c", program, f"{location.url()}&engine=obstore"]
    assert subprocess.run(command, env=environment(), timeout=SECONDS, check=False).returncode == 0


def test_a_callers_own_boto3_client_is_not_shared_with_a_child(location: Location) -> None:
    program = """
import os, sys, boto3
from sessionbucket import S3Bucket, SessionStore
from faults.forked_readers import in_children, read_all
client = boto3.client("s3", endpoint_url=sys.argv[1])
store = SessionStore(S3Bucket(sys.argv[2], client=client), sys.argv[3])
read_all(store)
in_children(lambda: read_all(store))
client.close()
"""
    arguments = [location.endpoint_url, location.bucket, location.prefix]
    tests = str(Path(__file__).parent.parent)
    path = os.pathsep.join([environment()["PYTHONPATH"], tests])
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=environment() | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    expected = forked_readers.FILES * forked_readers.ROUNDS
    assert [json.loads(line) for line in ran.stdout.splitlines()] == [expected] * (
        forked_readers.CHILDREN + 1
    )
