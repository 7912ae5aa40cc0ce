"""The list of sessions: filtered, sorted, and in pages that cost a bounded number of requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from sessionbucket import InvalidArgumentError, SessionSummary
from sessionbucket.web.viewed_store import CHUNK, ViewedStore

PAGE = 50
"""The rows of a page."""
MOST_SEARCHED = 4 * CHUNK
"""The sessions that one page of a filtered list reads at most."""
MOST_SORTED = 10 * CHUNK
"""The sessions that a sorted list, a chart or a search for forks reads at most."""

SORTS = {
    "updated": "updated_at",
    "created": "created_at",
    "title": "title",
    "owner": "owner",
    "messages": "messages",
    "tokens": "tokens",
    "cost": "cost",
}
"""The fields of a summary by the names that a sort has in a URL."""
_TEXT_FIELDS = ("id", "title", "owner", "tenant", "model", "state")


@dataclass(frozen=True, slots=True)
class Query:
    """What a list shows. ``sort`` is a key of ``SORTS``, with ``-`` before it for the reverse order, or empty for the order of the keys.

    An unsorted list goes on at ``cursor``; a filtered one leaves out the first ``skip`` matches after it. A sorted list has a ``page``.
    """

    prefix: str = ""
    owner: str = ""
    tag: str = ""
    text: str = ""
    sort: str = ""
    cursor: str = ""
    skip: int = 0
    page: int = 1

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Query:
        """The query in the parameters of a URL. Raises ``InvalidArgumentError`` for an unknown sort and numbers that are none."""
        sort = values.get("sort", "")
        if sort.removeprefix("-") not in SORTS and sort:
            raise InvalidArgumentError(f"the sort {sort!r} is refused: it must be one of {', '.join(SORTS)}")
        prefix, owner, tag, text = (
            values.get(name, "").strip() for name in ("prefix", "owner", "tag", "text")
        )
        return cls(
            prefix,
            owner,
            tag,
            text,
            sort,
            values.get("cursor", ""),
            whole_number(values, "skip", 0),
            whole_number(values, "page", 1),
        )

    def url(self, **changes: Any) -> str:
        """The URL of the list with some fields changed. Any change of another field starts at the first page."""
        if not changes.keys() & {"cursor", "skip", "page"}:
            changes |= {"cursor": "", "skip": 0, "page": 1}
        new = replace(self, **changes)
        start = Query()
        fields = {name: getattr(new, name) for name in Query.__slots__}
        text = urlencode({name: value for name, value in fields.items() if value != getattr(start, name)})
        return f"/?{text}" if text else "/"

    @property
    def is_filtered(self) -> bool:
        """Whether sessions are left out that have the prefix."""
        return bool(self.owner or self.tag or self.text)

    @property
    def is_first(self) -> bool:
        """Whether the list starts at its start."""
        return not self.cursor and not self.skip and self.page == 1

    def accepts(self, summary: SessionSummary) -> bool:
        """Whether a session has the owner, the tag and the text."""
        if self.owner and summary.owner != self.owner:
            return False
        if self.tag and self.tag not in summary.tags:
            return False
        if not self.text:
            return True
        wanted = self.text.casefold()
        values = [getattr(summary, name) or "" for name in _TEXT_FIELDS]
        return any(wanted in value.casefold() for value in (*values, *summary.tags))


def whole_number(values: Mapping[str, str], name: str, default: int) -> int:
    """The parameter as a number that is not negative. Raises ``InvalidArgumentError``."""
    text = values.get(name, "") or str(default)
    if not (text.isascii() and text.isdigit() and len(text) <= 9):  # noqa: PLR2004 (more digits are no page)
        raise InvalidArgumentError(f"{name} {text!r} is refused: it must be a whole number")
    return int(text)


@dataclass(frozen=True, slots=True)
class Listing:
    """The rows of one page, the URL of the next one, and how many sessions were read. ``is_cut`` says that there are more to read."""

    rows: list[SessionSummary]
    next_url: str | None
    searched: int
    is_cut: bool = False


def list_sessions(store: ViewedStore, query: Query) -> Listing:
    """One page of the list."""
    if query.sort:
        return _sorted(store, query)
    if query.is_filtered:
        return _filtered(store, query)
    page = store.page(query.prefix, PAGE, query.cursor or None)
    next_url = query.url(cursor=page.next_cursor) if page.next_cursor else None
    return Listing(page.summaries, next_url, len(page.summaries))


def _filtered(store: ViewedStore, query: Query) -> Listing:
    rows: list[SessionSummary] = []
    searched, cursor, skip = 0, query.cursor, query.skip
    for page in store.chunks(query.prefix, cursor or None):
        matches = [summary for summary in page.summaries if query.accepts(summary)][skip:]
        room = PAGE - len(rows)
        rows += matches[:room]
        searched += len(page.summaries)
        if len(matches) > room:
            return Listing(rows, query.url(cursor=cursor, skip=skip + room), searched)
        cursor, skip = page.next_cursor or "", 0
        if cursor and (len(rows) == PAGE or searched >= MOST_SEARCHED):
            return Listing(rows, query.url(cursor=cursor, skip=0), searched, is_cut=len(rows) < PAGE)
    return Listing(rows, None, searched)


def _sorted(store: ViewedStore, query: Query) -> Listing:
    every, is_cut = read_summaries(store, query.prefix)
    chosen = [summary for summary in every if query.accepts(summary)]
    field = SORTS[query.sort.removeprefix("-")]

    def value(summary: SessionSummary) -> Any:
        found = getattr(summary, field)
        return found.casefold() if isinstance(found, str) else found

    ordered = sorted(
        (summary for summary in chosen if value(summary) not in (None, "")),
        key=value,
        reverse=query.sort.startswith("-"),
    )
    ordered += [summary for summary in chosen if value(summary) in (None, "")]
    end = max(query.page, 1) * PAGE
    next_url = query.url(page=max(query.page, 1) + 1) if end < len(ordered) else None
    return Listing(ordered[end - PAGE : end], next_url, len(every), is_cut)


def read_summaries(store: ViewedStore, prefix: str) -> tuple[list[SessionSummary], bool]:
    """The first summaries with the prefix, at most ``MOST_SORTED``, and whether there are more."""
    found: list[SessionSummary] = []
    for page in store.chunks(prefix):
        found += page.summaries
        if len(found) >= MOST_SORTED and page.next_cursor is not None:
            return found, True
    return found, False
