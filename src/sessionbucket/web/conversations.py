"""One conversation in pages of messages, with the facts of its session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sessionbucket.models import AnySession
from sessionbucket.web.messages import Turn, read_messages, step_of
from sessionbucket.web.transcript import DataBlock, Step

MESSAGES = 200
"""The messages of a page."""

_FACTS = ("state", "model", "owner", "tenant", "workspace", "created", "updated", "tokens", "cost")
_IN_FACTS = frozenset(
    {
        "format",
        "title",
        "name",
        "state",
        "messages",
        "config",
        "total_usage",
        "total_cost",
        "model_name",
        "cost_records",
        "created_at",
        "updated_at",
        "parent_id",
        "tenant_id",
        "principal",
        "tags",
        "tasks",
    }
)
"""The members that a page shows in their own way. All others are shown as JSON."""


@dataclass(slots=True)
class ConversationPage:
    """A page of a conversation, and the facts of its session, which have one line each."""

    id: str
    title: str
    facts: list[tuple[str, str]]
    tags: list[str]
    parent_id: str | None
    system_prompt: str
    tasks: list[dict[str, Any]]
    steps: list[Step]
    page: int
    pages: int
    total: int
    others: list[DataBlock]
    problem: str | None = None
    numbers: list[int] = field(default_factory=list)
    """The number of the message of each step."""


def conversation_page(session: AnySession, page: int, problem: str | None = None) -> ConversationPage:
    """The page with this number, counted from 1; the nearest one for a number out of range.

    ``problem`` says why the session is not valid, when it is not.
    """
    members = session.members
    messages = members.get("messages")
    turns = read_messages(messages) if isinstance(messages, list) else []
    pages = max(1, -(-len(turns) // MESSAGES))
    page = min(max(page, 1), pages)
    costs = _costs_by_turn(turns, members.get("cost_records"))
    numbers = list(range((page - 1) * MESSAGES, min(page * MESSAGES, len(turns))))
    config = _object(members.get("config"))
    title = members.get("title") or members.get("name") or config.get("name")
    others = {
        name: value
        for name, value in members.items()
        if name not in _IN_FACTS and value not in (None, [], {}, "")
    }
    if messages is not None and not isinstance(messages, list):
        others["messages"] = messages
    return ConversationPage(
        id=session.id,
        title=title if isinstance(title, str) and title else session.id,
        facts=list(_facts(members, config)),
        tags=[tag for tag in _list(members.get("tags")) if isinstance(tag, str)],
        parent_id=next(
            (id for id in (members.get("parent_id"), config.get("parent_id")) if isinstance(id, str)), None
        ),
        system_prompt=prompt if isinstance(prompt := config.get("system_prompt"), str) else "",
        tasks=[task for task in _list(members.get("tasks")) if isinstance(task, dict)],
        steps=[step_of(turns[number], number + 1, costs.get(number, ())) for number in numbers],
        page=page,
        pages=pages,
        total=len(turns),
        others=[DataBlock(name, value) for name, value in others.items()],
        problem=problem,
        numbers=[number + 1 for number in numbers],
    )


def _facts(members: dict[str, Any], config: dict[str, Any]) -> list[tuple[str, str]]:
    llm, usage = (
        _object(members.get("llm_config")),
        _object(members.get("total_usage") or members.get("usage")),
    )
    found: dict[str, Any] = {
        "state": state if (state := members.get("state")) != "Unknown" else None,
        "model": members.get("model_name") or members.get("model") or llm.get("model"),
        "owner": members.get("principal") or members.get("owner"),
        "tenant": members.get("tenant_id"),
        "workspace": config.get("workspace"),
        "created": unix_text(members.get("created_at")),
        "updated": unix_text(members.get("updated_at")),
    }
    total, asked, written = (usage.get(f"{name}_tokens") for name in ("total", "prompt", "completion"))
    if type(total) is int:
        parts = f" ({asked:,} in, {written:,} out)" if type(asked) is type(written) is int else ""
        found["tokens"] = f"{total:,}{parts}"
    if isinstance(cost := members.get("total_cost"), int | float):
        found["cost"] = f"${cost:,.4f}"
    return [(name, found[name]) for name in _FACTS if isinstance(found.get(name), str) and found[name]]


def _costs_by_turn(turns: list[Turn], records: Any) -> dict[int, Sequence[tuple[str, str]]]:
    """The costs of the assistant's messages, where the session has one record for each of them."""
    valid = [_cost_of(record) for record in _list(records)]
    replies = [number for number, turn in enumerate(turns) if turn.role == "assistant"]
    if len(valid) != len(replies):
        return {}
    return dict(zip(replies, valid, strict=True))


def _cost_of(record: Any) -> list[tuple[str, str]]:
    names = {"tokens in": "prompt_tokens", "tokens out": "completion_tokens"}
    values = _object(record)
    found = [(label, f"{values[name]:,}") for label, name in names.items() if type(values.get(name)) is int]
    if isinstance(cost := values.get("cost_usd"), int | float):
        found.append(("cost", f"${cost:,.4f}"))
    return found


def unix_text(seconds: Any) -> str | None:
    """Unix seconds as a date and time in UTC, or as the number when no calendar contains it; None for anything else."""
    if type(seconds) is not int:
        return None
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return str(seconds)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
