"""Realistic sessions: text, tool calls and their results, usage, costs, tasks."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

from sessionbucket import MemoryBucket, SessionStore
from sessionbucket.errors import InvalidArgumentError
from sessionbucket.models import (
    ContextUsage,
    LlmCostRecord,
    Message,
    SessionConfig,
    SessionData,
    SessionState,
    Task,
    TaskStatus,
    TextBlock,
    TokenUsage,
    ToolResultBlock,
    ToolUseBlock,
)

_EPOCH = 1_750_000_000
_MODEL, _PROVIDER = "claude-sonnet-4", "anthropic"
_FILES = ("src/app.py", "src/store.py", "tests/test_app.py", "README.md", "pyproject.toml")
_REQUESTS = (
    ("Why does {file} fail when the list is empty?", "bash", {"command": "pytest -x {file}"}),
    ("Please rename `total` to `sum_of_prices` in {file}.", "read_file", {"path": "{file}"}),
    ("Where is the timeout set? I'd look in {file} first.", "grep", {"pattern": "timeout", "path": "{file}"}),
    ("Add a test for the „Grüße“ case to {file} 🙂", "read_file", {"path": "{file}"}),
)
_LINES = (
    "def load(path: str) -> dict[str, object]:",
    '    return json.loads(Path(path).read_text(encoding="utf-8"))',
    "FAILED tests/test_app.py::test_empty - IndexError: list index out of range",
    "1 failed, 41 passed in 0.83s",
    "timeout = 30.0  # seconds",
)
_REPLIES = (
    "Fixed: the loop now ends before the last element.",
    "I've made the change, and the tests pass.",
    "It is set in the constructor; I have made it an argument.",
)
_FILLER = "2025-06-15T12:00:00Z INFO worker 7 handled request in 12 ms; "


class SessionFactory:
    """Makes realistic sessions: each is different, and the same ``seed`` makes the same ones in every run."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._made = 0

    def __call__(self, id: str | None = None, *, turns: int = 3, size: int | None = None) -> SessionData:
        """A session of ``turns`` turns (0 or more). Each has four messages: a request, a tool call, its result, a reply.

        By default its ``id`` has a number. ``size`` is its exact size in bytes, as a store writes it: the last tool
        result gets the necessary length. Raises ``InvalidArgumentError`` for fewer bytes than the turns need.
        """
        if turns < 0:
            raise InvalidArgumentError(f"turns={turns} is refused: it must be at least 0")
        self._made += 1
        random = Random(f"{self._seed}/{self._made}")  # noqa: S311 (no secret)
        created = _EPOCH + 3600 * self._made
        session = SessionData(
            id=f"session-{self._made:04}" if id is None else id,
            config=SessionConfig(name=f"session {self._made}", workspace="/home/agent/project"),
            state=SessionState.ACTIVE,
            model_name=_MODEL,
            tool_names=["bash", "grep", "read_file"],
            created_at=created,
        )
        for turn in range(turns):
            _add_turn(session, turn, random)
        if size is not None:
            _fill(session, size)
        return session


def _add_turn(session: SessionData, turn: int, random: Random) -> None:
    file = random.choice(_FILES)
    request, tool, arguments = random.choice(_REQUESTS)
    call = f"call_{random.getrandbits(48):012x}"
    output = "\n".join(random.choices(_LINES, k=random.randint(3, 12)))
    session.messages += [
        Message.user(request.format(file=file)),
        Message(
            role="assistant",
            content=[
                TextBlock(text=f"Let me look at {file}."),
                ToolUseBlock(
                    id=call,
                    name=tool,
                    input={name: value.format(file=file) for name, value in arguments.items()},
                ),
            ],
        ),
        Message.tool_result(call, output, is_error="FAILED" in output),
        Message.assistant(random.choice(_REPLIES)),
    ]
    for task in session.tasks:
        task.status = TaskStatus.COMPLETED
    session.tasks.append(
        Task(id=f"task-{turn + 1}", content=f"Look after {file}", status=TaskStatus.IN_PROGRESS, tool=tool)
    )
    session.updated_at = session.created_at + 60 * (turn + 1)
    for _ in range(2):  # one request to the model before the tool's result, and one after
        _add_request(session, random)
    used = session.total_usage.prompt_tokens
    limit = session.context_usage.max_tokens
    session.context_usage = ContextUsage(
        used_tokens=min(used, limit), max_tokens=limit, percent=min(1.0, used / limit), turns=turn + 1
    )


def _add_request(session: SessionData, random: Random) -> None:
    prompt, completion = random.randint(800, 4000), random.randint(40, 600)
    cost = (3 * prompt + 15 * completion) / 1_000_000
    session.cost_records.append(
        LlmCostRecord(
            model=_MODEL,
            provider=_PROVIDER,
            prompt_tokens=prompt,
            completion_tokens=completion,
            total_tokens=prompt + completion,
            cost_usd=cost,
            timestamp=datetime.fromtimestamp(session.updated_at, UTC),
            session_id=session.id,
        )
    )
    total = session.total_usage
    session.total_usage = TokenUsage(
        prompt_tokens=total.prompt_tokens + prompt,
        completion_tokens=total.completion_tokens + completion,
        total_tokens=total.total_tokens + prompt + completion,
    )
    session.total_cost += cost


def _fill(session: SessionData, size: int) -> None:
    """Lengthen the last tool result, or the last text if there is none, until the session has this size."""
    if not session.messages:
        session.messages.append(Message.user(""))
    store = SessionStore(MemoryBucket())
    store.save(session.model_copy(deep=True))
    (stored,) = store.iter_sessions()
    missing = size - (stored.size or 0)
    if missing < 0:
        raise InvalidArgumentError(
            f"size={size} is refused: a session of these turns has {stored.size} bytes; use fewer turns"
        )
    filler = (_FILLER * (missing // len(_FILLER) + 1))[:missing]
    blocks = [block for message in session.messages for block in message.content]
    results = [block for block in blocks if isinstance(block, ToolResultBlock)]
    if results:
        results[-1].content = f"{results[-1].content}{filler}"
    else:
        session.messages[-1] = Message.user(filler)
