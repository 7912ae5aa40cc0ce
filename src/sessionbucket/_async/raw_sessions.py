"""Sessions and their parts as they lie in a store, byte for byte: for copies that alter nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sessionbucket._async.bucket_listing import pages
from sessionbucket._async.legacy_names import AsyncReferenceNames
from sessionbucket._async.session_writer import AsyncSessionWriter
from sessionbucket._async.wrappers.retrying import AsyncSteadyBucket
from sessionbucket._concurrency.asyncio_ import gather
from sessionbucket._core.inventory import Inventory
from sessionbucket._core.keys import Layout
from sessionbucket._core.objects import StoredObject


class AsyncSessionBodies:
    """Reads and writes the objects of sessions as they are; ``AsyncSessionStore.bodies``."""

    def __init__(
        self,
        bucket: AsyncSteadyBucket,
        layout: Layout,
        *,
        reference: AsyncReferenceNames,
        writer: AsyncSessionWriter,
        max_bytes: int,
        decode: Callable[[str, StoredObject], object],
    ) -> None:
        self._bucket = bucket
        self._layout = layout
        self._reference = reference
        self._writer = writer
        self._max_bytes = max_bytes
        self._decode = decode

    @property
    def are_conditional(self) -> bool:
        """Whether what is there is safe from writes of something new."""
        return self._bucket.conditional_writes != "off"

    async def inventory(self, prefix: str = "") -> Inventory:
        """What there is of the sessions whose ids start with ``prefix``, from listings alone."""
        start = self._layout.id_prefix(prefix)
        found = Inventory(start.removeprefix(self._layout.root))
        async for infos in pages(self._bucket, start, delimiter="/", limit=self._bucket.page_limit):
            sessions = [info for info in infos if self._layout.session_id(info.key) is not None]
            found.sessions.update((self._layout.stem(info.key), info) for info in sessions)
        folders = self._layout.part_prefixes(prefix)
        await gather([partial(self._note_parts, found, folder) for folder in folders])
        return found

    async def _note_parts(self, found: Inventory, folder: str) -> None:
        async for infos in pages(self._bucket, folder, limit=self._bucket.page_limit):
            for info in infos:
                name, stem = self._layout.part(info.key)
                if name in found.parts:
                    found.parts[name][stem] = info.version

    def ids(self, inventory: Inventory) -> list[str]:
        """The ids of its sessions, sorted by key."""
        ids = (self._layout.session_id(info.key) for info in inventory.sessions.values())
        return [id for id in ids if id is not None]

    def stem(self, id: str) -> str:
        """The encoded id. Raises ``InvalidSessionIdError``."""
        return self._layout.keys(id).stem

    def stem_of(self, found: StoredObject) -> str:
        """The encoded id, or a3s-code's name, under which a session was found."""
        return self._layout.stem(found.info.key)

    def is_new(self, id: str, inventory: Inventory) -> bool:
        """Whether it is known that the session was there neither under its own key nor under a3s-code's name."""
        reference = self._layout.reference_keys(id)
        return inventory.lacks_session(self.stem(id)) and (
            reference is None or inventory.lacks_session(reference.stem)
        )

    async def find(self, id: str) -> StoredObject | None:
        """The session's object, valid or not, under its own key or under a3s-code's name."""
        found = await self._bucket.get(self._layout.keys(id).session, max_bytes=self._max_bytes)
        if found is None and (at_reference_name := await self._reference.find(id)):
            found = at_reference_name[1]
        return found

    async def session(self, id: str) -> StoredObject | None:
        """The session's object, which holds what ``load`` would give. Raises what ``load`` raises."""
        found = await self.find(id)
        if found is not None:
            self._decode(id, found)
        return found

    async def part(self, name: str, stem: str) -> StoredObject | None:
        """The object of one of the ``JSON_PARTS``, as it is, valid or not.

        Raises ``SessionTooLargeError``.
        """
        return await self._bucket.get(self._layout.part_key(name, stem), max_bytes=self._max_bytes)

    async def put_session(self, id: str, body: bytes, *, overwrite: bool, is_new: bool) -> None:
        """Write a session's body as ``save`` writes a session from elsewhere; with ``is_new`` in one request.

        Raises ``SessionConflictError``, and nothing was written then, where the session is there already.
        """
        await self._writer.write_body(id, self._layout.keys(id), body, overwrite=overwrite, is_new=is_new)

    async def put_part(self, id: str, name: str, body: bytes, *, overwrite: bool) -> None:
        """Write a part where there is none, or with ``overwrite`` in any case. Raises ``SessionConflictError``."""
        key = self._layout.part_key(name, self.stem(id))
        await self._writer.write_part(id, key, body, overwrite=overwrite)
