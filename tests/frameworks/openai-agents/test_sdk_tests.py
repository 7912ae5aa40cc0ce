"""The SDK's own tests with `BucketSession` in the place of `SQLiteSession`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SDIST = os.environ.get("FRAMEWORK_SDIST", "")
HERE = Path(__file__).parent

# Every file of the SDK that has a test of SQLiteSession, and those of deferred and human-approved writes.
FILES = (
    "tests/memory/test_session.py",
    "tests/memory/test_session_limit.py",
    "tests/memory/test_compaction_suffix.py",
    "tests/memory/test_compaction_model_visibility.py",
    "tests/memory/test_openai_responses_compaction_session.py",
    "tests/extensions/memory/test_encrypt_session.py",
    "tests/test_agent_runner.py",
    "tests/test_agent_runner_streamed.py",
    "tests/test_max_turns.py",
    "tests/test_native_tool_failure_history.py",
    "tests/test_programmatic_tool_calling.py",
    "tests/test_run_impl_resume_paths.py",
    "tests/test_soft_cancel.py",
    "tests/test_tool_batch_failure_history.py",
    "tests/test_tool_failure_boundaries.py",
    "tests/test_hitl_session_scenario.py",
    "tests/deferred_session_writes",
)

# These look into SQLite: its connections, its locks, its rows and triggers, or what the SDK promises for its class alone.
OF_SQLITE = (
    "test_suffix_transaction_rolls_back_failed_insert[sqlite]",
    "test_cancelled_suffix_transaction_settles_before_newer_append[sqlite]",
    "test_failed_encrypted_suffix_transaction_preserves_original_tokens[sqlite",
    "test_settled_pop_failure_invalidates_response_chain",
    "test_settled_clear_failure_invalidates_response_chain",
    "test_handoff_resume_after_cancelled_compaction_commits",
    "test_sqlite_session_close_closes_worker_thread_connections",
    "test_sqlite_session_reaps_connections_from_exited_worker_threads",
    "test_sqlite_session_closes_retired_connections_before_the_next_allocation",
    "test_sqlite_session_keeps_connections_of_live_worker_threads",
    "test_sqlite_session_closed_rejects_empty_add_items",
    "test_sqlite_session_pop_item_skips_corrupt_most_recent",
    "test_sqlite_session_pop_item_returns_none_after_dropping_only_corrupt_rows",
    "test_sqlite_session_get_items_limit_skips_corrupt_newest_rows",
    "test_sqlite_session_get_items_session_settings_limit_skips_corrupt_rows",
    "test_sqlite_session_file_lock_is_shared_across_instances",
    "test_sqlite_session_failed_add_items_releases_write_lock",
    "test_sqlite_session_failed_clear_session_rolls_back",
    "test_sqlite_session_failed_pop_item_releases_write_lock",
    "test_sqlite_session_rollback_failure_evicts_connection",
    "test_sqlite_session_close_retries_quarantined_connection",
    "test_sqlite_session_post_commit_cancellation_propagates_after_known_outcome",
    "test_encrypted_pop_wrong_key_preserves_recoverable_history",
    "test_encrypted_pop_rechecks_authentication_after_expired_tail",
    "test_encrypted_pop_authentication_is_atomic_with_concurrent_mutations",
    "test_encrypted_pop_wrong_key_preserves_row_identity",
    "test_encrypted_pop_cancellation_waits_for_authentication_rollback",
)


def test_the_sdk_tests_pass_that_do_not_look_into_sqlite():
    if not SDIST:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("FRAMEWORK_SDIST is not set")
    plugins = ["swapped_sessions", "no:sessionbucket", "no:cacheprovider"]
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            *(f"-p{each}" for each in plugins),
            "--numprocesses=2",
            "--tb=short",
            "-rf",
            *FILES,
        ],
        cwd=SDIST,
        env={**os.environ, "PYTHONPATH": f"{HERE}{os.pathsep}{SDIST}"},
        capture_output=True,
        text=True,
        check=False,
    )
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", ran.stdout, re.MULTILINE)
    unexpected = [each for each in failed if not any(name in each for name in OF_SQLITE)]
    assert unexpected == [], ran.stdout[-20_000:]
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert passed is not None, ran.stdout[-20_000:]
    assert int(passed[1]) >= 1450
    assert {name for name in OF_SQLITE if not any(name in each for each in failed)} == set()
