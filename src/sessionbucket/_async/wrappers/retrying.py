"""A bucket that retries the requests to another bucket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sessionbucket._async.request_retries import send_with_retries
from sessionbucket._async.wrappers.base import AsyncBucketWrapper
from sessionbucket._core.objects import Always, BucketCall

T = TypeVar("T")


class AsyncRetryingBucket(AsyncBucketWrapper):
    """Retries every request that may be done twice without harm, as ``capabilities.retry`` says.

    It sends a conditional put once, since ``documents`` resolves its outcome, and an upload once, since its chunks cannot be read
    twice.
    """

    async def request(self, call: BucketCall, send: Callable[[], Awaitable[T]]) -> T:
        is_conditional_put = call.operation == "put" and not isinstance(call.condition, Always)
        if is_conditional_put or call.operation == "put_stream":
            return await send()
        return await send_with_retries(send, self.capabilities.retry)
