"""Models to JSON bytes and back: the text the reference writes, and a reader that accepts nothing doubtful."""

from sessionbucket._codec.codec import DEFAULT_MAX_BYTES, Codec

__all__ = ["DEFAULT_MAX_BYTES", "Codec"]
