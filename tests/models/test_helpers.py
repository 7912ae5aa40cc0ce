"""A helper of a model refuses a bad argument by the library's own error."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionbucket import InvalidArgumentError, Message, SessionData
from sessionbucket.models import (
    ArtifactStore,
    ImageBlock,
    TraceEvent,
    VerificationCheck,
    VerificationReport,
)

ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.lists(st.integers()),
    st.dictionaries(st.text(), st.integers()), st.builds(object),
)  # fmt: skip


def check() -> VerificationCheck:
    return VerificationCheck.required_check("c", "k", "d")


CALLS: list[Any] = [
    lambda value: ArtifactStore().put(value),
    ArtifactStore.with_limits,
    lambda value: ArtifactStore.with_limits([], max_artifacts=value),
    lambda value: ImageBlock.from_bytes(value, "image/png"),
    lambda value: ImageBlock.from_bytes(b"", value),
    Message.user,
    lambda value: Message.user("text", images=value),
    Message.assistant,
    lambda value: Message.tool_use(value, "name", {}),
    lambda value: Message.tool_result(value, "text"),
    lambda value: TraceEvent.tool_execution(
        "name", success=True, exit_code=0, duration=value, output_bytes=0
    ),
    lambda value: TraceEvent.program_execution(
        "name", success=True, exit_code=value, duration=0.0, output_bytes=0
    ),
    lambda value: VerificationReport.new("subject", value),
    lambda value: VerificationReport.new("subject", [check()]).add_residual_risk(value),
    lambda value: check().with_status(value),
    SessionData.tool_names_from_definitions,
]


@pytest.mark.parametrize("call", CALLS, ids=range(len(CALLS)))
@given(value=ANYTHING)
def test_a_helper_works_or_refuses_its_argument(call: Any, value: Any):
    with suppress(InvalidArgumentError):
        call(value)


def test_the_error_names_the_helper():
    with pytest.raises(InvalidArgumentError, match=r"^ImageBlock\.from_bytes: an argument is refused"):
        ImageBlock.from_bytes("text", "image/png")  # type: ignore[arg-type]
