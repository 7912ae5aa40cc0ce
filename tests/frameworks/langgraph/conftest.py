"""The fault proxy and the engines of tests/faults."""

from faults.conftest import endpoint, kept_buckets, s3_side, sides, site

__all__ = ["endpoint", "kept_buckets", "s3_side", "sides", "site"]
