# Generated from sessionbucket/_async/wrappers/__init__.py by scripts/generate_sync.py: do not edit.
"""Buckets that wrap another bucket."""
