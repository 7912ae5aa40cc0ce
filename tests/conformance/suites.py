"""The suites of the kit over one location: buckets with a faster ``fill``, and without the tests that a server cannot pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from both_sides import SyncSide
from conformance.conftest import NATIVE_ASYNC, Clients, Opener
from conformance.locations import AZURITE, CEPH, MEMORY, SEAWEEDFS, Location
from sessionbucket import AsyncBucket, Bucket
from sessionbucket.testing.conformance import AsyncBucketConformance, BucketConformance

ORDER = (
    "test_rows_come_in_the_order_of_their_utf8_bytes",
    "test_pages_of_any_size_have_every_row_once_and_in_order",
    "test_a_listing_starts_after_any_row_or_key",
    "test_a_folder_that_ends_at_or_before_the_start_is_not_a_row",
)
REPLACEMENTS = (
    "test_of_writers_who_replace_one_version_at_once_one_wins",
    "test_no_change_is_lost_when_writers_repeat_theirs_until_accepted",
)
CANNOT_PASS = {
    **{
        (CEPH, test): "Ceph responds 500 to some writers who lose, which a store resolves (test_ceph)"
        for test in REPLACEMENTS
    },
    **{
        (SEAWEEDFS, test): "SeaweedFS sorts a folder by its name without the slash, so rows differ from S3's"
        for test in ORDER
    },
    **{
        (AZURITE, test): "Azurite sorts by UTF-16, as JavaScript does; the store's own keys are ASCII"
        for test in ORDER
    },
    (AZURITE, "test_more_than_a_thousand_keys_are_listed_and_deleted"): "Azurite takes ten seconds for it",
}


def skip_unless_possible(request: pytest.FixtureRequest, location: Location) -> None:
    if reason := CANNOT_PASS.get((location.kind, request.node.originalname)):
        pytest.skip(reason)


class BucketSuite(BucketConformance):
    opener: Opener
    rounds_on_a_server = 3

    def wrapped(self, bucket: Bucket) -> Bucket:
        """The bucket under test, over the bucket of the location."""
        return bucket

    @pytest.fixture
    def bucket_factory(
        self,
        request: pytest.FixtureRequest,
        location: Location,
        sides: dict[str, SyncSide],
        clients: Clients,
    ) -> Callable[[], Bucket]:
        skip_unless_possible(request, location)
        self.race_rounds = self.rounds_on_a_server if location.raw else 10
        self.opener = Opener(sides["sync"], location, clients)
        return lambda: self.wrapped(self.opener.bucket())

    @pytest.fixture
    def bucket_prefix(self, location: Location) -> str:
        return location.key("")

    def fill(self, keys: Sequence[str]) -> None:
        self.opener.fill([key.removeprefix(self.prefix) for key in keys])


@pytest.mark.asyncio(loop_scope="module")
class AsyncBucketSuite(AsyncBucketConformance):
    location: Location
    rounds_on_a_server = 3

    def wrapped(self, bucket: AsyncBucket) -> AsyncBucket:
        """The bucket under test, over the bucket of the location."""
        return bucket

    @pytest.fixture
    def bucket_factory(
        self, request: pytest.FixtureRequest, location: Location, native_clients: Clients
    ) -> Callable[[], AsyncBucket]:
        skip_unless_possible(request, location)
        self.race_rounds = self.rounds_on_a_server if location.raw else 10
        self.location = location
        opener = Opener(NATIVE_ASYNC, location, native_clients)
        return lambda: self.wrapped(opener.bucket())

    @pytest.fixture
    def bucket_prefix(self, location: Location) -> str:
        return location.key("")

    async def fill(self, keys: Sequence[str]) -> None:
        if self.location.kind == MEMORY:
            await super().fill(keys)
        else:
            self.location.fill([key.removeprefix(self.prefix) for key in keys])
