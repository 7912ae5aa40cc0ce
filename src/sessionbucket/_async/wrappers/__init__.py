"""Buckets that wrap another bucket."""
