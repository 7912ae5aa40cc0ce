# Generated from sessionbucket/_async/wrappers/retrying.py by scripts/generate_sync.py: do not edit.
"""A bucket that retries the requests to another bucket."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sessionbucket._core.objects import Always, BucketCall
from sessionbucket._sync.request_retries import send_with_retries
from sessionbucket._sync.wrappers.base import BucketWrapper

T = TypeVar("T")


class RetryingBucket(BucketWrapper):
    """Retries every request that may be done twice without harm, as ``capabilities.retry`` says.

    It sends a conditional put once, since ``documents`` resolves its outcome, and an upload once, since its chunks cannot be read
    twice.
    """

    def request(self, call: BucketCall, send: Callable[[], T]) -> T:
        is_conditional_put = call.operation == "put" and not isinstance(call.condition, Always)
        if is_conditional_put or call.operation == "put_stream":
            return send()
        return send_with_retries(send, self.capabilities.retry)
