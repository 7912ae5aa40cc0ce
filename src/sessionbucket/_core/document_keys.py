"""The keys of documents: free keys in one named folder of a store."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import unquote_to_bytes

from sessionbucket.errors import InvalidArgumentError, shorten

INTEGRATION_FOLDERS = frozenset(
    {
        "langgraph",
        "langgraph-store",
        "openai-agents",
        "claude",
        "pydantic-ai",
        "strands",
        "adk",
        "adk-artifacts",
        "agent-framework",
        "llama-index",
    }
)
"""The folders of a store that belong to the integrations of this library."""

RESERVED_FOLDERS = INTEGRATION_FOLDERS | {
    "artifacts",
    "traces",
    "verification",
    "runs",
    "subagent_tasks",
    "loop_checkpoints",
    "workflow_checkpoints",
    "v1",
}
"""The folders of a store that belong to the library, to a3s-code and to the integrations."""

_MAX_KEY_BYTES = 1024
_MAX_SEGMENT_BYTES = 180
_CUT_SEGMENT_BYTES = 100
_UNSAFE = re.compile(rb"[^A-Za-z0-9\-_.~@+=,]|^\.")
_CUT_ESCAPE = re.compile(r"%.?$")
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


class DocumentKeys:
    """The keys of one document folder, relative to it and in full."""

    def __init__(self, root: str, name: str, *, integration: bool = False) -> None:
        """``root`` is the prefix of the store, empty or with a slash at its end. With ``integration``, ``name`` must be the folder
        of one of this library's integrations.

        Raises ``InvalidArgumentError`` for a name that is reserved or breaks a rule.
        """
        if not isinstance(name, str) or not _NAME.fullmatch(name) or name.endswith(".json"):
            raise InvalidArgumentError(
                f"document folder {shorten(str(name))} is refused: it must be 1 to 100 ASCII letters, digits, '.', '_' and '-', "
                "not start with '.', and not end in '.json'"
            )
        if integration and name not in INTEGRATION_FOLDERS:
            raise InvalidArgumentError(
                f"document folder {name!r} is refused: it belongs to no integration of sessionbucket; open it without integration=True"
            )
        if name in RESERVED_FOLDERS and not integration:
            raise InvalidArgumentError(
                f"document folder {name!r} is refused: it belongs to sessionbucket; choose another name"
            )
        self.folder = f"{root}{name}/"

    def full(self, key: str) -> str:
        """The key in the bucket. Raises ``InvalidArgumentError`` for a key that breaks a rule."""
        problem = _problem(key, len(self.folder))
        if problem:
            raise InvalidArgumentError(f"document key {shorten(str(key))} is refused: {problem}")
        return self.folder + key

    def prefix(self, prefix: str, *, is_folder: bool = False) -> str:
        """The prefix in the bucket. Raises ``InvalidArgumentError`` for a prefix that no key can have.

        ``is_folder`` requires that it is empty or ends in ``/``.
        """
        problem = _problem(prefix + "x" if isinstance(prefix, str) else prefix, len(self.folder))
        if not problem and is_folder and prefix and not prefix.endswith("/"):
            problem = "it must be empty or end in '/'"
        if problem:
            raise InvalidArgumentError(f"document prefix {shorten(str(prefix))} is refused: {problem}")
        return self.folder + prefix

    def relative(self, key: str) -> str:
        """The key in the folder, from a key in the bucket."""
        return key[len(self.folder) :]


def _problem(key: object, used: int) -> str:
    if not isinstance(key, str):
        return f"it is {type(key).__name__} and must be a string"
    if any(segment in ("", ".", "..") for segment in key.split("/")):
        return "its segments must not be empty, '.' or '..'"
    if "\0" in key:
        return "it has a NUL character"
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return "it has a lone surrogate, which UTF-8 cannot encode"
    if size + used > _MAX_KEY_BYTES:
        return f"with its folder it has more than {_MAX_KEY_BYTES} bytes in UTF-8"
    return ""


def encode_segment(text: str) -> str:
    """Encode any text as one segment of a document key, of 1 to 180 ASCII characters. No two texts have one segment.

    The letters ``A-Z a-z 0-9 - _ . ~ @ + = ,`` stay, and every other UTF-8 byte becomes ``%XX``, and so does a leading ``.``. The empty
    text becomes ``%~``. A segment that would be longer is cut to its first 100 characters at most, followed by ``%~`` and the SHA-256 of
    the text in hexadecimal. So write the text into the document, too.
    """
    raw = text.encode("utf-8", "surrogatepass")
    encoded = _UNSAFE.sub(lambda found: b"%%%02X" % ord(found[0]), raw).decode()
    if len(encoded) > _MAX_SEGMENT_BYTES:
        cut = _CUT_ESCAPE.sub("", encoded[:_CUT_SEGMENT_BYTES])
        return f"{cut}%~{hashlib.sha256(raw).hexdigest()}"
    return encoded or "%~"


def decode_segment(segment: str) -> str | None:
    """The text of a segment of ``encode_segment``, or None when the segment is cut. A name of another program is returned as it is."""
    if segment == "%~":
        return ""
    if "%~" in segment:
        return None
    try:
        text = unquote_to_bytes(segment).decode("utf-8", "surrogatepass")
    except UnicodeError:
        return segment
    return text if encode_segment(text) == segment else segment


def newest_first(id: str) -> str:
    """Encode an id so that a listing has the greatest id first: the order of the results is the reverse order of the ids' UTF-8 bytes.

    The result is one segment of a document key, or a part of one: two hexadecimal digits for each byte, and ``~``. So one listing with
    a small limit has the newest documents, and no pointer to the newest is needed.
    """
    return bytes(255 - byte for byte in id.encode("utf-8", "surrogatepass")).hex() + "~"
