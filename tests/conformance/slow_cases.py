"""The cases that `make test` leaves to `make test-all`, where a test itself cannot be marked: one kind of location, or a test of the kit.

Each has a smaller case, or the same one on another kind, in the fast run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.locations import (
    ENGINES,
    FILE,
    MEMORY,
    MOTO,
    OBSTORE,
    ON_AZURE,
    ON_SEAWEEDFS,
    OTHER_SERVERS,
    SEAWEEDFS,
    VERSIONED,
    WITHOUT_SERVER,
)
from sessionbucket.testing._sync.conformance.versions import VersionTests
from sessionbucket.testing.conformance import BucketConformance, StoreConformance

ON_SERVERS = {*ENGINES, ON_AZURE} - {*WITHOUT_SERVER}
LARGE = 10 << 20
RACES = (
    "test_of_writers_who_create_one_key_at_once_one_wins",
    "test_of_writers_who_replace_one_version_at_once_one_wins",
    "test_no_change_is_lost_when_writers_repeat_theirs_until_accepted",
)
STORE_RACES = (
    "test_of_saves_of_one_version_at_once_one_wins",
    "test_of_creates_at_once_one_wins",
    "test_several_overwrites_at_once_leave_one_of_them_whole",
)
UPDATES = "test_no_turn_is_lost_when_several_writers_update_at_once"
LONG_LISTING = "test_more_than_a_thousand_keys_are_listed_and_deleted"
STREAM = "test_a_stream_comes_back_as_it_was_put"

assert all(hasattr(BucketConformance, name) for name in (*RACES, LONG_LISTING, STREAM))
assert all(hasattr(StoreConformance, name) for name in (*STORE_RACES, UPDATES))


LEFT_TO_THE_SLOW_RUN: dict[str, tuple[str, ...]] = {
    "sync": (MEMORY, SEAWEEDFS, f"{MOTO}+{OBSTORE}"),
    "async": (FILE, MOTO, f"{SEAWEEDFS}+{OBSTORE}", ON_AZURE),
}
"""The fast run tests each side on one bucket without a server, and each of its engines on one server. These are the other combinations."""
SMALL_MODULES = ("test_bucket", "test_store")
"""The suites of the kit over plain buckets, which run on both buckets without a server."""


def is_slow(module: str, test: str, side: str, values: Mapping[str, Any]) -> bool:  # noqa: C901, PLR0912 (a table)
    """Whether the case of a test of a side, with these values of its parameters, is slow."""
    location = values.get("location")
    if location in (*OTHER_SERVERS, VERSIONED[-1]) or (
        location in LEFT_TO_THE_SLOW_RUN.get(side, ())
        and not (module in SMALL_MODULES and location in WITHOUT_SERVER)
    ):
        return True
    if location == ON_AZURE and module != "test_bucket":
        return True
    if module in ("test_encryption", "test_wrappers") and location in ON_SERVERS - {SEAWEEDFS}:
        return True
    if module in ("test_bucket_versions", "test_encryption"):
        return _is_slow_again(module, test, location)
    match module, test:
        case "test_erasure" | "test_history", _ if location in VERSIONED[1:]:
            # One side on each server; both sides run in memory.
            slow = (
                values["side"] != ("async" if location == VERSIONED[1] else "sync") or "object_lock" in test
            )
        case "test_bucket" | "test_wrappers", _ if test == STREAM:
            slow = location in ON_SERVERS and values["size"] > LARGE  # test_bucket_streams has several parts
        case "test_wrappers", _ if test in (*RACES, LONG_LISTING):
            slow = location in ON_SEAWEEDFS  # a wrapper takes no part in them
        case "test_bucket", _ if test in RACES:  # SeaweedFS makes the writers of a race wait for seconds
            slow = location in ON_SEAWEEDFS and (values.get("shared", False) or location != SEAWEEDFS)
        case "test_store", _ if test in STORE_RACES:
            slow = location in ON_SEAWEEDFS and location != SEAWEEDFS  # as above
        case "test_store" | "test_documents", _ if test in (UPDATES, "test_concurrent_updates_are_all_kept"):
            slow = location in ON_SEAWEEDFS  # as above
        case "test_store" | "test_listing" | "test_load_many" | "test_parallel_listing", _:
            slow = location in ON_SERVERS and location not in ON_SEAWEEDFS
        case "test_append_log", _:
            slow = location in ON_SERVERS and location != SEAWEEDFS
        case "test_documents", "test_more_documents_than_a_page_of_the_server_are_listed_and_deleted":
            slow = location in ON_SERVERS and location != SEAWEEDFS
        case "test_legacy_names" | "test_sessions" | "test_fork" | "test_presigned_urls", _:
            slow = location in (ON_SERVERS | {*VERSIONED[1:]}) and location not in ON_SEAWEEDFS
        case "test_versioned_deletes", _:
            slow = location != VERSIONED[0]
        case "test_bucket_listing", "test_more_than_a_thousand_rows_take_pages_of_a_thousand":
            slow = location == ON_AZURE  # Azurite takes seconds for the puts
        case "test_parallel_listing" | "test_listing", (
            "test_a_parallel_listing_returns_the_sessions_of_the_plain_one_in_order"
            | "test_thousands_of_sessions_are_listed"
        ):
            slow = location == f"{MOTO}+{OBSTORE}"  # for each listing moto scans every key
        case _:
            slow = False
    return slow


def _is_slow_again(module: str, test: str, location: Any) -> bool:
    """The same for a module that runs the suites of the kit once more, where most rules involve no server."""
    if module == "test_bucket_versions":
        return location != VERSIONED[0] and not hasattr(VersionTests, test)
    of_kit = hasattr(BucketConformance, test) or hasattr(StoreConformance, test)
    rare = (*RACES, *STORE_RACES, UPDATES, STREAM)
    return of_kit and (
        test == LONG_LISTING
        or location == f"{SEAWEEDFS}+{OBSTORE}"
        or (location == SEAWEEDFS and test in rare)
    )
