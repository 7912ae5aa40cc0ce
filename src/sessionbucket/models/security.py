"""What a session's tools must not leak or run. Stored as it is; nothing here enforces it."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from sessionbucket.models._base import CheckedOnReadModel, WireModel

_DANGEROUS_COMMANDS = ("rm -rf", "dd if=", "mkfs", ":(){:|:&};:")


class SensitivityLevel(StrEnum):
    """How bad it is when a matched text gets out."""

    PUBLIC = "Public"
    NORMAL = "Normal"
    SENSITIVE = "Sensitive"
    HIGHLY_SENSITIVE = "HighlySensitive"
    CRITICAL = "Critical"


class RedactionStrategy(StrEnum):
    """What takes the place of a matched text."""

    MASK = "Mask"
    REMOVE = "Remove"
    HASH = "Hash"


class ClassificationRule(WireModel):
    """A regular expression and the level of what it matches."""

    name: str
    pattern: str
    level: SensitivityLevel
    description: str


class SecurityFeatures(CheckedOnReadModel):
    """Which guards are on; all of them unless said otherwise."""

    required_on_read: ClassVar = (
        "output_sanitizer",
        "taint_tracking",
        "tool_interceptor",
        "injection_defense",
    )

    output_sanitizer: bool = True
    taint_tracking: bool = True
    tool_interceptor: bool = True
    injection_defense: bool = True


class SecurityConfig(CheckedOnReadModel):
    """The guards of a session. The classification rules are the caller's: there is no built-in set."""

    required_on_read: ClassVar = (
        "enabled",
        "redaction_strategy",
        "network_whitelist",
        "dangerous_commands",
        "features",
    )

    enabled: bool = True
    classification_rules: list[ClassificationRule]
    redaction_strategy: RedactionStrategy = RedactionStrategy.REMOVE
    network_whitelist: list[str] = Field(default_factory=list)
    dangerous_commands: list[str] = Field(default_factory=lambda: list(_DANGEROUS_COMMANDS))
    features: SecurityFeatures = Field(default_factory=SecurityFeatures)
