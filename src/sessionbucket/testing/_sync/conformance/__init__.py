"""Suites that a bucket or a store of one's own runs to prove itself."""
