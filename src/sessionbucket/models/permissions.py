"""Which tool calls are allowed, denied, or asked about."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, model_validator

from sessionbucket.models._base import WireModel
from sessionbucket.models._constructor_member import ConstructorMember


class PermissionDecision(StrEnum):
    """What a policy says of a call."""

    ALLOW = "allow"
    DENY = "deny"
    ASK = "ask"


class PermissionRule(WireModel):
    """A rule such as ``Bash(cargo:*)``: a tool's name, and in parentheses a pattern of its arguments.

    It is read from a bare string or an object, and written as an object.
    """

    rule: str

    @model_validator(mode="before")
    @classmethod
    def _take_a_bare_string(cls, value: Any) -> Any:
        return {"rule": value} if isinstance(value, str) else value

    @property
    def tool_name(self) -> str:
        """The name before the first parenthesis, or the whole rule where it has none."""
        return self._parts()[0]

    @property
    def argument_pattern(self) -> str | None:
        """The text between the first and the closing parenthesis, none where the rule has none."""
        return self._parts()[1]

    def _parts(self) -> tuple[str, str | None]:
        name, parenthesis, rest = self.rule.partition("(")
        if not parenthesis or not rest.endswith(")"):
            return self.rule, None
        return name, rest[:-1]


class PermissionPolicy(WireModel):
    """Three lists of rules, and what holds where none matches.

    ``PermissionPolicy.allow("Bash(cargo:*)")`` makes a policy that allows those rules, and so do ``deny``
    and ``ask``; on an instance these are the lists.
    """

    if TYPE_CHECKING:
        deny: ConstructorMember[Callable[..., PermissionPolicy], list[PermissionRule]] = ConstructorMember()
        allow: ConstructorMember[Callable[..., PermissionPolicy], list[PermissionRule]] = ConstructorMember()
        ask: ConstructorMember[Callable[..., PermissionPolicy], list[PermissionRule]] = ConstructorMember()
    else:
        deny: list[PermissionRule] = Field(default_factory=list)
        allow: list[PermissionRule] = Field(default_factory=list)
        ask: list[PermissionRule] = Field(default_factory=list)
    default_decision: PermissionDecision = PermissionDecision.ASK
    enabled: bool = True

    @classmethod
    def denying(cls, *rules: str) -> Self:
        """A policy that denies ``rules`` and asks about the rest."""
        return cls(deny=[PermissionRule(rule=rule) for rule in rules])

    @classmethod
    def allowing(cls, *rules: str) -> Self:
        """A policy that allows ``rules`` and asks about the rest."""
        return cls(allow=[PermissionRule(rule=rule) for rule in rules])

    @classmethod
    def asking(cls, *rules: str) -> Self:
        """A policy that asks about ``rules``, and about the rest."""
        return cls(ask=[PermissionRule(rule=rule) for rule in rules])


ConstructorMember.install(PermissionPolicy, deny="denying", allow="allowing", ask="asking")
