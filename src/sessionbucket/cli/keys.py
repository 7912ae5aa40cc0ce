"""The keys of encrypted stores: from a file, from an environment variable, or from KMS."""

from __future__ import annotations

from contextvars import ContextVar
from pathlib import Path

from sessionbucket import InvalidArgumentError, KeyProvider

KEYRING_VARIABLE = "SESSIONBUCKET_KEYRING"
NO_KEYS = "none"

_chosen: ContextVar[str | None] = ContextVar("keyring", default=None)


def choose_keyring(text: str | None) -> None:
    """Use this keyring for every store of the command that has none of its own."""
    _chosen.set(text)


def chosen_keyring() -> str | None:
    """The text of the keyring of the command, for its worker processes."""
    return _chosen.get()


def keys_of(text: str | None = None) -> KeyProvider | None:
    """The keys in ``text``, or in the keyring of the command; None for a store that is not encrypted.

    The text is the JSON of a keyring, the ARN of a KMS key with those of older keys after commas, the path of a file with one of these,
    or ``none``. Raises ``InvalidArgumentError`` for any other text. Its message repeats no key.
    """
    chosen = text or _chosen.get()
    if not chosen or chosen == NO_KEYS:
        return None
    return _parsed(chosen) or _parsed(_read(chosen)) or _refuse()


def _parsed(text: str) -> KeyProvider | None:
    text = text.strip()
    if text.startswith("{"):
        from sessionbucket import Keyring  # noqa: PLC0415 (a plain store has no keys)

        return Keyring.from_json(text)
    if text.startswith("arn:"):
        from sessionbucket import KmsKeyring  # noqa: PLC0415

        primary, *older = (arn.strip() for arn in text.split(","))
        return KmsKeyring(primary, older=older)
    return None


def _read(path: str) -> str:
    try:
        return Path(path).expanduser().read_text()
    except (OSError, ValueError) as error:
        raise InvalidArgumentError(
            f"the keyring cannot be read ({type(error).__name__}): pass the path of a file with its JSON, or the ARN of a KMS key"
        ) from None


def _refuse() -> KeyProvider:
    raise InvalidArgumentError(
        "the file of the keyring has neither the JSON of a keyring nor the ARN of a KMS key"
    )
