"""The outputs of a session's tools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Self

from pydantic import Field, PrivateAttr, model_validator

from sessionbucket.models._base import CheckedOnReadModel, WireModel, is_none, new_list, refusing
from sessionbucket.models._scalars import U64

DEFAULT_MAX_ARTIFACTS = 256
DEFAULT_MAX_ARTIFACT_BYTES = 16 * 1024 * 1024


class ToolArtifact(WireModel):
    """One complete output of a tool. The sizes are stored as given, not checked against the content."""

    artifact_id: str
    artifact_uri: str
    tool_name: str
    content: str
    original_bytes: U64
    shown_bytes: U64

    @property
    def content_bytes(self) -> int:
        """The size that counts for the limit of a store: the bytes of the content in UTF-8."""
        if self.content.isascii():
            return len(self.content)
        return len(self.content.encode("utf-8", "surrogatepass"))


class ArtifactStore(CheckedOnReadModel):
    """Artifacts by URI, oldest first, within a limit of their number and one of their bytes.

    The limits are 256 artifacts and 16 MiB of content, unless ``with_limits`` sets others. They are not
    stored, so a store from a read has the default limits. Above a limit the oldest artifacts are
    dropped, also on a read. A single artifact above the byte limit drops everything, itself included.
    Artifacts in ``retained_uris`` are never dropped. a3s-code writes that member since 8.x; it is None when a file has none.
    """

    required_on_read: ClassVar = ("artifacts",)

    artifacts: list[ToolArtifact] = Field(default_factory=new_list)
    retained_uris: list[str] | None = Field(default=None, exclude_if=is_none)

    _max_artifacts: int = PrivateAttr(default=DEFAULT_MAX_ARTIFACTS)
    _max_bytes: int = PrivateAttr(default=DEFAULT_MAX_ARTIFACT_BYTES)

    @classmethod
    @refusing
    def with_limits(
        cls,
        artifacts: Iterable[ToolArtifact] = (),
        *,
        max_artifacts: int = DEFAULT_MAX_ARTIFACTS,
        max_bytes: int = DEFAULT_MAX_ARTIFACT_BYTES,
    ) -> Self:
        """A store of at most ``max_artifacts``, and ``max_bytes`` of content, that holds ``artifacts``."""
        store = cls()
        store._max_artifacts = max_artifacts
        store._max_bytes = max_bytes
        for artifact in artifacts:
            store.put(artifact)
        return store

    @model_validator(mode="after")
    def _keep_within_the_limits(self) -> Self:
        latest: dict[str, ToolArtifact] = {}
        for artifact in self.artifacts:
            latest.pop(artifact.artifact_uri, None)
            latest[artifact.artifact_uri] = artifact
        self._keep(list(latest.values()))
        return self

    @refusing
    def put(self, artifact: ToolArtifact) -> None:
        """Add an artifact as the newest, in place of one with the same URI, and drop the oldest above a limit."""
        others = [kept for kept in self.artifacts if kept.artifact_uri != artifact.artifact_uri]
        self._keep([*others, artifact])

    @refusing
    def get(self, artifact_uri: str) -> ToolArtifact | None:
        """The artifact with this URI, or None."""
        return next((kept for kept in self.artifacts if kept.artifact_uri == artifact_uri), None)

    @property
    def total_bytes(self) -> int:
        """The bytes of all contents in UTF-8."""
        return sum(artifact.content_bytes for artifact in self.artifacts)

    def __len__(self) -> int:
        return len(self.artifacts)

    def __iter__(self) -> Iterator[ToolArtifact]:  # type: ignore[override]
        """Iterate over the artifacts, oldest first."""
        return iter(self.artifacts)

    def _keep(self, candidates: list[ToolArtifact]) -> None:
        sizes = [artifact.content_bytes for artifact in candidates]
        size, count = sum(sizes), len(candidates)
        retained = set(self.retained_uris or ())
        kept: list[ToolArtifact] = []
        for artifact, own_size in zip(candidates, sizes, strict=True):
            is_above = count > self._max_artifacts or size > self._max_bytes
            if is_above and artifact.artifact_uri not in retained:
                size -= own_size
                count -= 1
            else:
                kept.append(artifact)
        self.artifacts[:] = kept
