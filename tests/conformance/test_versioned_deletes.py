"""A delete in a versioned bucket: it hides what it deletes, and makes markers for nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.canaries import left
from conformance.conftest import Opener
from conformance.locations import VERSIONED
from conformance.samples import event_of, session_of
from testing.capabilities import with_capabilities


@pytest.mark.parametrize("location", VERSIONED[:-1], indirect=True)  # obstore has no conditional deletes
@pytest.mark.parametrize("conditional_deletes", ["trusted", "off"])
def test_a_delete_makes_markers_for_what_exists_alone(opener: Opener, conditional_deletes: str):
    bucket = with_capabilities(opener.side, opener.bucket(), conditional_deletes=conditional_deletes)
    store: Any = opener.side.store(bucket, opener.location.key(""))
    store.delete("nobody")
    store.delete_file("nobody", "file.txt")
    store.save_turn(session_of("s"), trace_events=[event_of("x")])
    store.delete("s")
    store.delete("s")
    names = sorted(name.removeprefix(opener.location.key("")) for name in left(opener))
    assert [name for name in names if not name.startswith(".sessionbucket/")] == [
        *["s.json"] * 2,
        *["traces/s.json"] * 2,
    ]
