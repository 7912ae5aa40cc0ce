"""Verification reports: checks and their results."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import ClassVar, Self

from pydantic import Field

from sessionbucket.models._base import CheckedOnReadModel, WireModel, is_empty, is_none, new_list, refusing

VERIFICATION_REPORT_SCHEMA = "a3s.verification_report.v1"


class VerificationStatus(StrEnum):
    """The outcome of a check or of a report."""

    PASSED = "passed"
    FAILED = "failed"
    NEEDS_REVIEW = "needs_review"
    SKIPPED = "skipped"


class VerificationCheck(WireModel):
    """One check. ``required`` is True when it must pass."""

    id: str
    kind: str
    description: str
    status: VerificationStatus
    required: bool = False
    suggested_tools: list[str] = Field(default_factory=new_list, exclude_if=is_empty)
    evidence_uris: list[str] = Field(default_factory=new_list, exclude_if=is_empty)
    residual_risk: str | None = Field(default=None, exclude_if=is_none)

    @classmethod
    @refusing
    def required_check(cls, id: str, kind: str, description: str) -> Self:
        """A required check that needs review. ``with_status`` gives it another status."""
        return cls(
            id=id,
            kind=kind,
            description=description,
            status=VerificationStatus.NEEDS_REVIEW,
            required=True,
        )

    @classmethod
    @refusing
    def optional(cls, id: str, kind: str, description: str) -> Self:
        """A check that needs review and need not pass."""
        check = cls.required_check(id, kind, description)
        check.required = False
        return check

    @refusing
    def with_status(self, status: VerificationStatus | str) -> Self:
        """A copy of the check with this status."""
        return self.model_copy(update={"status": VerificationStatus(status)}, deep=True)


class VerificationReport(CheckedOnReadModel):
    """The checks of one subject. A read keeps the stored ``status``, and never computes it again."""

    required_on_read: ClassVar = ("schema_id",)

    schema_id: str = Field(default=VERIFICATION_REPORT_SCHEMA, alias="schema")
    subject: str
    status: VerificationStatus
    checks: list[VerificationCheck]
    residual_risks: list[str] = Field(default_factory=new_list, exclude_if=is_empty)

    @classmethod
    @refusing
    def new(cls, subject: str, checks: Iterable[VerificationCheck]) -> Self:
        """A report whose status follows from the current status of its checks."""
        listed = list(checks)
        return cls(subject=subject, status=_status(listed, []), checks=listed)

    @refusing
    def add_residual_risk(self, risk: str) -> None:
        """Add a residual risk, and compute the status again."""
        self.residual_risks = [*self.residual_risks, risk]
        self.status = _status(self.checks, self.residual_risks)


_UNSETTLED = (VerificationStatus.NEEDS_REVIEW, VerificationStatus.SKIPPED)


def _status(checks: list[VerificationCheck], residual_risks: list[str]) -> VerificationStatus:
    if any(check.status == VerificationStatus.FAILED for check in checks):
        return VerificationStatus.FAILED
    if any(check.required and check.status in _UNSETTLED for check in checks) or residual_risks:
        return VerificationStatus.NEEDS_REVIEW
    return VerificationStatus.PASSED if checks else VerificationStatus.SKIPPED
