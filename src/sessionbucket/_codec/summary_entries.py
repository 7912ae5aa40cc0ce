"""The metadata entry with the summary of a session, for a save and for a copy."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from sessionbucket._codec import Codec, codec_of
from sessionbucket._core.summary import EntryOf, Summarizer, no_entry, summarize
from sessionbucket.errors import SessionBucketError


class SummaryEntries:
    """Makes the entries of a store. One whose bucket keeps no metadata has none."""

    def __init__(self, summarizer: Summarizer | None, codec: Codec[Any], *, keeps_metadata: bool) -> None:
        self._summarizer = summarizer
        self._codec = codec
        self._keeps_metadata = keeps_metadata

    def of_session(self, session: Any) -> EntryOf:
        """The entry of a session as it is now."""
        if self._summarizer is None or not self._keeps_metadata:
            return no_entry
        return self._summarizer.entry(session)

    def of_copy(self, body: bytes, metadata: Mapping[str, str]) -> EntryOf:
        """The entry of a body that is copied from an object with this metadata.

        A store of a model without a summariser copies sessions of any model. There the entry is that of a ``SessionData``.
        """
        if not self._keeps_metadata:
            return no_entry
        summarizer, codec = self._for_copies
        if carried := summarizer.carried(metadata, len(body)):
            return carried
        try:
            session = codec.decode(body, key="", is_printed=True)
        except SessionBucketError:
            return no_entry  # the body is no session of this model
        return summarizer.entry(session)

    @cached_property
    def _for_copies(self) -> tuple[Summarizer, Codec[Any]]:
        if self._summarizer is not None:
            return self._summarizer, self._codec
        from sessionbucket.models.session import SessionData  # noqa: PLC0415 (loads pydantic)

        return Summarizer(SessionData, summarize, "full"), codec_of(SessionData)
