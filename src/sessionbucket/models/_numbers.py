"""The number types of the wire format: ranged integers, and floats of 32 and 64 bits."""

from __future__ import annotations

import math
import secrets
import struct
import sys
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, SerializationInfo
from pydantic_core import PydanticCustomError

U32 = Annotated[int, Field(ge=0, le=2**32 - 1)]
U64 = Annotated[int, Field(ge=0, le=2**64 - 1)]
I32 = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
I64 = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]

_LARGEST_DOUBLE = int(sys.float_info.max)
_SHORTEST_ALWAYS_FOUND_AT = 9  # significant digits that tell any two 32-bit floats apart


def nearest_f32(value: float) -> float:
    """The 32-bit float nearest to ``value``, as the number its shortest decimal names.

    ``0.1 + 0.2`` becomes ``0.3``. Beyond the range it becomes an infinity, as in the reference.
    """
    narrow = _round_to_f32(value)
    if narrow == 0 or not math.isfinite(narrow):
        return narrow
    for precision in range(_SHORTEST_ALWAYS_FOUND_AT):
        digits, exponent = f"{narrow:.{precision}e}".split("e")
        mantissa = int(digits.replace(".", ""))
        scale = int(exponent) - precision
        # At a power of two the nearest decimal of this length can fall outside the float's own
        # interval while its neighbour falls inside.
        for candidate in (mantissa, mantissa - 1, mantissa + 1):
            decimal = float(f"{candidate}e{scale}")
            if _round_to_f32(decimal) == narrow:
                return decimal
    return narrow


def _round_to_f32(value: float) -> float:
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def f32_text(value: float) -> str | None:
    """How the reference prints a 32-bit float, where that differs from a 64-bit one; else none.

    32-bit floats are positional from 1e-6 up to 1e13, 64-bit ones from 1e-5 up to 1e16.
    """
    magnitude = abs(value)
    if 1e-6 <= magnitude < 1e-5:  # noqa: PLR2004
        return f"{Decimal(repr(value)):f}"
    if 1e13 <= magnitude < 1e16:  # noqa: PLR2004
        decimal = Decimal(repr(value)).normalize()
        digits = "".join(map(str, decimal.as_tuple().digits))
        fraction = f".{digits[1:]}" if digits[1:] else ""
        return f"{'-' if value < 0 else ''}{digits[0]}{fraction}e{decimal.adjusted()}"
    return None


class ExactFloatTexts:
    """Carries exact float texts through a JSON printer that only knows 64-bit floats.

    Given as the serialisation context, it has each such float printed as a string of its own, which
    no session can hold, and `put_back` replaces these strings by the texts.
    """

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def stand_in(self, text: str) -> str:
        token = secrets.token_hex(16)
        self._texts[token] = text
        return token

    def put_back(self, body: bytes) -> bytes:
        for token, text in self._texts.items():
            body = body.replace(f'"{token}"'.encode(), text.encode())
        return body


def _print_f32(value: float, info: SerializationInfo) -> Any:
    if not isinstance(value, (float, int)):
        raise TypeError("not a number")
    if isinstance(info.context, ExactFloatTexts) and (text := f32_text(value)):
        return info.context.stand_in(text)
    return float(value)


def _refuse_huge_integer(value: Any) -> Any:
    if isinstance(value, int) and abs(value) > _LARGEST_DOUBLE:
        raise PydanticCustomError("number_range", "number out of range")
    return value


F64 = Annotated[float, BeforeValidator(_refuse_huge_integer)]
"""A 64-bit float. It can hold NaN and the infinities; a save refuses them."""

F32 = Annotated[F64, AfterValidator(nearest_f32), PlainSerializer(_print_f32, when_used="json")]
"""A 32-bit float, held as the number its shortest decimal names."""
