"""Tools as an agent offers them to a model. Sessions store their names only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sessionbucket.models._base import WireModel


class ToolDefinition(WireModel):
    """A tool: its name, what it does, and a JSON schema of its parameters."""

    name: str
    description: str
    parameters: Any


def tool_names_from_definitions(definitions: Iterable[ToolDefinition]) -> list[str]:
    """The names of ``definitions``, in their order: what ``SessionData.tool_names`` holds."""
    return [definition.name for definition in definitions]
