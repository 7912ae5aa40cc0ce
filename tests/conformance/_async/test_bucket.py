"""The port: every kind of bucket runs the suite that the kit has for a user's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from conformance._async.conftest import Opener
from conformance.locations import AZURITE, FILE, SEAWEEDFS
from sessionbucket import AsyncBucket
from sessionbucket.testing.conformance import AsyncBucketConformance

OF_ORDER = (
    "test_rows_come_in_the_order_of_their_utf8_bytes",
    "test_pages_of_any_size_have_every_row_once_and_in_order",
    "test_a_listing_starts_after_any_row_or_key",
    "test_a_folder_that_ends_at_or_before_the_start_is_not_a_row",
)
CANNOT_HOLD = {
    **{
        (SEAWEEDFS, test): "SeaweedFS sorts a folder by its name without the slash, so rows differ from S3's"
        for test in OF_ORDER
    },
    **{
        (AZURITE, test): "Azurite sorts by UTF-16, as JavaScript does; the store's own keys are ASCII"
        for test in OF_ORDER
    },
    (AZURITE, "test_more_than_a_thousand_keys_are_listed_and_deleted"): "Azurite takes ten seconds for it",
}


class TestBucket(AsyncBucketConformance):
    opener: Opener

    @pytest.fixture
    def bucket_factory(self, request: pytest.FixtureRequest, opener: Opener) -> Callable[[], AsyncBucket]:
        if reason := CANNOT_HOLD.get((opener.location.kind, request.node.originalname)):
            pytest.skip(reason)
        self.opener = opener
        self.keeps_content_type = self.keeps_metadata = opener.location.kind != FILE
        self.race_rounds = 3 if opener.location.raw else 10
        return opener.bucket

    @pytest.fixture
    def bucket_prefix(self, opener: Opener) -> str:
        return opener.location.key("")

    async def fill(self, keys: Sequence[str]) -> None:
        await self.opener.fill([key.removeprefix(self.prefix) for key in keys])
