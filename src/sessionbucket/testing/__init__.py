"""What tests of agents need: fixtures (``plugin``), faults, sessions, servers; and suites for backends (``conformance``)."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sessionbucket.testing._async.faulty_bucket import AsyncFaultyBucket, AsyncHold
    from sessionbucket.testing._sync.faulty_bucket import FaultyBucket, Hold
    from sessionbucket.testing.calls import Call
    from sessionbucket.testing.environment import local_aws_environment
    from sessionbucket.testing.moto import MotoServer
    from sessionbucket.testing.seaweedfs import SeaweedServer
    from sessionbucket.testing.sessions import SessionFactory

_HOMES = {
    "AsyncFaultyBucket": "sessionbucket.testing._async.faulty_bucket",
    "AsyncHold": "sessionbucket.testing._async.faulty_bucket",
    "Call": "sessionbucket.testing.calls",
    "FaultyBucket": "sessionbucket.testing._sync.faulty_bucket",
    "Hold": "sessionbucket.testing._sync.faulty_bucket",
    "MotoServer": "sessionbucket.testing.moto",
    "SeaweedServer": "sessionbucket.testing.seaweedfs",
    "SessionFactory": "sessionbucket.testing.sessions",
    "local_aws_environment": "sessionbucket.testing.environment",
}

__all__ = [
    "AsyncFaultyBucket",
    "AsyncHold",
    "Call",
    "FaultyBucket",
    "Hold",
    "MotoServer",
    "SeaweedServer",
    "SessionFactory",
    "local_aws_environment",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value
