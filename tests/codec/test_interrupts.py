"""Ctrl-C within the encoding of a session reaches the caller."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, field_serializer

from sessionbucket._codec import codec_of


class Interrupted(BaseModel):
    id: str = "s"

    @field_serializer("id")
    def interrupt(self, _value: str) -> str:
        raise KeyboardInterrupt


def test_ctrl_c_within_a_serializer_is_no_refused_session():
    with pytest.raises(KeyboardInterrupt):
        codec_of(Interrupted, max_bytes=1000).encode(Interrupted(), key="s.json")
