"""Sessions to JSON bytes and back: a codec prints the text of its format, and refuses any doubtful text on a read."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar, cast

from sessionbucket._core.objects import DEFAULT_MAX_BYTES
from sessionbucket.models.conversation import Conversation

__all__ = ["Codec", "codec_of"]

T = TypeVar("T")


class Codec(Protocol[T]):
    """What a store needs of a codec. ``ModelCodec`` and ``ConversationCodec`` define the errors."""

    def encode(self, value: T, *, key: str) -> bytes:
        """The body that stores ``value`` under ``key``."""

    def decode(self, body: bytes, *, key: str, is_printed: bool = False) -> T:
        """The value in ``body``, which was read under ``key``. ``is_printed`` says that a codec printed the body."""

    def dropped_members(self, value: T, body: bytes) -> tuple[str, ...]:
        """The paths of the members in ``body`` that ``value``, which was read from it, does not have."""


def codec_of(type_: type[T] | Any, *, max_bytes: int = DEFAULT_MAX_BYTES) -> Codec[T]:
    """The codec of a pydantic model, a list of one, or ``Conversation``, for which pydantic is not loaded."""
    if isinstance(type_, type) and issubclass(type_, Conversation):
        from sessionbucket._codec.conversations import ConversationCodec  # noqa: PLC0415 (each loads only its own)

        return cast("Codec[T]", ConversationCodec(type_, max_bytes=max_bytes))
    from sessionbucket._codec.model_codec import ModelCodec  # noqa: PLC0415 (loads pydantic)

    return ModelCodec[T](type_, max_bytes=max_bytes)
