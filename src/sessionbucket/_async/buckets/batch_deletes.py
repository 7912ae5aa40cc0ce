"""Deleting any number of keys: in batches if the server supports them, and one by one otherwise."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from sessionbucket._async.request_retries import send_with_retries
from sessionbucket._core.retry import NO_RETRY, RetryConfig
from sessionbucket.errors import DeleteIncompleteError, SessionBucketError

BATCH_LIMIT = 1000
"""The most keys of one DeleteObjects request."""


class AsyncBatchDeletes:
    """Deletes keys of one bucket."""

    def __init__(
        self,
        delete_batch: Callable[[Sequence[str]], Awaitable[dict[str, str] | None]],
        delete_one: Callable[[str], Awaitable[None]],
        *,
        has_batches: bool = True,
    ) -> None:
        """``delete_batch`` returns the remaining keys, each with the reason, or None when the server has no such request.

        ``delete_one`` raises when its key remains.
        """
        self._delete_batch = delete_batch
        self._delete_one = delete_one
        self._has_batches = has_batches

    async def delete(self, keys: Sequence[str], *, location: str, retry: RetryConfig) -> None:
        """Delete the keys. Raises ``DeleteIncompleteError`` with the remaining keys, and for one key the error itself."""
        remaining: dict[str, str] = {}
        for start in range(0, len(keys), BATCH_LIMIT):
            batch = keys[start : start + BATCH_LIMIT]
            failed = None
            if len(batch) > 1 and self._has_batches:
                failed = await self._delete_batch(batch)
                self._has_batches = failed is not None
            remaining |= await self._delete_singly(batch, retry) if failed is None else failed
        if remaining:
            reason = list(remaining.values())[-1]
            raise DeleteIncompleteError(list(remaining), location=location, reason=reason)

    async def _delete_singly(self, keys: Sequence[str], retry: RetryConfig) -> dict[str, str]:
        failed: dict[str, str] = {}
        for key in keys:
            try:
                # The store retries the delete of a single key, and no call that names remaining keys.
                await send_with_retries(partial(self._delete_one, key), retry if len(keys) > 1 else NO_RETRY)
            except SessionBucketError as error:
                if len(keys) == 1:
                    raise
                failed[key] = str(error)
        return failed
