"""Reading the times in answers: botocore guesses at every format there is, which takes half of the work of a listing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

_AFTER_THE_DATE = slice(10, 11)


def reading_times_quickly(session: Any) -> Any:
    """A botocore or aiobotocore session of ours, that reads ISO 8601 by itself and leaves the rest to botocore."""
    factory = session.get_component("response_parser_factory")
    factory.set_parser_defaults(timestamp_parser=read_time)
    return session


def read_time(text: Any) -> datetime:
    """The time that an answer gives. Raises ``ValueError`` for what is none."""
    from botocore.utils import parse_timestamp  # noqa: PLC0415 (slow to import)

    if isinstance(text, str) and text[_AFTER_THE_DATE] == "T":
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    parsed: datetime = parse_timestamp(text)
    return parsed
