"""UTC date-times to the nanosecond, in the one text the reference writes for each."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

_RFC_3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|([+-])(\d\d):?(\d\d))",
    re.ASCII,
)
_LEAP_SECOND = 60
_HOURS, _MINUTES = 24, 60


def canonical_timestamp(value: Any) -> Any:
    """The canonical text of a date-time: ``2023-11-14T22:14:10.123456789Z``.

    Takes an aware ``datetime`` or RFC 3339 text of any offset. The fraction has 0, 3, 6 or 9 digits,
    the fewest that are exact; digits after the ninth are cut. Anything else is handed back for the
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
"""A date-time as its canonical text, so that nanoseconds come back as they were."""
