# Generated from sessionbucket/testing/_async/__init__.py by scripts/generate_sync.py: do not edit.
"""The async side of this kit, from which the sync side is generated."""
