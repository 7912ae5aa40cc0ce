"""The suites bite: a right backend passes, and of one that is wrong in one way they name the fault, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from filelock import FileLock

from conformance.locations import environment

SUBJECTS = Path(__file__).with_name("subjects.py")
PROJECT = SUBJECTS.parents[2]

RACES = {
    "test_of_writers_who_create_one_key_at_once_one_wins": "who created one key at the same time [2-4] were told they won: put "
    "with Absent is not atomic",
    "test_of_writers_who_replace_one_version_at_once_one_wins": "who replaced one version at the same time [2-4] were told "
    "they won: put with Match is not atomic",
    "test_no_change_is_lost_when_writers_repeat_theirs_until_it_is_taken": "updates were lost",
}
MATCH_CREATES = {
    "test_match_on_a_missing_key_puts_nothing": r"the condition was ignored: put with Match\(\) on a key that was deleted",
    "test_a_refused_put_of_a_new_key_leaves_nothing_behind": r"the condition was ignored: put with Match\(\) on a key that never",
}
WRONG_BUCKETS = {
    "NotAtomic": RACES,
    "IgnoresConditions": {
        **MATCH_CREATES,
        "test_absent_puts_a_new_key_only": r"the condition was ignored: put with Absent\(\) over an object that is there",
        "test_match_replaces_that_version_only": r"the condition was ignored: put with Match\(\) of a version that was replaced",
        "test_of_writers_who_create_one_key_at_once_one_wins": "4 were told they won: put with Absent is not atomic",
        "test_of_writers_who_replace_one_version_at_once_one_wins": "4 were told they won: put with Match is not atomic",
        "test_no_change_is_lost_when_writers_repeat_theirs_until_it_is_taken": "updates were lost",
    },
    "TakesMatchForAbsent": MATCH_CREATES,
    "ListsUnsorted": {
        "test_rows_come_in_the_order_of_their_utf8_bytes": "list_page is not sorted: it gave .* before"
    },
    "SortsByUtf16": {
        "test_rows_come_in_the_order_of_their_utf8_bytes": r"it gave '.*\.json' before '.*\.json'; rows must come in the order "
        "of their UTF-8 bytes"
    },
    "ListsTheStartAgain": {
        "test_a_listing_starts_after_any_row_or_key": "must leave out the rows up to and including it",
        "test_a_folder_that_ends_at_or_before_the_start_is_not_a_row": "",
        "test_pages_of_any_size_have_every_row_once_and_in_order": "a page of limit=. has . rows",
        "test_more_than_a_thousand_keys_are_listed_and_deleted": "more than once",
    },
    "LosesTheContentType": {
        "test_the_content_type_comes_back_where_the_bucket_keeps_any": "the content type was lost.*keeps_content_type = False",
        "test_a_streams_content_type_comes_back_where_the_bucket_keeps_any": "the content type was lost",
    },
    "LosesTheMetadata": {
        "test_metadata_comes_back_where_the_bucket_keeps_any_and_goes_with_the_next_put": "the metadata was lost"
    },
    "HeadIsStale": {
        "test_put_get_head_and_a_listing_agree_on_the_version_after_every_put": "head gave a stale version: put gave",
        "test_another_bucket_object_sees_every_change_at_once": "a head after a put must give its version",
        "test_a_stream_replaces_the_object_that_was_there": "must give the object another version",
    },
    "IgnoresTheLimit": {"test_a_body_over_the_limit_is_refused_with_its_size": "max_bytes is ignored"},
    "DeletesTooMuch": {
        "test_a_delete_takes_the_named_keys_and_no_others": "delete of 'a.json' took others with it"
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
    "test_of_saves_of_one_version_at_once_one_wins": "saved a version at the same time [2-4] were told they won: save is not "
    "atomic",
    "test_of_creates_at_once_one_wins": "saved an id at the same time [2-4] were told they won: save is not atomic",
    "test_no_turn_is_lost_when_several_writers_update_at_once": "turns were lost: 4 writers made 20 updates",
}
WRONG_STORES = {
    "RemembersByTheId": STALE_SAVES,
    "ComparesAndThenWrites": LOST_RACES,
    "LastSaveWins": {
        **STALE_SAVES,
        **LOST_RACES,
        "test_a_save_of_a_session_that_another_store_has_changed_is_a_conflict": "was changed since it was loaded",
        "test_a_save_of_a_session_that_was_deleted_is_a_conflict": "was deleted since it was loaded",
        "test_a_session_that_was_deleted_and_made_again_is_another": "was deleted and made again",
        "test_an_update_starts_over_when_another_writer_was_faster": "an update was lost: another writer saved between",
    },
    "CountsItsVersions": {
        "test_a_session_that_was_deleted_and_made_again_is_another": "a version may not come again"
    },
    "DropsUnknownMembers": {
        "test_members_that_the_model_does_not_know_survive": "a member that the model does not know was lost"
    },
}


@dataclass
class Result:
    """What became of the tests of one class."""

    passed: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The report of one run of pytest over all subjects, which the workers of pytest-xdist share."""
    folder = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):
        folder = folder.parent
    report = folder / "subjects.xml"
    with FileLock(folder / "subjects.lock"):
        if not report.exists():
            options = ["-n0", "-pno:cacheprovider", "-oaddopts=", "-q", f"--junitxml={report}"]
            command = [sys.executable, "-m", "pytest", *options, str(SUBJECTS)]
            ran = subprocess.run(
                command, env=environment(), cwd=PROJECT, capture_output=True, text=True, check=False
            )
            assert ran.returncode == pytest.ExitCode.TESTS_FAILED, ran.stdout[-2000:] + ran.stderr[-2000:]
    return report


