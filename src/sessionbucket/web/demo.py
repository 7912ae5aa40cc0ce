"""A store in memory to look at: the recorded example conversations, with everything beside them that a store can have."""

from __future__ import annotations

import struct
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sessionbucket import (
    AppendLog,
    BucketWrapper,
    Conversation,
    MemoryBucket,
    Message,
    SessionData,
    SessionStore,
    open_store,
)
from sessionbucket.models import (
    ArtifactStore,
    ImageBlock,
    LlmCostRecord,
    SessionConfig,
    Task,
    TaskPriority,
    TaskStatus,
    TextBlock,
    TokenUsage,
    ToolArtifact,
    ToolResultBlock,
    ToolUseBlock,
    TraceEvent,
    VerificationCheck,
    VerificationReport,
    VerificationStatus,
)

_START = datetime(2026, 11, 9, 8, 20, tzinfo=UTC)
_OWNERS = ("mara.okafor", "jonas.lind", "li.wei", "support-bot")
_PRICES = {"claude-sonnet-5": (3.0, 15.0), "gpt-5-mini": (0.6, 2.4), "gemini-3-flash": (0.4, 1.6)}
"""Invented prices of a million tokens in and out, in US dollars."""
_CHARACTERS_A_TOKEN = 4
_COMMANDS = ("bash", "open", "search_dir", "edit", "pytest")


class _DemoBucket(BucketWrapper):
    """Gives the bucket a name: that of a bucket in memory is random."""

    @property
    def location(self) -> str:
        return "memory://demo"


def demo_store() -> SessionStore[SessionData]:
    """A new store in memory that keeps versions. Its owners, dates, tokens and costs are invented."""
    store = SessionStore(_DemoBucket(MemoryBucket(keep_versions=True)))
    random = Random(11)  # noqa: S311 (the same store each time)
    with open_store(f"{_folder().as_uri()}?create=false") as recorded:
        for number, id in enumerate(recorded.list()):
            session = recorded.load(id)
            if session is not None:
                _describe(session, number)
                _save_in_turns(store, session)
                _add_parts(store, session, random)
    store.fork("airline-028-trial-2", "airline-028-trial-2~cheaper-flight", messages=9)
    store.fork("airline-028-trial-2", "airline-028-trial-2~other-date", messages=5)
    report = _report_session()
    _save_in_turns(store, report)
    _add_parts(store, report, random)
    conversations = SessionStore(store.bucket, model=Conversation)
    conversations.save(_conversation())
    log = AppendLog(store.documents("openai-agents", integration=True))
    log.append("trip-to-lisbon", _items())
    return store


def _folder() -> Path:
    """The recorded conversations: a part of the installed package, and a folder of their own in a checkout."""
    installed = Path(__file__).with_name("examples")
    return installed if installed.is_dir() else Path(__file__).parents[3] / "examples" / "conversations"


def _describe(session: SessionData, number: int) -> None:
    """Give a session an owner, tags, times and the costs of its requests."""
    is_code = session.id.startswith("swe")
    model = list(_PRICES)[0 if is_code else 1 + number % 2]
    session.principal = _OWNERS[number % 3] if not is_code else _OWNERS[3]
    session.tenant_id = "platform" if is_code else "airline"
    session.tags = (
        ["code", "nightly"] if is_code else ["support", *(["escalated"] if number % 4 == 0 else [])]
    )
    session.model_name = model
    moment = _START + timedelta(days=number * 1.45, minutes=37 * number)
    session.created_at = int(moment.timestamp())
    session.cost_records = []
    read = len(session.config.system_prompt or "")
    for message in session.messages:
        written = sum(len(str(block.model_dump())) for block in message.content)
        if message.role == "assistant":
            moment += timedelta(seconds=19)
            session.cost_records.append(_cost(model, read, written, moment))
        read += written
    session.updated_at = int(moment.timestamp())
    _add_up(session)


def _cost(model: str, read: int, written: int, moment: datetime) -> LlmCostRecord:
    tokens_in, tokens_out = read // _CHARACTERS_A_TOKEN, max(1, written // _CHARACTERS_A_TOKEN)
    price_in, price_out = _PRICES[model]
    return LlmCostRecord(
        model=model,
        provider=model.partition("-")[0],
        prompt_tokens=tokens_in,
        completion_tokens=tokens_out,
        total_tokens=tokens_in + tokens_out,
        cost_usd=round((tokens_in * price_in + tokens_out * price_out) / 1_000_000, 6),
        timestamp=moment,
    )


