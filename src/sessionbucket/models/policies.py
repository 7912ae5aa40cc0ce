"""The policies of a session: which tool calls need confirmation, are allowed or denied, and must not leak."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from sessionbucket.models._base import CheckedOnReadModel, WireModel, new_list
from sessionbucket.models._scalars import U64
from sessionbucket.models.queues import Lane


class TimeoutAction(StrEnum):
    """The result of a call that nobody confirmed in time."""

    REJECT = "Reject"
    AUTO_APPROVE = "AutoApprove"


def _once_each(lanes: list[Lane]) -> list[Lane]:
    return list(dict.fromkeys(lanes))


class ConfirmationPolicy(CheckedOnReadModel):
    """Whether a person confirms calls, the time limit in milliseconds, and the lanes that need no confirmation."""

    required_on_read: ClassVar = ("enabled", "default_timeout_ms", "timeout_action", "yolo_lanes")

    enabled: bool = False
    default_timeout_ms: U64 = 30_000
    timeout_action: TimeoutAction = TimeoutAction.REJECT
    yolo_lanes: Annotated[list[Lane], AfterValidator(_once_each)] = Field(default_factory=new_list)

    @classmethod
    def enabled_policy(cls) -> Self:
        """A policy that requires confirmation, waits 30 seconds, and then rejects."""
        return cls(enabled=True)


class PermissionDecision(StrEnum):
    """The decision of a policy on a call."""

    ALLOW = "allow"
    DENY = "deny"
    ASK = "ask"


class PermissionRule(WireModel):
    """A rule such as ``Bash(cargo:*)``: the name of a tool, and in parentheses a pattern of its arguments.

    It is read from a string or an object, and written as an object.
    """

    rule: str

    @model_validator(mode="before")
    @classmethod
    def _take_a_bare_string(cls, value: Any) -> Any:
        return {"rule": value} if isinstance(value, str) else value

    @property
    def tool_name(self) -> str:
        """The name before the first parenthesis, or the whole rule if it has none."""
        return self._parts()[0]

    @property
    def argument_pattern(self) -> str | None:
        """The text between the first and the closing parenthesis, or None if the rule has none."""
        return self._parts()[1]

    def _parts(self) -> tuple[str, str | None]:
        name, parenthesis, rest = self.rule.partition("(")
        if not parenthesis or not rest.endswith(")"):
            return self.rule, None
        return name, rest[:-1]


class PermissionPolicy(WireModel):
    """Three lists of rules, and the decision when none matches.

    ``PermissionPolicy().deny_all("Bash(rm:*)").allow_all("Read", "Bash(cargo:*)")`` makes one.
    """

    deny: list[PermissionRule] = Field(default_factory=new_list)
    allow: list[PermissionRule] = Field(default_factory=new_list)
    ask: list[PermissionRule] = Field(default_factory=new_list)
    default_decision: PermissionDecision = PermissionDecision.ASK
    enabled: bool = True

    def deny_all(self, *rules: str) -> Self:
        """A copy of the policy that also denies ``rules``."""
        return self._with("deny", rules)

    def allow_all(self, *rules: str) -> Self:
        """A copy of the policy that also allows ``rules``."""
        return self._with("allow", rules)

    def ask_all(self, *rules: str) -> Self:
        """A copy of the policy that also asks for ``rules``."""
        return self._with("ask", rules)

    def _with(self, name: str, rules: Iterable[str]) -> Self:
        added = [PermissionRule(rule=rule) for rule in rules]
        return self.model_copy(update={name: [*getattr(self, name), *added]}, deep=True)


_DANGEROUS_COMMANDS = ("rm -rf", "dd if=", "mkfs", ":(){:|:&};:")


class SensitivityLevel(StrEnum):
    """The sensitivity of a matched text."""

    PUBLIC = "Public"
    NORMAL = "Normal"
    SENSITIVE = "Sensitive"
    HIGHLY_SENSITIVE = "HighlySensitive"
    CRITICAL = "Critical"


class RedactionStrategy(StrEnum):
    """The replacement of a matched text."""

    MASK = "Mask"
    REMOVE = "Remove"
    HASH = "Hash"


class ClassificationRule(WireModel):
    """A regular expression, and the sensitivity of the texts that it matches."""

    name: str
    pattern: str
    level: SensitivityLevel
    description: str


class SecurityFeatures(CheckedOnReadModel):
    """The active guards; by default all of them."""

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
    """The guards of a session. The caller supplies the classification rules; there is no built-in set."""

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
    network_whitelist: list[str] = Field(default_factory=new_list)
    dangerous_commands: list[str] = Field(default_factory=lambda: list(_DANGEROUS_COMMANDS))
    features: SecurityFeatures = Field(default_factory=SecurityFeatures)
