"""Messages, their content blocks, and the tools that they call."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from sessionbucket.models._base import CheckedOnReadModel, WireModel, is_none, refusing


class TextBlock(WireModel):
    """Plain text."""

    type: Literal["text"] = "text"
    text: str


class ImageSource(CheckedOnReadModel):
    """The bytes of an image as padded base64 of the standard alphabet, and their media type."""

    required_on_read: ClassVar = ("type",)

    type: str = "base64"
    media_type: str
    data: str


class ImageBlock(WireModel):
    """An image inside a message."""

    type: Literal["image"] = "image"
    source: ImageSource

    @classmethod
    @refusing
    def from_bytes(cls, data: bytes, media_type: str) -> Self:
        """An image from its bytes, for example ``ImageBlock.from_bytes(png, "image/png")``."""
        text = base64.b64encode(data).decode("ascii")
        return cls(source=ImageSource(media_type=media_type, data=text))


class ToolUseBlock(WireModel):
    """The model's call of a tool. ``input`` is any JSON value."""

    type: Literal["tool_use"] = "tool_use"
    id: str
    name: str
    input: Any


ToolResultPart = Annotated[TextBlock | ImageBlock, Field(discriminator="type")]


class ToolResultBlock(WireModel):
    """The result of a tool: text, or a list of text and image blocks. Text that looks like JSON stays text."""

    type: Literal["tool_result"] = "tool_result"
    tool_use_id: str
    content: str | list[ToolResultPart] = Field(union_mode="left_to_right")
    is_error: bool | None = None


ContentBlock = Annotated[
    TextBlock | ImageBlock | ToolUseBlock | ToolResultBlock,
    Field(discriminator="type"),
]


class _TextInPython:
    """Takes a string as one text block, in Python only. JSON is validated without a call of Python code."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        blocks = handler(source)
        return core_schema.json_or_python_schema(
            blocks, core_schema.no_info_before_validator_function(_blocks_of, blocks)
        )


def _blocks_of(content: Any) -> Any:
    return [TextBlock(text=content)] if isinstance(content, str) else content


class Message(WireModel):
    """One message of the history. ``role`` is ``user`` or ``assistant`` in practice.

    In Python, ``content`` may be a string, which becomes one text block. JSON must have a list of blocks.
    """

    role: str
    content: Annotated[list[ContentBlock], _TextInPython]
    reasoning_content: str | None = Field(default=None, exclude_if=is_none)

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            role: str,
            content: str | Iterable[ContentBlock],
            reasoning_content: str | None = None,
            **unknown: Any,
        ) -> None: ...

    @classmethod
    @refusing
    def user(cls, text: str, images: Iterable[ImageBlock] = ()) -> Self:
        """A message of the user: the images first, the text last."""
        return cls(role="user", content=[*images, TextBlock(text=text)])

    @classmethod
    @refusing
    def assistant(cls, text: str) -> Self:
        """A reply of the model, in plain text."""
        return cls(role="assistant", content=[TextBlock(text=text)])

    @classmethod
    @refusing
    def tool_use(cls, id: str, name: str, input: Any, text: str = "") -> Self:
        """The model's call of the tool ``name``, after ``text`` if there is any. ``input`` is any JSON value."""
        before = [TextBlock(text=text)] if text else []
        return cls(role="assistant", content=[*before, ToolUseBlock(id=id, name=name, input=input)])

    @classmethod
    @refusing
    def tool_result(cls, tool_use_id: str, text: str, is_error: bool = False) -> Self:
        """The plain-text result of the tool call ``tool_use_id``."""
        block = ToolResultBlock(tool_use_id=tool_use_id, content=text, is_error=is_error)
        return cls(role="user", content=[block])

    @property
    def text(self) -> str:
        """The text blocks, joined by newlines, without tool calls and their results."""
        return "\n".join(block.text for block in self.content if isinstance(block, TextBlock))


class ToolDefinition(WireModel):
    """A tool: its name, its description, and a JSON schema of its parameters."""

    name: str
    description: str
    parameters: Any
