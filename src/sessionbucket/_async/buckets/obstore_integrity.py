"""Bodies that obstore brings, held against their ETags."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta

from sessionbucket._backends.obstore.checksums import StreamChecksum, could_be_md5, is_md5_of
from sessionbucket._backends.obstore.clients import Stores
from sessionbucket._backends.obstore.errors import translated
from sessionbucket._backends.service_errors import DAMAGED
from sessionbucket._concurrency.asyncio_ import in_thread
from sessionbucket._core.body_checksum import has_seal, is_sealed
from sessionbucket._core.objects import ObjectInfo, StoredObject
from sessionbucket._core.store_url import Cloud
from sessionbucket.errors import StoreUnavailableError

_SOON = timedelta(minutes=1)
_ENCRYPTION = "x-amz-server-side-encryption"


class AsyncIntegrity:
    """What is known of one bucket's ETags, and what they say of its bodies."""

    def __init__(self, stores: Stores, cloud: Cloud, location: str) -> None:
        self._stores = stores
        self._location = location
        self._are_md5s: bool | None = None if cloud == "s3" else False

    def learn(self, body: bytes, version: str) -> None:
        """Take note of what the server made of a body: the first ETag that is its MD5 shows that they are."""
        if self._are_md5s is None and is_md5_of(body, version):
            self._are_md5s = True

    async def is_whole(self, found: StoredObject) -> bool:
        """Whether the body is what was written; False where that can't be told before it is read again.

        Raises ``StoreUnavailableError`` for one that is not.
        """
        info = found.info
        if self._are_md5s is False or not could_be_md5(info.version):
            return True
        # A seal that fits tells as much, at a sixth of the cost, whatever the ETag is.
        if is_sealed(found):
            return True
        if is_md5_of(found.body, info.version):
            self._are_md5s = True
            return True
        if await self._made_by_kms(info.key):
            return True
        if self._are_md5s:
            raise self._damaged(info.key)
        return False

    def compare(self, found: StoredObject, again: StoredObject | None) -> None:
        """Judge what was read again. The same twice, without a seal, shows that the server's ETags are no MD5s.

        Raises ``StoreUnavailableError`` where neither is what was written.
        """
        if again is None or is_sealed(again) or is_md5_of(again.body, again.info.version):
            return
        if again.body != found.body or has_seal(again):
            raise self._damaged(found.info.key)
        self._are_md5s = False

    async def checked(
        self, info: ObjectInfo, chunks: AsyncGenerator[bytes, None]
    ) -> AsyncGenerator[bytes, None]:
        """The chunks, and at their end ``StoreUnavailableError`` where they are not what was written."""
        checksum = StreamChecksum(info.version, info.metadata)
        is_checked = self._are_md5s and checksum.can_tell
        try:
            async for chunk in chunks:
                if is_checked:
                    checksum.add(chunk)
                yield chunk
        finally:
            await chunks.aclose()
        if is_checked and not checksum.matches() and not await self._made_by_kms(info.key):
            raise self._damaged(info.key)

    async def _made_by_kms(self, key: str) -> bool:
        """Whether the object is encrypted with a key of KMS or the customer's, which its headers tell and obstore does not."""
        from obstore import sign  # noqa: PLC0415 (an extra)

        with translated(self._location, key):
            url = sign(self._stores.store(), "HEAD", key, _SOON)
            headers = await in_thread(_headers, url, self._stores.read_timeout)
        if "kms" not in headers.get(_ENCRYPTION, "") and f"{_ENCRYPTION}-customer-algorithm" not in headers:
            return False
        self._are_md5s = False
        return True

    def _damaged(self, key: str) -> StoreUnavailableError:
        """The error for a body that is not what was written."""
        return StoreUnavailableError(DAMAGED, location=self._location, key=key)


def _headers(url: str, timeout: float) -> dict[str, str]:
    from urllib.error import HTTPError  # noqa: PLC0415
    from urllib.request import Request, urlopen  # noqa: PLC0415 (loads all of HTTP)

    try:
        with urlopen(Request(url, method="HEAD"), timeout=timeout) as answer:  # noqa: S310 (obstore made the URL)
            return {name.lower(): value for name, value in answer.headers.items()}
    except HTTPError as refusal:
        refusal.close()
        raise
