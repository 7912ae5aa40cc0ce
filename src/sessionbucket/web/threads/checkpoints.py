"""Checkpoints of LangGraph, and what the tasks on them wrote, as steps. Nothing here sends a request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sessionbucket import Frame
from sessionbucket.web.messages import moment, read_messages, step_of
from sessionbucket.web.threads.msgpack_values import decode_value
from sessionbucket.web.threads.parts import (
    Json,
    data_block,
    items,
    members,
    shown_json,
    without,
    words,
)
from sessionbucket.web.transcript import Block, DataBlock, Step, TextBlock

_MESSAGE_TYPES = frozenset({"human", "ai", "system", "tool", "function", "chat", "AIMessageChunk"})
_NEXT = "branch:to:"
_INPUT = "__start__"
_USUAL = ("source", "step", "parents", "run_id", "writes", "counters_since_delta_snapshot")
_INTERRUPT = "langgraph.types.Interrupt"
_MOST_SHORT = 100
_SPECIAL = frozenset({"__error__", "__interrupt__", "__resume__"})
_QUESTION, _RESPONSE, _RESULT, _ERROR = range(4)  # the order of their steps


@dataclass(slots=True)
class Checkpoint:
    """A decoded checkpoint: its header, its metadata, its own members, the values of its channels, and a hash of each item of the lists."""

    header: Json
    metadata: Json
    own: Json
    values: Json
    lists: dict[str, list[int]]

    @property
    def versions(self) -> Json:
        """The version of each channel."""
        return members(self.own.get("channel_versions"))

    @property
    def large(self) -> dict[str, str]:
        """The names of the large values, by channel."""
        found = members(self.header.get("large"))
        return {channel: words(items(each)[-1]) for channel, each in found.items() if items(each)}

    def has_changed(self, channel: str, parent: Checkpoint | None) -> bool:
        """Whether a channel has another version than in the parent; also if nothing is known of one of both."""
        version = self.versions.get(channel)
        return parent is None or version is None or version != parent.versions.get(channel)

    def add_value(self, channel: str, value: Any) -> None:
        """Add a value that was stored apart."""
        self.values[channel] = value
        self._note(channel)

    def forget_values(self) -> None:
        """Keep what later checkpoints need."""
        self.values.clear()

    def _note(self, channel: str) -> None:
        if isinstance(value := self.values[channel], list):
            self.lists[channel] = [_hash(each) for each in value]


def decode_checkpoint(frame: Frame) -> Checkpoint:
    """The checkpoint in a frame. What is missing in it or damaged is empty, or says so."""
    header, blobs = frame
    empty = ("null", b"")
    values = {name[1:]: decode_value(*blob) for name, blob in blobs.items() if name.startswith("=")}
    checkpoint = Checkpoint(
        header,
        members(decode_value(*blobs.get("metadata", empty))),
        members(decode_value(*blobs.get("checkpoint", empty))),
        values,
        {},
    )
    for channel in values:
        checkpoint._note(channel)  # noqa: SLF001 (of this module)
    return checkpoint


def checkpoint_step(
    checkpoint: Checkpoint, parent: Checkpoint | None, unread: Iterable[tuple[str, int]]
) -> Step:
    """The step of a checkpoint, with the channels that changed since its parent. ``unread`` has large values with their sizes."""
    header, metadata = checkpoint.header, checkpoint.metadata
    nodes = [channel.removeprefix(_NEXT) for channel in checkpoint.values if channel.startswith(_NEXT)]
    meta = [
        ("next", ", ".join(sorted(nodes))),
        ("namespace", words(header.get("ns"))),
        ("id", words(header.get("id"))),
        ("parent", words(header.get("parent"))),
        ("run", words(header.get("run"))),
        ("kept as writes", ", ".join(map(words, items(header.get("delta"))))),
    ]
    blocks: list[Block] = []
    for channel, value in sorted(checkpoint.values.items()):
        if not channel.startswith(_NEXT) and checkpoint.has_changed(channel, parent):
            blocks += _channel(channel, value, checkpoint, parent)
    blocks += [DataBlock(channel, f"{size:,} bytes in an object of its own") for channel, size in unread]
    rest = without(metadata, *_USUAL)
    if rest and (parent is None or rest != without(parent.metadata, *_USUAL)):
        blocks.append(data_block("Metadata", rest))
    graph = "".join(f" · {part.partition(':')[0]}" for part in words(header.get("ns")).split("|") if part)
    heading = f"Step {words(metadata.get('step')) or '?'} · {words(metadata.get('source')) or 'unknown source'}{graph}"
    at = moment(checkpoint.own.get("ts"))
    return Step("checkpoint", heading, blocks, [each for each in meta if each[1]], at)


def _channel(channel: str, value: Any, checkpoint: Checkpoint, parent: Checkpoint | None) -> list[DataBlock]:
    """The value of a channel; of a list that grew, the new items, and nothing of an equal list."""
    label = "Input" if channel == _INPUT else channel
    before = parent.lists.get(channel, []) if parent else []
    now = checkpoint.lists.get(channel, [])
    if before and now[: len(before)] == before:
        new = value[len(before) :]
        return [data_block(f"{label}: {len(now)} items, {len(new)} of them new", new)] if new else []
    return [data_block(label, value)]


class Writes:
    """The steps of what tasks wrote. ``complete`` gives each tool call its result, wherever on the page that is."""

    def __init__(self) -> None:
        # The step of each message, which is empty yet, the name of the node that wrote it, and the message.
        self._messages: list[tuple[Step, str, Json]] = []

    def steps(self, tasks: Iterable[Frame], known: Sequence[Checkpoint]) -> list[Step]:
        """The steps of the writes on one checkpoint, of which ``tasks`` has one frame each: questions, responses, results, errors.

        Messages that ``known`` checkpoints have in the same channel already are left out: a subgraph gets and returns all messages.
        """
        steps: list[tuple[int, Step]] = []
        for frame in sorted(tasks, key=_order):
            blocks: list[Block] = []
            found = members(frame.header.get("writes"))
            node = ""
            for index in sorted(found, key=_number):
                channel, path = [*map(words, items(found[index])), "", ""][:2]
                node = path.rpartition(", ")[2]
                value = decode_value(*frame.blobs.get(index, ("null", b"")))
                if channel in _SPECIAL:
                    steps.append(_special(channel, value, node))
                elif messages := _messages_in(value):
                    old = _repeated(messages, [each.lists.get(channel, []) for each in known])
                    steps += [(_RESULT, self._message(message, _name(node))) for message in messages[old:]]
                elif value is not None:
                    is_short = isinstance(value, str | int | float) and len(words(value)) <= _MOST_SHORT
                    blocks.append(
                        TextBlock(f"{channel}: {words(value)}") if is_short else data_block(channel, value)
                    )
            if blocks:
                name = _name(node) if node else f"Task {words(frame.header.get('task'))}"
                steps.append((_RESULT, Step("task", f"{name} wrote", blocks)))
        return [step for _, step in sorted(steps, key=lambda each: each[0])]

    def _message(self, message: Json, name: str) -> Step:
        step = Step("other", name)
        self._messages.append((step, name, _plain(message)))
        return step

    def complete(self) -> None:
        """Fill the steps of all messages."""
        turns = read_messages([message for _, _, message in self._messages])
        for turn, (step, name, _) in zip(turns, self._messages, strict=True):
            calls = sorted({self._messages[number - 1][1] for number in turn.calls_in})
            turn.calls_in = []
            filled = step_of(turn, 1)
            step.role, step.heading, step.blocks = (
                filled.role,
                f"{name} · {filled.role.capitalize()}",
                filled.blocks,
            )
            meta = [("results at", f"the calls of {', '.join(calls)}")] if calls else []
            step.meta, step.at = [*filled.meta, *meta], filled.at


def _order(frame: Frame) -> str:
    """What orders the tasks on one checkpoint."""
    paths = [words(items(each)[-1]) for each in members(frame.header.get("writes")).values() if items(each)]
    return max(paths, default="")


def _name(node: str) -> str:
    return "Input" if node == _INPUT else node


def _special(channel: str, value: Any, node: str) -> tuple[int, Step]:
    """The place and the step of a write that LangGraph itself makes for a task."""
    if channel == "__error__":
        return _ERROR, Step("error", f"{node} failed", [TextBlock(words(value))])
    found = items(value) or [value]
    if channel == "__resume__":
        return _RESPONSE, Step(
            "user", f"{node} is resumed" if node else "Resumed", [_shown(each) for each in found]
        )
    asked = [members(each).get(_INTERRUPT, each) for each in found]
    blocks = [_shown(members(each).get("value", each)) for each in asked]
    return _QUESTION, Step("interrupt", f"{node} waits for a response", blocks)


def _repeated(messages: list[Json], known: Iterable[list[int]]) -> int:
    """How many of the first messages are those that a checkpoint has."""
    hashes = [_hash(each) for each in messages]
    return max((len(each) for each in known if hashes[: len(each)] == each), default=0)


def _number(index: str) -> int:
    return int(index) if index.lstrip("-").isdecimal() else 0


def _shown(value: Any) -> Block:
    return TextBlock(value) if isinstance(value, str) else data_block("Value", value)


def _messages_in(value: Any) -> list[Json]:
    """The messages of LangChain in a write, which is one or a list of them; none for anything else."""
    found = value if isinstance(value, list) else [value]
    is_all = all(words(members(each).get("type")) in _MESSAGE_TYPES and "content" in each for each in found)
    return found if is_all else []


def _plain(message: Json) -> Json:
    """A message without what its step shows already."""
    plain = {**message}
    calls = {words(members(each).get("id")) for each in items(message.get("tool_calls"))}
    if isinstance(content := message.get("content"), list):
        plain["content"] = [
            each
            for each in content
            if members(each).get("type") != "tool_use" or words(each.get("id")) not in calls
        ]
    return plain


def _hash(value: Any) -> int:
    return hash(shown_json(value))
