"""Sessions and their parts as they are stored, byte for byte: for copies and for tools."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._async.bucket_listing import list_objects, list_pages
from sessionbucket._async.legacy_names import AsyncLegacyNames, inner_id
from sessionbucket._async.session_parts import AsyncSessionParts
from sessionbucket._async.session_reader import AsyncSessionReader
from sessionbucket._async.session_writer import AsyncSessionWriter
from sessionbucket._async.v1_snapshots import AsyncV1Snapshots, SnapshotSession
from sessionbucket._codec.summary_entries import SummaryEntries
from sessionbucket._concurrency.asyncio_ import gather
from sessionbucket._core.arguments import check_body, check_key, check_kind, check_text
from sessionbucket._core.inventory import JSON_PARTS, Inventory
from sessionbucket._core.keys import StoreKeys
from sessionbucket._core.objects import NO_METADATA, ObjectInfo, StoredObject
from sessionbucket.errors import (
    InvalidArgumentError,
    InvalidSessionIdError,
    SessionCorruptedError,
    shorten,
)


class AsyncRawSessions:
    """Reads and writes the objects of sessions unchanged. ``AsyncSessionStore.raw`` is one."""

    def __init__(  # noqa: PLR0917
        self,
        bucket: AsyncBucket,
        keys: StoreKeys,
        legacy: AsyncLegacyNames,
        v1: AsyncV1Snapshots,
        reader: AsyncSessionReader[Any],
        writer: AsyncSessionWriter,
        parts: AsyncSessionParts,
        entries: SummaryEntries,
    ) -> None:
        self._bucket = bucket
        self._keys = keys
        self._legacy = legacy
        self._v1 = v1
        self._reader = reader
        self._writer = writer
        self._parts = parts
        self._entries = entries

    @property
    def location(self) -> str:
        """The place of the sessions; without secrets."""
        return self._keys.location(self._bucket.location)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.location}>"

    @property
    def is_conditional(self) -> bool:
        """Whether a write never replaces a version that its caller has not seen."""
        return self._bucket.capabilities.conditional_writes != "off"

    async def get(self, id: str) -> StoredObject | None:
        """The session's object, valid or not, under its encoded key or its legacy name; None when there is none."""
        return await self._reader.find(id)

    async def get_valid(self, id: str) -> StoredObject | None:
        """The session's object. Raises the errors of ``load``."""
        found = await self._reader.find(id)
        if found is not None:
            self._reader.decode(id, found)
        return found

    def parse(self, found: StoredObject) -> Any:
        """The session in an object that ``get`` returned; one under a legacy name has its true id.

        Raises ``SessionCorruptedError`` when it is invalid, or the session of another key.
        """
        check_kind("found", found, StoredObject)
        session = self._reader.parse(found)
        try:
            if isinstance(found, SnapshotSession):
                is_its_own = session.id == found.id
            else:
                is_its_own = self._keys.is_key_of(session.id, found.info.key)
        except InvalidSessionIdError:
            is_its_own = False
        if not is_its_own:
            raise SessionCorruptedError(
                found.info.key, f"it contains the id {shorten(session.id)}, which has another key"
            )
        return session

    async def get_part(self, name: str, session: StoredObject | str) -> StoredObject | None:
        """The object of a part, one of ``JSON_PARTS``, valid or not. Raises ``SessionTooLargeError``.

        ``session`` is the object of its session, or the encoded id of a session that does not exist.
        """
        key = self._part_key(name, session if isinstance(session, str) else self.stem_of(session))
        if isinstance(session, SnapshotSession):
            return await self._v1.get_part(session, name)
        return await self._reader.get(key)

    def _part_key(self, name: str, stem: str) -> str:
        if name not in JSON_PARTS:
            raise InvalidArgumentError(f"name {name!r} is refused: it must be one of {', '.join(JSON_PARTS)}")
        check_text("stem", stem)
        key = self._keys.part_key(name, stem)
        check_key(key, "stem")
        return key

    async def get_valid_part(self, name: str, session: StoredObject) -> StoredObject | None:
        """The object of a part, as ``get_part`` returns it. Raises the errors of the part's load."""
        found = await self.get_part(name, session)
        if found is not None:
            self._parts.validate(name, found)
        return found

    def are_same(self, one: StoredObject, two: StoredObject) -> bool:
        """Whether two valid objects contain the same session, whatever the layout of their texts."""
        check_kind("one", one, StoredObject)
        check_kind("two", two, StoredObject)
        return self._reader.are_same(one, two)

    async def describe(self, id: str) -> dict[str, ObjectInfo]:
        """The objects of a session by name: ``session``, its parts, and ``file`` and the name of each file. Reads no body."""
        if self._v1.come_first and (snapshot := await self._v1.head(id)):
            return {"session": snapshot}
        keys = await self._legacy.current_keys(id)
        names = ("session", *JSON_PARTS)
        infos = await gather([partial(self._bucket.head, getattr(keys, name)) for name in names])
        found = {name: info for name, info in zip(names, infos, strict=True) if info is not None}
        for info in await list_objects(self._bucket, self._keys.of_session(id).files):
            found[f"file {self._keys.of_session(id).file_name(info.key)}"] = info
        if "session" not in found and (snapshot := await self._v1.head(id)):
            found["session"] = snapshot
        return found

    async def true_id(self, listed: str) -> str | None:
        """The id inside a session that a listing shows under its legacy name; None when ``listed`` is no legacy name."""
        key = self._keys.of_session(listed).session
        found = await self._reader.get(key)
        inside = inner_id(found.body) if found else None
        return inside if isinstance(inside, str) and self._keys.is_legacy_key(inside, key) else None

    async def inventory(self, prefix: str = "") -> Inventory:
        """The sessions whose ids start with ``prefix``, and the parts of each, from listings alone."""
        start = self._keys.id_prefix(prefix)
        found = Inventory(start.removeprefix(self._keys.root))
        async for page in list_pages(self._bucket, start, delimiter="/"):
            found.folders.update(folder.removeprefix(self._keys.root)[:-1] for folder in page.folders)
            for info in page.objects:
                if self._keys.session_id(info.key) is not None:
                    found.sessions[self._keys.stem(info.key)] = info
        await gather([partial(self._add_parts, found, start) for start in self._keys.part_prefixes(prefix)])
        if prefix or "v1" in found.folders:
            await self._add_snapshots(found, prefix)
        return found

    async def _add_snapshots(self, found: Inventory, prefix: str) -> None:
        for info in await self._v1.rows(prefix):
            stem = self._keys.stem(info.key)
            if self._v1.come_first or stem not in found.sessions:
                found.sessions[stem] = info

    async def _add_parts(self, found: Inventory, start: str) -> None:
        async for page in list_pages(self._bucket, start):
            for info in page.objects:
                name, stem = self._keys.part(info.key)
                if name in found.parts:
                    found.parts[name][stem] = info.version

    def ids(self, inventory: Inventory) -> list[str]:
        """The ids in an inventory, sorted by key."""
        check_kind("inventory", inventory, Inventory)
        keys = sorted(info.key for info in inventory.sessions.values())
        ids = map(self._keys.session_id, keys)
        return [id for id in ids if id is not None]

    async def checkpoints(self) -> list[ObjectInfo]:
        """The checkpoints that a3s-code keeps by run or workflow, with keys relative to the store."""
        found = await gather(
            [partial(list_objects, self._bucket, folder) for folder in self._keys.checkpoint_folders]
        )
        root = self._keys.root
        return [info._replace(key=info.key.removeprefix(root)) for infos in found for info in infos]

    async def get_checkpoint(self, key: str) -> StoredObject | None:
        """The object at a key that ``checkpoints`` returned. Raises ``SessionTooLargeError``."""
        check_key(key)
        return await self._reader.get(self._keys.root + key)

    async def put_checkpoint(self, key: str, body: bytes, *, overwrite: bool) -> None:
        """Write a checkpoint where none is, or with ``overwrite`` in any case. Raises ``SessionConflictError``."""
        check_key(key)
        check_body(body)
        await self._writer.write_copied_part(key, self._keys.root + key, body, overwrite=overwrite)

    def stem(self, id: str) -> str:
        """The encoded id. Raises ``InvalidSessionIdError``."""
        return self._keys.of_session(id).stem

    def stem_of(self, found: StoredObject) -> str:
        """The encoded id, or the legacy name, in the key of a session's object."""
        check_kind("found", found, StoredObject)
        if isinstance(found, SnapshotSession):
            return self.stem(found.id)
        return self._keys.stem(found.info.key)

    def is_new(self, id: str, inventory: Inventory) -> bool:
        """Whether the inventory proves that the session does not exist, under either name."""
        check_kind("inventory", inventory, Inventory)
        self._keys.of_session(id)
        legacy = self._keys.legacy_keys(id)
        return inventory.lacks_session(self.stem(id)) and (
            legacy is None or inventory.lacks_session(legacy.stem)
        )

    async def put(
        self,
        id: str,
        body: bytes,
        *,
        overwrite: bool,
        is_new: bool = False,
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> None:
        """Write a session's body as ``save`` writes a session from another store; in one request if it ``is_new``.

        The object gets the summary of the session, which may be in the ``metadata`` of the object that the body comes from.
        Raises ``SessionConflictError`` when the session exists; nothing was written then.
        """
        check_body(body)
        check_kind("metadata", metadata, Mapping)
        summary = self._entries.of_copy(body, metadata)
        await self._writer.write_copied_session(id, body, overwrite=overwrite, is_new=is_new, summary=summary)

    async def put_part(self, id: str, name: str, stem: str, body: bytes, *, overwrite: bool) -> None:
        """Write a part where none is, or with ``overwrite`` in any case. Raises ``SessionConflictError``.

        ``stem`` is the encoded id or the legacy name of the session in this store.
        """
        check_body(body)
        key = self._part_key(name, stem)
        await self._writer.write_copied_part(id, key, body, overwrite=overwrite)
