"""The suites find faults: a correct backend passes, and of a backend with one fault only the tests of that fault fail."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from testing import subjects

RACES = {
    "test_of_writers_who_create_one_key_at_once_one_wins": "who created one key at the same time [2-4] won: put with IfAbsent is not "
    "atomic",
    "test_of_writers_who_replace_one_version_at_once_one_wins": "who replaced one version at the same time [2-4] won: put "
    "with IfMatch is not atomic",
    "test_no_change_is_lost_when_writers_repeat_theirs_until_accepted": "updates were lost",
}
MATCH_CREATES = {
    "test_if_match_on_a_missing_key_puts_nothing": r"the condition was ignored: put with IfMatch\(\) on a key that was deleted",
    "test_a_refused_put_of_a_new_key_leaves_nothing_behind": r"the condition was ignored: put with IfMatch\(\) on a key that never",
}
WRONG_BUCKETS = {
    "NotAtomic": RACES,
    "IgnoresConditions": {
        **MATCH_CREATES,
        "test_if_absent_puts_a_new_key_only": r"the condition was ignored: put with IfAbsent\(\) over an existing object",
        "test_if_match_replaces_that_version_only": r"the condition was ignored: put with IfMatch\(\) of a version that was replaced",
        "test_of_writers_who_create_one_key_at_once_one_wins": "4 won: put with IfAbsent is not atomic",
        "test_of_writers_who_replace_one_version_at_once_one_wins": "4 won: put with IfMatch is not atomic",
        "test_no_change_is_lost_when_writers_repeat_theirs_until_accepted": "updates were lost",
    },
    "TreatsMatchAsAbsent": MATCH_CREATES,
    "ListsUnsorted": {
        "test_rows_come_in_the_order_of_their_utf8_bytes": "list_page is not sorted: it returned .* before"
    },
    "SortsByUtf16": {
        "test_rows_come_in_the_order_of_their_utf8_bytes": r"it returned '.*\.json' before '.*\.json'; rows must come in the order "
        "of their UTF-8 bytes"
    },
    "ListsTheStartAgain": {
        "test_a_listing_starts_after_any_row_or_key": "must leave out the rows up to and including it",
        "test_a_folder_that_ends_at_or_before_the_start_is_not_a_row": "",
        "test_pages_of_any_size_have_every_row_once_and_in_order": "a page of limit=. has . rows",
        "test_more_than_a_thousand_keys_are_listed_and_deleted": "more than once",
    },
    "LosesTheContentType": {
        "test_the_content_type_comes_back_where_the_bucket_keeps_any": "the content type was lost.*keeps_metadata=False",
        "test_a_streams_content_type_comes_back_where_the_bucket_keeps_any": "the content type was lost",
    },
    "LosesTheMetadata": {
        "test_metadata_comes_back_where_the_bucket_keeps_any_and_goes_with_the_next_put": "the metadata was lost"
    },
    "HeadIsStale": {
        "test_put_get_head_and_a_listing_agree_on_the_version_after_every_put": "head returned a stale version: put returned",
        "test_another_bucket_object_sees_every_change_at_once": "a head after a put must return its version",
        "test_a_stream_replaces_the_object": "put_stream must .* another version",
    },
    "IgnoresTheLimit": {
        "test_a_body_over_the_limit_is_refused_with_its_size": "max_bytes is ignored",
        "test_the_first_bytes_come_alone_and_with_the_whole_size": "max_bytes is ignored: 4 bytes were given",
    },
    "IgnoresFirst": {
        "test_the_first_bytes_come_alone_and_with_the_whole_size": "get with first=1 must return b'0', not b'0123456789'",
        "test_many_first_bytes_come_whole": "get with first=200001 must return 200001 bytes, not 512000",
    },
    "CutsFirst": {"test_many_first_bytes_come_whole": "must return 200001 bytes, not 65536"},
    "CopiesTheBodyAlone": {
        "test_a_copy_replaces_the_target_and_keeps_the_source": "a copy must have the content type and the metadata of its source"
    },
    "CopiesAMissingKey": {
        "test_a_copy_to_itself_leaves_the_object": "copy of a missing key must return False",
        "test_a_copy_of_a_missing_key_changes_nothing": "copy of a missing key must return False",
    },
    "TakesTheStartForAFolder": {
        "test_a_start_that_ends_in_a_slash_is_before_every_key_of_that_folder": "a start that ends in a slash leaves out no key",
        "test_a_listing_starts_after_any_row_or_key": "must leave out the rows up to and including it",
    },
    "DeletesTooMuch": {
        "test_a_delete_takes_the_named_keys_and_no_others": "delete of 'a.json' took others with it"
    },
    "ListsTheOldestVersionFirst": {
        "test_every_put_keeps_the_version_before_it": "versions must come newest first",
    },
    "ErasesTheKey": {
        "test_erase_takes_the_named_versions_and_no_others": "",
        "test_a_delete_keeps_the_versions_and_erase_brings_them_back": "without the delete marker the object must be back",
    },
    "ReadsTheCurrentVersion": {
        "test_every_put_keeps_the_version_before_it": "each with its body",
    },
    "KeepsHalfAStream": {
        "test_a_stream_that_raises_leaves_the_old_object_and_nothing_behind": "must leave nothing behind"
    },
}

STALE_SAVES = {
    "test_a_new_session_replaces_nothing": "a save of a new session over one that exists must raise SessionConflictError",
    "test_a_new_session_replaces_nothing_in_a_store_that_has_loaded_the_old_one": "though this store has loaded it",
    "test_two_copies_in_one_store_are_two_sessions": "what was seen belongs to the session, not to its id",
    "test_a_conflict_repeats_itself_until_the_session_is_loaded_again": "was changed since it was loaded",
}
LOST_RACES = {
    "test_of_saves_of_one_version_at_once_one_wins": "saved a version at the same time [2-4] won: save is not atomic",
    "test_of_creates_at_once_one_wins": "saved an id at the same time [2-4] won: save is not atomic",
    "test_no_turn_is_lost_when_several_writers_update_at_once": "turns were lost: 4 writers made 20 updates",
}
WRONG_STORES = {
    "RemembersById": STALE_SAVES,
    "ComparesAndThenWrites": LOST_RACES,
    "LastSaveWins": {
        **STALE_SAVES,
        **LOST_RACES,
        "test_a_save_of_a_session_that_another_store_has_changed_is_a_conflict": "was changed since it was loaded",
        "test_a_save_of_a_session_that_was_deleted_is_a_conflict": "was deleted since it was loaded",
        "test_a_session_that_was_deleted_and_made_again_is_another": "was deleted and made again",
        "test_an_update_starts_over_when_another_writer_was_faster": "an update was lost: another writer saved between",
    },
    "CountsVersions": {
        "test_a_session_that_was_deleted_and_made_again_is_another": "a version may not come again"
    },
    "DropsUnknownMembers": {"test_unknown_members_survive": "an unknown member was lost"},
}


@dataclass
class Result:
    """The passed and failed tests of one class, the failed ones with their messages."""

    passed: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def run_suite(pytester: pytest.Pytester) -> Callable[[str], Result]:
    """Runs the class of ``subjects`` for a subject."""

    def run(subject: str) -> Result:
        pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
        pytester.makepyfile(f"from testing.subjects import Test{subject}")
        # Without the largest streams, which find the same faults as the others.
        record = pytester.inline_run("-pno:cacheprovider", "-q", "-knot 20971525")
        result = Result()
        for report in record.getreports("pytest_runtest_logreport"):
            name = report.location[2].rpartition(".")[2].partition("[")[0]
            if report.when == "call" and report.passed:
                result.passed.add(name)
            elif report.failed:
                assert report.when == "call", report.longreprtext
                result.failed[name] = report.longrepr.reprcrash.message.replace("\n", " ")
        return result

    return run


@pytest.mark.parametrize("subject", ["SqliteBucket", pytest.param("SqliteStore", marks=pytest.mark.slow)])
def test_a_correct_backend_passes(run_suite: Callable[[str], Result], subject: str):
    result = run_suite(subject)
    assert result.failed == {}
    assert len(result.passed) > 25


def assert_only_these_fail(result: Result, faults: dict[str, str]) -> None:
    assert result.failed.keys() == faults.keys()
    for name, words in faults.items():
        assert re.search(words, result.failed[name]), (name, result.failed[name])
    assert len(result.passed) > 20


@pytest.mark.slow
@pytest.mark.parametrize("side", ["", "Async"], ids=["sync", "async"])
@pytest.mark.parametrize("subject", WRONG_BUCKETS)
def test_only_the_tests_of_its_fault_fail_on_a_wrong_bucket(
    run_suite: Callable[[str], Result], subject: str, side: str
):
    assert_only_these_fail(run_suite(side + subject), WRONG_BUCKETS[subject])


@pytest.mark.slow
def test_a_race_without_a_pause_is_found(run_suite: Callable[[str], Result]):
    """The bucket compares in one transaction and writes in the next."""
    result = run_suite("ComparesAndThenWritesBucket")
    assert result.failed
    assert_only_these_fail(result, {name: RACES[name] for name in result.failed})


@pytest.mark.slow
@pytest.mark.parametrize("subject", WRONG_STORES)
def test_only_the_tests_of_its_fault_fail_on_a_wrong_store(run_suite: Callable[[str], Result], subject: str):
    assert_only_these_fail(run_suite(f"{subject}Store"), WRONG_STORES[subject])


def test_every_backend_is_checked():
    expected = {
        "SqliteBucket",
        "SqliteStore",
        "ComparesAndThenWritesBucket",
        *WRONG_BUCKETS,
        *(f"Async{name}" for name in WRONG_BUCKETS),
        *(f"{name}Store" for name in WRONG_STORES),
    }
    assert {name.removeprefix("Test") for name in vars(subjects) if name.startswith("Test")} == expected
