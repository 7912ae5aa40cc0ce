"""Summaries: the title, owner, cost and other facts of a session that a listing shows without its body.

A summary is a pure function of the session's body. So a save puts it into the metadata of the session's own object, in the entry
``summary``, and two objects of one ETag have one summary. The entry is ASCII JSON of at most 900 bytes: an array of the summariser's
fingerprint, the size of the stored body, and the fields of ``SessionSummary`` in their order, without ``problem``. A summary that is too
long even with a shorter title has no entry; then a listing reads the body.

The fingerprint names the rules, the model and the options that made a summary. A reader uses only summaries with its own
fingerprint. The size detects a program that put a new body with the metadata of the old one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from json import JSONEncoder
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sessionbucket._core.arguments import check_function, close_coroutine
from sessionbucket._core.objects import NO_METADATA, metadata_entry
from sessionbucket.errors import InvalidArgumentError
from sessionbucket.models.conversation import Conversation

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from sessionbucket.models.session import SessionData

ENTRY_LIMIT = 900
"""The most bytes of the metadata entry."""
LONGEST_TITLE = 80
"""The most characters of a title."""

SummaryMode = Literal["full", "no-text"]
"""Whether summaries have titles, which may be the first text of a user."""

EntryOf = Callable[[int], Mapping[str, str]]
"""The metadata entry with a summary, for a stored body of this size."""

_ENTRY = "summary"  # letters only: some servers change the case or the separators of names
_RULES = "1"
_FINGERPRINT_LENGTH = 12
_LONGEST_ROW = ENTRY_LIMIT - _FINGERPRINT_LENGTH - len('["",9999999999,')
_TITLE_SOURCE = 2 * LONGEST_TITLE
_encode = JSONEncoder(separators=(",", ":"), check_circular=False).encode


class SessionSummary(NamedTuple):
    """A session as a listing shows it. A tuple, because a listing can make a hundred thousand of them.

    ``title`` is the session's name, or else its first text of a user, at most 80 characters. ``owner`` and ``tenant`` are the members
    ``principal`` and ``tenant_id``. ``created_at`` and ``updated_at`` are the session's own Unix seconds. ``tokens`` is the total of
    all requests, and ``cost`` is in US dollars. ``problem`` says why the session cannot be read; then only ``id`` is known.
    """

    id: str
    title: str = ""
    owner: str | None = None
    tenant: str | None = None
    tags: tuple[str, ...] = ()
    state: str | None = None
    model: str | None = None
    created_at: int | None = None
    updated_at: int | None = None
    messages: int = 0
    tokens: int = 0
    cost: float = 0.0
    parent_id: str | None = None
    problem: str | None = None


SummaryRow = tuple[
    str,
    str,
    str | None,
    str | None,
    tuple[str, ...],
    str | None,
    str | None,
    int | None,
    int | None,
    int,
    int,
    float,
    str | None,
]
"""The fields of a summary as they are stored: all but ``problem``."""


class SummaryPage(NamedTuple):
    """One page of summaries, and the cursor of the next page or None on the last. The cursor is that of a ``SessionPage``."""

    summaries: list[SessionSummary]
    next_cursor: str | None


def summarize(session: SessionData | Conversation) -> SessionSummary:
    """Return the summary of a session, as a listing of its store shows it."""
    return _fitting(_facts(session))[0]


def _facts(session: SessionData | Conversation) -> SessionSummary:
    """The summary with a title of any length in bytes."""
    if isinstance(session, Conversation):
        tokens = session.usage.get("total_tokens")
        return SessionSummary(
            session.id,
            cut_title(session.title or ""),
            messages=len(session.messages),
            tokens=tokens if type(tokens) is int else 0,
        )
    llm, config = session.llm_config, session.config
    return SessionSummary(
        session.id,
        cut_title(config.name or _first_text(session)),
        session.principal,
        session.tenant_id,
        tuple(session.tags),
        session.state.value,
        session.model_name or (llm.model if llm else None),
        session.created_at,
        session.updated_at,
        len(session.messages),
        session.total_usage.total_tokens,
        session.total_cost,
        session.parent_id or config.parent_id,
    )


def _first_text(session: SessionData) -> str:
    """The first text of a user."""
    for message in session.messages:
        if message.role == "user":
            for block in message.content:
                if block.type == "text" and block.text and not block.text.isspace():
                    return block.text
    return ""


def cut_title(text: str) -> str:
    """Return the start of a text on one line, at most 80 characters: the title that a summary may have."""
    return " ".join(text[:_TITLE_SOURCE].split())[:LONGEST_TITLE].rstrip()


def _row_text(summary: SessionSummary) -> str:
    """The stored fields as JSON in visible ASCII, in which no two spaces follow each other: some servers join them."""
    text = _encode(summary[:-1])
    if "  " in text:
        text = text.replace("  ", "\\u0020\\u0020")
    return text.replace("\x7f", "\\u007f") if "\x7f" in text else text


def _fitting(summary: SessionSummary) -> tuple[SessionSummary, str | None]:
    """The summary with a title that fits into the entry, and its text. When no title fits, the summary stays and has no text."""
    text = _row_text(summary)
    if len(text) <= _LONGEST_ROW:
        return summary, text
    for length in range(len(summary.title) - 1, -1, -1):
        shorter = summary._replace(title=summary.title[:length].rstrip())
        text = _row_text(shorter)
        if len(text) <= _LONGEST_ROW:
            return shorter, text
    return summary, None


class Summarizer:
    """Makes the summaries of the sessions of one model, and reads those in metadata entries."""

    def __init__(self, model: type, function: Callable[[Any], SessionSummary], mode: SummaryMode) -> None:
        """``function`` has a name of its own, which becomes a part of the fingerprint.

        Raises ``InvalidArgumentError`` for a function without one, and an unknown mode.
        """
        if mode not in ("full", "no-text"):
            raise InvalidArgumentError(f"summaries {mode!r} is refused: it must be 'full' or 'no-text'")
        name = getattr(function, "__qualname__", "<lambda>")
        if not callable(function) or "<lambda>" in name:
            raise InvalidArgumentError(
                "summarize is refused: it must be a function with a name, made by `def`, because the name marks its summaries"
            )
        self._function = function
        self._has_titles = mode == "full"
        made_by = f"{_RULES} {model.__module__}.{model.__qualname__} {function.__module__}.{name} {mode}"
        self.fingerprint = hashlib.sha256(made_by.encode()).hexdigest()[:_FINGERPRINT_LENGTH]
        self._start = f'["{self.fingerprint}",'

    def summary(self, session: Any) -> SessionSummary:
        """The summary of a session. Raises ``InvalidArgumentError`` when the caller's function returns anything else."""
        return self._made(session)[0]

    def entry(self, session: Any) -> EntryOf:
        """The metadata entry of a session as it is now, or none for a summary that is too long."""
        text = self._made(session)[1]
        return no_entry if text is None else self._entry_of(text[1:])

    def _entry_of(self, row: str) -> EntryOf:
        return lambda size: {_ENTRY: f"{self._start}{size},{row}"}

    def _made(self, session: Any) -> tuple[SessionSummary, str | None]:
        if self._function is summarize:
            summary = _facts(session)
        else:
            summary = _checked(self._function(session), session.id)
        return _fitting(summary if self._has_titles else summary._replace(title=""))

    def read(self, metadata: Mapping[str, str], size: int | None) -> SessionSummary | None:
        """The summary in an object's metadata. None when there is none, or when another summariser or body made it.

        ``size`` is that of the body, or None where the description of the object does not have it.
        """
        entry = metadata.get(_ENTRY) or metadata_entry(metadata, _ENTRY)
        if entry is None or not entry.startswith(self._start):
            return None
        noted_size, _, row = entry[len(self._start) :].partition(",")
        if size is not None and noted_size != str(size):
            return None
        try:
            return SessionSummary(*_row_adapter().validate_json(f"[{row}"))
        except ValueError:
            return None

    def carried(self, metadata: Mapping[str, str], size: int) -> EntryOf | None:
        """The entry in the metadata of an object whose body of this size is copied, if this summariser made it."""
        entry = metadata_entry(metadata, _ENTRY)
        if entry is None or self.read(metadata, size) is None:
            return None
        return self._entry_of(entry[len(self._start) :].partition(",")[2])


