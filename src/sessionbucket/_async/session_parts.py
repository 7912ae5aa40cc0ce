"""The parts of sessions that are one JSON object each: artifacts, trace events, verification reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._async.bucket_listing import list_objects
from sessionbucket._async.documents import retry_after_conflicts
from sessionbucket._async.legacy_names import AsyncLegacyNames
from sessionbucket._async.session_reader import AsyncSessionReader
from sessionbucket._async.session_writer import AsyncSessionWriter
from sessionbucket._async.v1_snapshots import AsyncV1Snapshots
from sessionbucket._codec import Codec, codec_of
from sessionbucket._concurrency.asyncio_ import gather
from sessionbucket._core.arguments import check_integer, check_items, check_kind
from sessionbucket._core.body_checksum import codec_checksum, is_printed
from sessionbucket._core.inventory import OPAQUE_PARTS
from sessionbucket._core.keys import SessionKeys, StoreKeys
from sessionbucket._core.objects import JSON_CONTENT_TYPE, StoredObject
from sessionbucket._core.write_ids import written_version

if TYPE_CHECKING:
    from sessionbucket.models import ArtifactStore, TraceEvent, VerificationReport

PartT = TypeVar("PartT")


class AsyncSessionParts:
    """Loads, saves and deletes the parts of sessions."""

    def __init__(  # noqa: PLR0917
        self,
        bucket: AsyncBucket,
        keys: StoreKeys,
        legacy: AsyncLegacyNames,
        v1: AsyncV1Snapshots,
        reader: AsyncSessionReader[Any],
        writer: AsyncSessionWriter,
        max_bytes: int,
    ) -> None:
        self._bucket = bucket
        self._keys = keys
        self._legacy = legacy
        self._v1 = v1
        self._reader = reader
        self._writer = writer
        self._max_bytes = max_bytes

    # Each codec loads its models, so it is made on first use.

    @cached_property
    def _artifacts(self) -> Codec[ArtifactStore]:
        from sessionbucket.models.artifacts import ArtifactStore  # noqa: PLC0415

        return codec_of(ArtifactStore, max_bytes=self._max_bytes)

    @cached_property
    def _traces(self) -> Codec[list[TraceEvent]]:
        from sessionbucket.models.traces import TraceEvent  # noqa: PLC0415

        return codec_of(list[TraceEvent], max_bytes=self._max_bytes)

    @cached_property
    def _verification(self) -> Codec[list[VerificationReport]]:
        from sessionbucket.models.verification import VerificationReport  # noqa: PLC0415

        return codec_of(list[VerificationReport], max_bytes=self._max_bytes)

    def validate(self, name: str, found: StoredObject) -> None:
        """Raises ``SessionCorruptedError`` when the object is no valid part of this name. Opaque parts are always valid."""
        if name not in OPAQUE_PARTS:
            _decode(getattr(self, f"_{name}"), found)

    async def save_artifacts(self, id: str, artifacts: ArtifactStore) -> None:
        check_kind("artifacts", artifacts, _artifact_store())
        await self.put(await self.encoded(id, artifacts=artifacts))

    async def load_artifacts(self, id: str) -> ArtifactStore | None:
        return await self._load(id, "artifacts", self._artifacts)

    async def save_trace_events(self, id: str, events: Sequence[TraceEvent]) -> None:
        await self.put(await self.encoded(id, events=_listed("events", events)))

    async def load_trace_events(self, id: str) -> list[TraceEvent] | None:
        return await self._load(id, "traces", self._traces)

    async def save_verification_reports(self, id: str, reports: Sequence[VerificationReport]) -> None:
        await self.put(await self.encoded(id, reports=_listed("reports", reports)))

    async def load_verification_reports(self, id: str) -> list[VerificationReport] | None:
        return await self._load(id, "verification", self._verification)

    async def append_trace_events(self, id: str, events: Sequence[TraceEvent], attempts: int) -> None:
        """Read the events, append to them, and write them over exactly the version that was read; repeat after a conflict."""
        check_integer("attempts", attempts, 1)
        added = _listed("events", events)
        self._keys.of_session(id)
        if not added:
            return
        await self._v1.check_writable()
        key = (await self._legacy.current_keys(id)).traces

        async def append() -> None:
            found = await self._reader.get(key)
            before = _decode(self._traces, found) if found else await self.load_trace_events(id) or []
            base = written_version(found.info) if found else None
            await self._writer.replace(id, key, self._traces.encode([*before, *added], key=key), base)

        await retry_after_conflicts(append, attempts=attempts, location=self._bucket.location)

    async def delete(self, id: str, keys: SessionKeys) -> None:
        """Delete every part of a session, its files included.

        A versioned bucket would make a delete marker for a key that never existed, so the parts are looked up first. A request
        that may have been done is not repeated, because its late copy could delete parts of a later session.
        """
        folders = {keys.artifacts_folder, self._keys.of_session(id).artifacts_folder}
        below = await gather([partial(list_objects, self._bucket, folder) for folder in sorted(folders)])
        others = [key for key in keys.json_parts if key != keys.artifacts]
        existing = await gather([partial(self._bucket.exists, key) for key in others])
        found = [key for key, exists in zip(others, existing, strict=True) if exists]
        found += [info.key for infos in below for info in infos]
        await self._writer.delete_parts(found)

    async def encoded(
        self,
        id: str,
        *,
        artifacts: ArtifactStore | None = None,
        events: Sequence[TraceEvent] | None = None,
        reports: Sequence[VerificationReport] | None = None,
    ) -> dict[str, bytes]:
        """The bodies of the parts by their keys. Raises ``InvalidArgumentError`` for a part that cannot be written."""
        keys = await self._legacy.current_keys(id)
        bodies: dict[str, bytes] = {}
        if artifacts is not None:
            check_kind("artifacts", artifacts, _artifact_store())
            bodies[keys.artifacts] = self._artifacts.encode(artifacts, key=keys.artifacts)
        if events is not None:
            bodies[keys.traces] = self._traces.encode(_listed("events", events), key=keys.traces)
        if reports is not None:
            listed = _listed("reports", reports)
            bodies[keys.verification] = self._verification.encode(listed, key=keys.verification)
        return bodies

    async def put(self, bodies: Mapping[str, bytes]) -> None:
        """Write the bodies of parts concurrently."""
        await self._v1.check_writable()
        await gather([partial(self._put, key, body) for key, body in bodies.items()])

    async def _put(self, key: str, text: bytes) -> None:
        body = self._writer.stored_body(text)
        await self._bucket.put(key, body, content_type=JSON_CONTENT_TYPE, metadata=codec_checksum(body))

    async def _load(self, id: str, name: str, codec: Codec[PartT]) -> PartT | None:
        found = await self._reader.find_part(id, name)
        return _decode(codec, found) if found else None


def _artifact_store() -> type:
    from sessionbucket.models.artifacts import ArtifactStore  # noqa: PLC0415 (loaded on first use)

    return ArtifactStore


def _listed(name: str, items: Sequence[PartT]) -> list[PartT]:
    check_items(name, items)
    return list(items)


def _decode(codec: Codec[PartT], found: StoredObject) -> PartT:
    return codec.decode(found.body, key=found.info.key, is_printed=is_printed(found))
