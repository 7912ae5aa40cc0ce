"""Buckets with other capabilities than their own."""

from __future__ import annotations

from typing import Any

from both_sides import SyncSide
from sessionbucket import AsyncBucketWrapper, BucketWrapper, Capabilities


class _WithCapabilities:
    changes: dict[str, Any]

    @property
    def capabilities(self) -> Capabilities:
        return super().capabilities._replace(**self.changes)  # type: ignore[misc]


class SyncWithCapabilities(_WithCapabilities, BucketWrapper):
    pass


class AsyncWithCapabilities(_WithCapabilities, AsyncBucketWrapper):
    pass


def with_capabilities(side: SyncSide, bucket: Any, **changes: Any) -> Any:
    """The bucket with these capabilities in the place of its own: ``page_limit=7``, ``conditional_writes="probe"``."""
    wrapper = side.wrapper(bucket, SyncWithCapabilities, AsyncWithCapabilities)
    wrapper.changes = changes
    return wrapper
