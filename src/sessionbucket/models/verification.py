"""What was verified, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field

from sessionbucket.models._base import CheckedOnReadModel, WireModel, is_empty, is_none
from sessionbucket.models._constructor_member import ConstructorMember

VERIFICATION_REPORT_SCHEMA = "a3s.verification_report.v1"


class VerificationStatus(StrEnum):
    """The outcome of a check or of a report."""

    PASSED = "passed"
    FAILED = "failed"
    NEEDS_REVIEW = "needs_review"
    SKIPPED = "skipped"


class VerificationCheck(WireModel):
    """One thing to verify.

    ``VerificationCheck.required(id, kind, description)`` makes a required check that needs review; on
    an instance ``required`` says whether the check has to pass.
    """

    id: str
    kind: str
    description: str
    status: VerificationStatus
    if TYPE_CHECKING:
        required: ConstructorMember[Callable[..., VerificationCheck], bool] = ConstructorMember()
    else:
        required: bool = False
    suggested_tools: list[str] = Field(default_factory=list, exclude_if=is_empty)
    evidence_uris: list[str] = Field(default_factory=list, exclude_if=is_empty)
    residual_risk: str | None = Field(default=None, exclude_if=is_none)

    @classmethod
    def required_check(cls, id: str, kind: str, description: str) -> Self:
        """A required check nobody has looked at yet; set its ``status`` when somebody has."""
        return cls(
            id=id,
            kind=kind,
            description=description,
            status=VerificationStatus.NEEDS_REVIEW,
            required=True,
        )


ConstructorMember.install(VerificationCheck, required="required_check")


class VerificationReport(CheckedOnReadModel):
    """The checks of one subject. A stored ``status`` is taken as it stands, never computed again on a read."""

    required_on_read: ClassVar = ("schema_id",)

    schema_id: str = Field(default=VERIFICATION_REPORT_SCHEMA, alias="schema")
    subject: str
    status: VerificationStatus
    checks: list[VerificationCheck]
    residual_risks: list[str] = Field(default_factory=list, exclude_if=is_empty)

    @classmethod
    def new(cls, subject: str, checks: Iterable[VerificationCheck]) -> Self:
        """A report whose status follows from its checks, as they stand now."""
        listed = list(checks)
        return cls(subject=subject, status=_status(listed, []), checks=listed)

    def add_residual_risk(self, risk: str) -> None:
        """Note a risk that remains, and compute the status again."""
        self.residual_risks = [*self.residual_risks, risk]
        self.status = _status(self.checks, self.residual_risks)


_UNSETTLED = (VerificationStatus.NEEDS_REVIEW, VerificationStatus.SKIPPED)


def _status(checks: list[VerificationCheck], residual_risks: list[str]) -> VerificationStatus:
    if any(check.status == VerificationStatus.FAILED for check in checks):
        return VerificationStatus.FAILED
    if any(check.required and check.status in _UNSETTLED for check in checks) or residual_risks:
        return VerificationStatus.NEEDS_REVIEW
    return VerificationStatus.PASSED if checks else VerificationStatus.SKIPPED
