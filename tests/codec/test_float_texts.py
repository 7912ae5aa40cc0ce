"""The texts of floats: the reference's table, for 64 and for 32 bits."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionbucket._codec import codec_of
from sessionbucket.models import ContextUsage, SessionData
from sessionbucket.models._scalars import nearest_f32

F64 = {
    0.0: "0.0",
    0.8: "0.8",
    0.0005: "0.0005",
    1e-5: "0.00001",
    1.5e-6: "1.5e-6",
    100.0: "100.0",
    16777216.0: "16777216.0",
    1e15: "1000000000000000.0",
    1e16: "1e+16",
    1.5e300: "1.5e+300",
    1.2345678901234568e16: "1.2345678901234568e+16",
    0.1 + 0.2: "0.30000000000000004",
}

F32 = {
    0.0: "0.0",
    0.1 + 0.2: "0.3",
    0.8: "0.8",
    0.0005: "0.0005",
    1e-5: "0.00001",
    1e-6: "0.000001",
    -2.5e-6: "-0.0000025",
    1.5e-7: "1.5e-7",
    16777216.0: "16777216.0",
    999999995904.0: "1000000000000.0",
    1e13: "1e+13",
    1.2345679e13: "1.2345679e+13",
    -1e15: "-1e+15",
    1e16: "1e+16",
    3.4028234663852886e38: "3.4028235e+38",
    1e-45: "1e-45",
}


def number_text(body: bytes, name: str) -> str:
    line = next(line for line in body.decode().splitlines() if f'"{name}"' in line)
    return line.split(": ")[1].rstrip(",")


@pytest.mark.parametrize("value", F64)
def test_a_64_bit_float_is_printed_as_the_reference_does(value):
    body = codec_of(SessionData).encode(SessionData(id="x", total_cost=value), key="k")
    assert number_text(body, "total_cost") == F64[value]


@pytest.mark.parametrize("value", F32)
def test_a_32_bit_float_is_printed_as_the_reference_does(value):
    codec = codec_of(SessionData)
    session = SessionData(id="x", context_usage=ContextUsage(percent=value))
    body = codec.encode(session, key="k")
    assert number_text(body, "percent") == F32[value]
    assert codec.encode(codec.decode(body, key="k"), key="k") == body


def test_negative_zero_keeps_its_sign():
    body = codec_of(SessionData).encode(SessionData(id="x", total_cost=-0.0), key="k")
    assert number_text(body, "total_cost") == "-0.0"


def test_several_floats_of_one_session_keep_their_own_texts():
    session = SessionData(id="x")
    session.context_usage.percent = 1e-6
    session.config.auto_compact_threshold = 1e13
    body = codec_of(SessionData).encode(session, key="k")
    assert number_text(body, "percent") == "0.000001"
    assert number_text(body, "auto_compact_threshold") == "1e+13"


def test_a_dump_without_the_codec_prints_a_number():
    assert json.loads(ContextUsage(percent=1e-6).model_dump_json())["percent"] == 1e-6


@given(st.floats(width=32, allow_nan=False))
def test_a_32_bit_float_is_held_as_its_shortest_decimal(value):
    held = nearest_f32(value)
    assert nearest_f32(held) == held
    if abs(value) < 1e39:
        assert struct.pack("<f", held) == struct.pack("<f", value)


@pytest.mark.parametrize(("value", "shortest"), [(2.0**-24, 5.9604645e-08), (2.0**90, 1.2379401e27)])
def test_at_a_power_of_two_the_shortest_decimal_is_found(value, shortest):
    assert nearest_f32(value) == shortest
