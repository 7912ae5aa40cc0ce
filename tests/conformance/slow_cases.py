"""Which cases `make test` leaves to `make test-all`, and which combinations run nowhere, where a test itself cannot be marked.

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


OTHER_COMBINATIONS: dict[str, tuple[str, ...]] = {
    "sync": (MEMORY, SEAWEEDFS, f"{MOTO}+{OBSTORE}"),
    "async": (FILE, MOTO, f"{SEAWEEDFS}+{OBSTORE}"),
}
"""Each side runs on one bucket without a server, and each of its engines on one server. These are the other combinations."""
IN_EVERY_COMBINATION = ("test_bucket", "test_bucket_streams", "test_store")
"""The suites of the kit over plain buckets, and streams. Other modules run on each side and on each bucket, not in each combination."""
ABOVE_THE_PORT = ("test_append_log", "test_encryption", "test_wrappers")
"""The modules whose rules involve no server: the fast run has them without one."""
ON_ONE_SERVER = {
    f"test_{subject}"
    for subject in (
        "bucket_listing",
        "bucket_streams",
        "documents",
        "files",
        "fork",
        "legacy_names",
        "listing",
        "load_many",
        "parallel_listing",
        "presigned_urls",
        "sessions",
        "store",
    )
}
"""The modules that the fast run has on SeaweedFS alone, of all servers."""


def is_other_combination(module: str, side: str, values: Mapping[str, Any]) -> bool:
    """Whether the case is left out of both runs, if its test has another one on this side."""
    return module not in IN_EVERY_COMBINATION and values.get("location") in OTHER_COMBINATIONS.get(side, ())


def is_slow(module: str, test: str, side: str, values: Mapping[str, Any]) -> bool:
    """Whether the case of a test of a side, with these values of its parameters, is slow."""
    location = values.get("location")
    if location in (*OTHER_SERVERS, ON_AZURE, VERSIONED[-1]):
        return True
    if location in OTHER_COMBINATIONS.get(side, ()):
        return module not in ("test_bucket", "test_store") or location not in WITHOUT_SERVER
    if location in ON_SERVERS:
        return module in ABOVE_THE_PORT or _is_slow_on_a_server(module, test, location, values)
    match module, test:
        case "test_erasure" | "test_history", _ if location in VERSIONED[1:]:
            # The sync side on one server; both sides run in memory.
            slow = location != VERSIONED[1] or values["side"] != "sync" or "object_lock" in test
        case "test_fork" | "test_versioned_deletes", _:
            slow = location in VERSIONED[1:]
        case "test_bucket_versions", _:
            slow = location != VERSIONED[0] and not hasattr(VersionTests, test)
        case _:
            slow = module == "test_encryption" and test == LONG_LISTING
    return slow


def _is_slow_on_a_server(module: str, test: str, location: str, values: Mapping[str, Any]) -> bool:
    match module, test:
        case _ if module in ON_ONE_SERVER and location not in ON_SEAWEEDFS:
            slow = True
        case "test_bucket", _ if test == STREAM:
            slow = bool(values["size"] > LARGE)  # test_bucket_streams has several parts
        case "test_bucket", _ if test in RACES:  # SeaweedFS makes the writers of a race wait for seconds
            slow = location in ON_SEAWEEDFS and (values.get("shared", False) or location != SEAWEEDFS)
        case "test_store", _ if test in (*STORE_RACES, UPDATES):
            slow = location in ON_SEAWEEDFS  # as above
        case "test_documents", (
            "test_concurrent_updates_are_all_kept"
            | "test_more_documents_than_a_page_of_the_server_are_listed_and_deleted"
        ):
            slow = True  # as above, and thousands of puts
        case _:
            slow = False
    return slow
