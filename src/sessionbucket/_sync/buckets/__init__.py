# Generated from sessionbucket/_async/buckets/__init__.py by scripts/generate_sync.py: do not edit.
