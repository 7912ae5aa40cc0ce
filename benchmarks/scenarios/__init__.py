"""What is measured, one module a subject. Each has ``ABOUT``, a sentence, and ``measure``, which fills the results."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

NAMES = (
    "hot_path",
    "concurrency",
    "writers",
    "agents",
    "costs",
    "cold_start",
    "memory",
    "folders",
    "listing",
    "copying",
)


def scenario(name: str) -> ModuleType:
    """The scenario of this name, loaded now."""
    return import_module(f"benchmarks.scenarios.{name}")
