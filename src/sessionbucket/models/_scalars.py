"""The scalar types of the wire format: ranged integers, floats of 32 and 64 bits, and UTC date-times to the nanosecond."""

from __future__ import annotations

import math
import re
import secrets
import struct
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, SerializationInfo
from pydantic_core import PydanticCustomError

U32 = Annotated[int, Field(ge=0, le=2**32 - 1)]
U64 = Annotated[int, Field(ge=0, le=2**64 - 1)]
I32 = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
I64 = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]

_FIRST_ALIKE, _FIRST_UNLIKE = 1e-5, 1e13  # in this range, floats of both widths have the same text
_LARGEST_DOUBLE = int(sys.float_info.max)
_MOST_DIGITS = 9  # significant digits that distinguish any two 32-bit floats


def nearest_f32(value: float) -> float:
    """The 32-bit float nearest to ``value``, as the number of its shortest decimal.

    ``0.1 + 0.2`` becomes ``0.3``. Beyond the range it becomes an infinity, as in the reference.
    """
    narrow = _round_to_f32(value)
    if narrow == 0 or not math.isfinite(narrow):
        return narrow
    for precision in range(_MOST_DIGITS):
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
    """The text of a 32-bit float in the reference, or None when it is that of the 64-bit float.

    32-bit floats are positional from 1e-6 up to 1e13, 64-bit ones from 1e-5 up to 1e16. A positive exponent has its sign.
    """
    magnitude = abs(value)
    if 1e-6 <= magnitude < 1e-5:  # noqa: PLR2004
        return f"{Decimal(repr(value)):f}"
    if 1e13 <= magnitude < 1e16:  # noqa: PLR2004
        decimal = Decimal(repr(value)).normalize()
        digits = "".join(map(str, decimal.as_tuple().digits))
        fraction = f".{digits[1:]}" if digits[1:] else ""
        return f"{'-' if value < 0 else ''}{digits[0]}{fraction}e+{decimal.adjusted()}"
    return None


class ExactFloatTexts:
    """Carries exact float texts through a JSON printer that supports only 64-bit floats.

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
    is_printed_alike = value == 0 or _FIRST_ALIKE <= abs(value) < _FIRST_UNLIKE
    if not is_printed_alike and isinstance(info.context, ExactFloatTexts) and (text := f32_text(value)):
        return info.context.stand_in(text)
    return float(value)


def _refuse_huge_integer(value: Any) -> Any:
    if isinstance(value, int) and abs(value) > _LARGEST_DOUBLE:
        raise PydanticCustomError("number_range", "number out of range")
    return value


F64 = Annotated[float, BeforeValidator(_refuse_huge_integer)]
"""A 64-bit float. It can hold NaN and the infinities; a save refuses them."""

F32 = Annotated[F64, AfterValidator(nearest_f32), PlainSerializer(_print_f32, when_used="json")]
"""A 32-bit float, as the number of its shortest decimal."""


_RFC_3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|([+-])(\d\d):?(\d\d))",
    re.ASCII,
)
_LEAP_SECOND = 60
_HOURS, _MINUTES = 24, 60


def canonical_timestamp(value: Any) -> Any:
    """The canonical text of a date-time: ``2023-11-14T22:14:10.123456789Z``.

    Takes an aware ``datetime`` or RFC 3339 text of any offset. The fraction has 0, 3, 6 or 9 digits,
    the fewest that are exact; digits after the ninth are cut. Always else is handed back for the
    string validation to refuse.
    """
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise PydanticCustomError("timestamp", "a date-time needs a time zone")
        moment = value.astimezone(UTC)
        return _text(moment, f"{moment.microsecond:06d}", moment.second)
    if not isinstance(value, str):
        return value
    match = _RFC_3339.fullmatch(value)
    if match is None:
        raise PydanticCustomError("timestamp", "not an RFC 3339 date-time with an offset")
    *date_and_time, fraction, _, sign, hours, minutes = match.groups()
    year, month, day, hour, minute, second = map(int, date_and_time)
    offset = _offset(sign, int(hours), int(minutes)) if sign else timedelta()
    try:
        # A leap second is beyond what a `datetime` can hold; the text keeps it.
        whole = second - 1 if second == _LEAP_SECOND else second
        moment = datetime(year, month, day, hour, minute, whole, tzinfo=UTC) - offset
    except (ValueError, OverflowError):
        raise PydanticCustomError("timestamp", "a date-time out of range") from None
    return _text(moment, (fraction or "")[:9], second)


def _offset(sign: str, hours: int, minutes: int) -> timedelta:
    if hours >= _HOURS or minutes >= _MINUTES:
        raise PydanticCustomError("timestamp", "an offset out of range")
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if sign == "-" else offset


def _text(moment: datetime, fraction: str, second: int) -> str:
    digits = fraction.rstrip("0")
    digits = digits.ljust(-(-len(digits) // 3) * 3, "0")
    point = "." if digits else ""
    return f"{moment.year:04d}-{moment:%m-%dT%H:%M}:{second:02d}{point}{digits}Z"


UtcTimestamp = Annotated[str, BeforeValidator(canonical_timestamp)]
"""A date-time as its canonical text, which keeps the nanoseconds."""
