"""Test tools: fixtures (``plugin``), faults, sessions, local servers, and suites for backends (``conformance``)."""

from __future__ import annotations

from sessionbucket._lazy_names import lazy_names

__all__ = [
    "AsyncFaultyBucket",
    "AsyncPause",
    "Call",
    "FaultyBucket",
    "MotoServer",
    "Pause",
    "SeaweedServer",
    "SessionFactory",
    "local_aws_environment",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "_async.faulty_bucket": ("AsyncFaultyBucket", "AsyncPause"),
        "_sync.faulty_bucket": ("FaultyBucket", "Pause"),
        "calls": ("Call",),
        "environment": ("local_aws_environment",),
        "moto": ("MotoServer",),
        "seaweedfs": ("SeaweedServer",),
        "sessions": ("SessionFactory",),
    },
)