def _add_up(session: SessionData) -> None:
    records = session.cost_records
    prompt, completion = (
        sum(getattr(each, name) for each in records) for name in ("prompt_tokens", "completion_tokens")
    )
    session.total_usage = TokenUsage(
        prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion
    )
    session.total_cost = round(sum(each.cost_usd or 0 for each in records), 6)


def _save_in_turns(store: SessionStore[SessionData], session: SessionData) -> None:
    """Save the session three times, as it grew, so that it has a history."""
    messages, name = session.messages, session.config.name
    session.config.name = ""
    for part in (3, 2, 1):
        session.messages = messages[: len(messages) // part]
        if part == 1:
            session.config.name = name
        store.save(session)


def _add_parts(store: SessionStore[SessionData], session: SessionData, random: Random) -> None:
    blocks = [block for message in session.messages for block in message.content]
    results = {block.tool_use_id: block for block in blocks if isinstance(block, ToolResultBlock)}
    calls = [block for block in blocks if isinstance(block, ToolUseBlock)]
    if not calls:  # a recording with its commands in the text
        replies = [message for message in session.messages if message.role == "assistant"]
        calls = [
            ToolUseBlock(id=f"step_{number}", name=random.choice(_COMMANDS), input={})
            for number, _ in enumerate(replies)
        ]
    store.save_trace_events(session.id, [_event(call, results.get(call.id), random) for call in calls])
    outputs = [_artifact(call, results[call.id]) for call in calls if call.id in results]
    longest = sorted(outputs, key=lambda each: each.content_bytes)[-2:]
    store.save_artifacts(session.id, ArtifactStore(artifacts=longest))
    transcript = "".join(f"{message.role}: {message.text}\n" for message in session.messages)
    store.put_file(session.id, "transcript.txt", transcript.encode())
    if session.tenant_id == "platform":
        store.put_file(session.id, "patch.diff", b"--- a/src/fields.py\n+++ b/src/fields.py\n")
        store.save_verification_reports(session.id, [_verification()])


def _event(call: ToolUseBlock, result: ToolResultBlock | None, random: Random) -> TraceEvent:
    failed = bool(result and result.is_error) or random.random() < 0.06  # noqa: PLR2004
    return TraceEvent.tool_execution(
        call.name,
        success=not failed,
        exit_code=int(failed),
        duration=timedelta(milliseconds=int(random.lognormvariate(6, 1.1))),
        output_bytes=len(str(result.content)) if result else random.randrange(40, 9_000),
        metadata={"artifact_uri": f"artifact://{call.id}"} if random.random() < 0.2 else None,  # noqa: PLR2004
    )


def _artifact(call: ToolUseBlock, result: ToolResultBlock) -> ToolArtifact:
    text = result.content if isinstance(result.content, str) else str(result.content)
    size = len(text.encode())
    return ToolArtifact(
        artifact_id=call.id,
        artifact_uri=f"artifact://{call.id}",
        tool_name=call.name,
        content=text,
        original_bytes=size,
        shown_bytes=size,
    )


def _verification() -> VerificationReport:
    passed = VerificationCheck.required_check("tests", "test", "The test suite passes")
    lint = VerificationCheck.required_check("lint", "lint", "No new warnings of the linter")
    review = VerificationCheck.optional("review", "review", "A person has read the change")
    report = VerificationReport.new(
        "The change of the agent",
        [
            passed.with_status(VerificationStatus.PASSED),
            lint.with_status(VerificationStatus.PASSED),
            review.with_status(VerificationStatus.SKIPPED),
        ],
    )
    report.add_residual_risk("Only one of the supported Python versions was tested.")
    return report


def _report_session() -> SessionData:
    """A session with reasoning, an image, a failed call and tasks."""
    session = SessionData(
        id="reports-weekly-48",
        config=SessionConfig(
            name="Weekly report on refunds",
            workspace="/reports",
            system_prompt="You write short reports for managers.",
        ),
    )
    sql = "SELECT day, count(*) AS refunds FROM refunds WHERE week = 48 GROUP BY day ORDER BY day"
    query = {"sql": sql, "limit": 7}
    rows = "day        refunds\n2026-11-23      41\n2026-11-24      38\n2026-11-25      57\n2026-11-26      92\n2026-11-27      64"
    session.messages = [
        Message.user("How many refunds did we pay this week, and is anything unusual?"),
        Message(
            role="assistant",
            content=[
                TextBlock(text="I look at the refunds of the week, day by day."),
                ToolUseBlock(
                    id="call_1",
                    name="query_warehouse",
                    input={**query, "sql": sql.replace("refunds WHERE", "refund WHERE")},
                ),
            ],
            reasoning_content="The question has two parts: the number, and whether a day stands out. One query by day covers both.",
        ),
        Message.tool_result(
            "call_1", 'relation "refund" does not exist\nHINT: did you mean "refunds"?', is_error=True
        ),
        Message.tool_use("call_2", "query_warehouse", query, "The table has another name. I try again."),
        Message.tool_result("call_2", rows),
        Message.tool_use(
            "call_3", "draw_chart", {"kind": "columns", "x": "day", "y": "refunds", "width": 480}
        ),
        Message(
            role="user",
            content=[
                ToolResultBlock(tool_use_id="call_3", content=[ImageBlock.from_bytes(_chart(), "image/png")])
            ],
        ),
        Message(
            role="assistant",
            content="292 refunds this week. Thursday stands out: 92, more than twice the usual number. 51 of them belong to flight HAT112, which was cancelled that morning; without it, the day is ordinary.",
            reasoning_content="292 in all. Thursday is 92; the mean of the other days is 50. The cancellation of HAT112 explains 51.",
        ),
        Message.user("Good. Put that into the report, and tell the team that owns HAT112."),
    ]
    session.tasks = [
        Task(
            id="1",
            content="Count the refunds by day",
            status=TaskStatus.COMPLETED,
            priority=TaskPriority.HIGH,
        ),
        Task(id="2", content="Explain Thursday", status=TaskStatus.COMPLETED, priority=TaskPriority.HIGH),
        Task(id="3", content="Write the report", status=TaskStatus.IN_PROGRESS, priority=TaskPriority.MEDIUM),
    ]
    _describe(session, 13)
    session.principal, session.tenant_id, session.tags = "mara.okafor", "finance", ["reports", "weekly"]
    return session


def _conversation() -> Conversation:
    """A conversation in OpenAI's form."""
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "What is the weather in Hamburg tomorrow?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_w1",
                    "type": "function",
                    "function": {"name": "forecast", "arguments": '{"city": "Hamburg", "days": 1}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_w1", "content": '{"high": 7, "low": 2, "rain": 0.8}'},
        {"role": "assistant", "content": "Rain is likely, with 2 to 7 °C. Take an umbrella."},
    ]
    return Conversation(
        id="weather-hamburg", title="Weather in Hamburg", usage={"total_tokens": 418}, messages=messages
    )


def _items() -> list[dict[str, Any]]:
    """A session of the OpenAI Agents SDK."""
    return [
        {"role": "user", "content": "Will it rain in Lisbon on Saturday?"},
        {
            "type": "function_call",
            "call_id": "call_l1",
            "name": "forecast",
            "arguments": '{"city": "Lisbon", "day": "Saturday"}',
        },
        {"type": "function_call_output", "call_id": "call_l1", "output": '{"rain": 0.2, "sky": "clear"}'},
        {
            "type": "message",
            "role": "assistant",
            "content": [
                {"type": "output_text", "text": "Saturday is clear in Lisbon, with a 20 % chance of rain."}
            ],
        },
    ]


def _chart() -> bytes:
    """A chart with five columns, as a PNG."""
    width, height, values = 480, 200, (41, 38, 57, 92, 64)
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            column, within = divmod(x, width // len(values))
            is_column = 16 <= within < 80 and height - y <= values[min(column, 4)] * 2  # noqa: PLR2004
            colour = (201, 76, 76) if column == 3 else (76, 110, 245)  # noqa: PLR2004
            rows += bytes(colour if is_column else (255, 255, 255))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body
