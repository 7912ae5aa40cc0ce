"""SeaweedFS behind the fault proxy."""

from __future__ import annotations

from frameworks.sites import proxy, site

__all__ = ["proxy", "site"]
