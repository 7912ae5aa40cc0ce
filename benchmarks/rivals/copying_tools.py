"""rclone and the AWS CLI with their defaults, which copy a folder into a bucket."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

from benchmarks.measuring import Timing
from benchmarks.processes import run_command
from benchmarks.servers import REGION, Server

RCLONE, AWS = "rclone", "aws"


def find(program: str) -> str | None:
    """The path of the program in this environment or on the PATH; None when it is not installed."""
    beside = Path(sysconfig.get_path("scripts"), program)
    return str(beside) if beside.exists() else shutil.which(program)


def rclone(server: Server, folder: Path, bucket: str, prefix: str, *options: str) -> Timing:
    """Run ``rclone copy``. Raises ``RuntimeError`` when it fails."""
    connection = f":s3,provider=Other,env_auth=true,region={REGION},endpoint='{server.endpoint_url}'"
    return _run(RCLONE, "copy", *options, str(folder), f"{connection}:{bucket}/{prefix}")


def aws(server: Server, folder: Path, bucket: str, prefix: str) -> Timing:
    """Run ``aws s3 cp --recursive``. Raises ``RuntimeError`` when it fails."""
    target = f"s3://{bucket}/{prefix}/"
    return _run(
        AWS,
        "s3",
        "cp",
        "--recursive",
        "--only-show-errors",
        "--endpoint-url",
        server.endpoint_url,
        str(folder),
        target,
    )


def _run(program: str, *arguments: str) -> Timing:
    found = find(program)
    if found is None:
        raise RuntimeError(f"{program} is not installed")
    return run_command([found, *arguments]).timing
