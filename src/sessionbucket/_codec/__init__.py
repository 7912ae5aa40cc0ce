"""Models to JSON bytes and back: it prints the text of the reference, and refuses any doubtful text on a read."""

from sessionbucket._codec.codec import Codec

__all__ = ["Codec"]
