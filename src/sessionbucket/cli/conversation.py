"""A session as a readable conversation in a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.highlighter import JSONHighlighter
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from sessionbucket.cli.terminal import count_text, one_line, size_text, unix_text, visible
from sessionbucket.models import (
    ContentBlock,
    ImageBlock,
    Message,
    SessionData,
    Task,
    TaskStatus,
    TextBlock,
    ToolResultBlock,
    ToolUseBlock,
)

_ROLE_STYLES = {"user": "bold cyan", "assistant": "bold green", "system": "bold magenta"}
_OTHER_ROLE_STYLE = "bold yellow"
_TASK_STYLES = {
    TaskStatus.COMPLETED: "green",
    TaskStatus.IN_PROGRESS: "yellow",
    TaskStatus.FAILED: "bold red",
    TaskStatus.SKIPPED: "dim",
    TaskStatus.CANCELLED: "dim",
}
_INDENT = 2
_LABEL_WIDTH = 10
_BASE64_GROUP, _BASE64_BYTES = 4, 3


class Conversation:
    """Prints sessions on a console."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tool_names: dict[str, str] = {}

    def print(self, session: SessionData, *, parts: Sequence[str] = ()) -> None:
        """Print the whole session; ``parts`` describes its parts in words."""
        self._print_header(session, parts)
        for number, message in enumerate(session.messages, start=1):
            self._print_message(number, message)
        if session.tasks:
            self._rule("tasks", "bold")
            for task in session.tasks:
                self._print_indented(_task(task))

    def print_members(self, id: str, members: Mapping[str, Any], *, parts: Sequence[str] = ()) -> None:
        """Print the members of a session of another model."""
        self._print_title(id, {"parts": ", ".join(parts)})
        for name, value in members.items():
            self._rule(one_line(name), "bold")
            self._print_indented(Text(visible(value)) if isinstance(value, str) else _json(value))

    def _print_header(self, session: SessionData, parts: Sequence[str]) -> None:
        usage = session.total_usage
        config = session.config
        model = session.model_name or (session.llm_config.model if session.llm_config else "")
        prompt = config.system_prompt or ""
        rows = {
            "name": config.name,
            "model": model,
            "state": str(session.state),
            "parent": session.parent_id or config.parent_id or "",
            "workspace": config.workspace,
            "created": unix_text(session.created_at),
            "updated": unix_text(session.updated_at),
            "messages": f"{len(session.messages):,}",
            "tokens": f"{usage.total_tokens:,} ({usage.prompt_tokens:,} in, {usage.completion_tokens:,} out)",
            "cost": f"${session.total_cost:,.4f}",
            "system": count_text(len(prompt), "character") + " of system prompt" if prompt else "",
            "parts": ", ".join(parts),
        }
        self._print_title(session.id, rows)

    def _print_title(self, id: str, rows: Mapping[str, str]) -> None:
        self._console.print(Text(one_line(id), style="bold"), soft_wrap=True)
        for label, value in rows.items():
            if value:
                self._print_indented(Text.assemble((label.ljust(_LABEL_WIDTH), "dim"), one_line(value)))

    def _print_message(self, number: int, message: Message) -> None:
        style = _ROLE_STYLES.get(message.role, _OTHER_ROLE_STYLE)
        self._rule(f"{number} {one_line(message.role)}", style)
        if message.reasoning_content:
            self._print_indented(Text("reasoning", style="dim bold"))
            self._print_indented(Text(visible(message.reasoning_content), style="dim italic"))
        for block in message.content:
            self._print_block(block)

    def _print_block(self, block: ContentBlock) -> None:
        match block:
            case TextBlock():
                self._print_indented(Text(visible(block.text)))
            case ImageBlock():
                self._print_indented(_image(block))
            case ToolUseBlock():
                self._tool_names[block.id] = block.name
                self._print_indented(_titled(f"→ {one_line(block.name)}", "bold yellow", block.id))
                self._print_indented(_json(block.input), by=2 * _INDENT)
            case ToolResultBlock():
                self._print_result(block)

    def _print_result(self, block: ToolResultBlock) -> None:
        name = one_line(self._tool_names.get(block.tool_use_id, "result"))
        failed = bool(block.is_error)
        label, style = (f"✗ error from {name}", "bold red") if failed else (f"← {name}", "bold blue")
        self._print_indented(_titled(label, style, block.tool_use_id))
        parts = [TextBlock(text=block.content)] if isinstance(block.content, str) else block.content
        for part in parts:
            text = _image(part) if isinstance(part, ImageBlock) else Text(visible(part.text))
            if failed:
                text.stylize("red")
            self._print_indented(text, by=2 * _INDENT)

    def _rule(self, title: str, style: str) -> None:
        self._console.print()
        self._console.print(Rule(Text(title, style=style), align="left", style="dim"))

    def _print_indented(self, text: Text, *, by: int = _INDENT) -> None:
        """Print wrapped at words on a terminal. In a pipe, print whole lines, so that they can be searched."""
        if self._console.is_terminal:
            self._console.print(Padding(text, (0, 0, 0, by)))
        else:
            lines = [f"{' ' * by}{line}".rstrip() for line in text.plain.split("\n")]
            self._console.print(Text("\n".join(lines)), soft_wrap=True)


def _titled(label: str, style: str, call_id: str) -> Text:
    return Text.assemble((label, style), (f"  {one_line(call_id)}", "dim"))


def _json(value: Any) -> Text:
    text = Text(visible(json.dumps(value, indent=2, ensure_ascii=False)))
    JSONHighlighter().highlight(text)
    return text


def _image(block: ImageBlock) -> Text:
    data = block.source.data.rstrip("=")
    size = len(data) * _BASE64_BYTES // _BASE64_GROUP
    return Text(f"[image {one_line(block.source.media_type)}, {size_text(size)}]", style="magenta")


def _task(task: Task) -> Text:
    status = (f"{task.status:<12}", _TASK_STYLES.get(task.status, "none"))
    return Text.assemble(status, one_line(task.content), (f"  {task.priority}", "dim"))
