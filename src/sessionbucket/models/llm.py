"""Which model a session talks to."""

from __future__ import annotations

from pydantic import Field, SecretStr

from sessionbucket.models._base import WireModel


class LlmConfigData(WireModel):
    """A provider, a model, and where to reach it.

    ``api_key`` can be given, and is read from a file that has one, but is never written, dumped or
    shown. A session that was saved and loaded again needs its key given anew.
    """

    provider: str
    model: str
    base_url: str | None = None
    api_key: SecretStr | None = Field(default=None, exclude=True, repr=False)