def no_entry(_: int) -> Mapping[str, str]:
    """The entry of a session without a summary in its metadata."""
    return NO_METADATA


@cache
def _row_adapter() -> TypeAdapter[SummaryRow]:
    from pydantic import ConfigDict, TypeAdapter  # noqa: PLC0415 (a save needs none)

    return TypeAdapter(SummaryRow, config=ConfigDict(strict=True))


def _checked(summary: object, id: str) -> SessionSummary:
    """What the caller's function returned, with the id of the session and a title on one line."""
    if not isinstance(summary, SessionSummary):
        close_coroutine(summary)
        raise InvalidArgumentError(
            f"summarize returned a {type(summary).__name__}: it must return a SessionSummary; nothing was written"
        )
    try:
        _row_adapter().validate_python(summary[:-1])
    except ValueError as error:
        first = error.errors(include_input=False, include_url=False)[0]  # type: ignore[attr-defined] # pydantic's
        field = SessionSummary._fields[first["loc"][0]]
        problem = f"{field}: {first['msg']}"
    else:
        return summary._replace(id=id, title=cut_title(summary.title), problem=None)
    raise InvalidArgumentError(f"summarize returned a bad summary: {problem}; nothing was written")


def summarizer_of(
    model: type, function: Callable[[Any], SessionSummary] | None, mode: SummaryMode
) -> Summarizer | None:
    """The summariser of a model. None for a model of the caller's without a function."""
    if function is None and not issubclass(model, Conversation):
        from sessionbucket.models.session import SessionData  # noqa: PLC0415 (loads pydantic)

        if not issubclass(model, SessionData):
            return None
    return Summarizer(model, function or summarize, mode)


def check_where(where: object) -> None:
    """Raises ``InvalidArgumentError`` for anything but a function or None."""
    if where is not None:
        check_function("where", where)


def accepts(where: Callable[[SessionSummary], object], summary: SessionSummary) -> bool:
    """Whether the caller's function accepts a summary. Raises ``InvalidArgumentError`` for an async function."""
    result = where(summary)
    if close_coroutine(result):
        raise InvalidArgumentError("where is refused: it must not be async")
    return bool(result)