@pytest.fixture(scope="module")
def results(report: Path) -> dict[str, Result]:
    """The results of each subject's class."""
    results: dict[str, Result] = {}
    for case in ET.parse(report).iter("testcase"):
        result = results.setdefault(case.get("classname", "").rpartition(".Test")[2], Result())
        name = case.get("name", "").partition("[")[0]
        assert case.find("error") is None, (case.get("classname"), name)
        failure = case.find("failure")
        if failure is None:
            result.passed.add(name)
        else:
            result.failed[name] = failure.get("message", "").replace("\n", " ")
    return results


@pytest.mark.parametrize("subject", ["SqliteBucket", "SqliteStore"])
def test_a_right_backend_passes(results: dict[str, Result], subject: str):
    assert results[subject].failed == {}
    assert len(results[subject].passed) > 25


def assert_faults(result: Result, faults: dict[str, str]) -> None:
    assert result.failed.keys() == faults.keys()
    for name, words in faults.items():
        assert re.search(words, result.failed[name]), (name, result.failed[name])
    assert len(result.passed) > 20


@pytest.mark.parametrize("side", ["", "Async"], ids=["sync", "async"])
@pytest.mark.parametrize("subject", WRONG_BUCKETS)
def test_of_a_wrong_bucket_the_suite_names_the_fault(results: dict[str, Result], subject: str, side: str):
    assert_faults(results[side + subject], WRONG_BUCKETS[subject])


def test_writers_who_meet_by_chance_alone_are_found(results: dict[str, Result]):
    """The bucket compares in one transaction and writes in the next, without a pause."""
    result = results["ComparesAndThenWritesBucket"]
    assert result.failed
    assert_faults(result, {name: RACES[name] for name in result.failed})


@pytest.mark.parametrize("subject", WRONG_STORES)
def test_of_a_wrong_store_the_suite_names_the_fault(results: dict[str, Result], subject: str):
    assert_faults(results[f"{subject}Store"], WRONG_STORES[subject])


def test_every_wrong_backend_is_looked_at(results: dict[str, Result]):
    expected = {
        "SqliteBucket",
        "SqliteStore",
        "ComparesAndThenWritesBucket",
        *WRONG_BUCKETS,
        *(f"Async{name}" for name in WRONG_BUCKETS),
        *(f"{name}Store" for name in WRONG_STORES),
    }
    assert results.keys() == expected
