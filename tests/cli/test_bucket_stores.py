"""The commands on stores in a bucket."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from cli.command_line import add_parts, make_session, tree
from conformance.locations import Location
from sessionbucket import open_store


@pytest.fixture
def bucket_url(moto: Location) -> str:
    return f"s3://{moto.bucket}/team?" + urlencode({"endpoint_url": moto.endpoint_url, "region": "us-east-1"})


@pytest.mark.slow
def test_a_round_trip_through_a_bucket_keeps_every_byte(run, store, url, bucket_url, other_url):
    for id in ("a", "b/c"):
        store.save(make_session(id))
    add_parts(store, "a")
    assert run.ok("cp", url, bucket_url) == "copied 2, same 0, conflicts 0\n"
    assert run.ok("cp", url, bucket_url) == "copied 0, same 2, conflicts 0\n"
    assert run.ok("cp", bucket_url, other_url) == "copied 2, same 0, conflicts 0\n"
    assert run.ok("cp", bucket_url, other_url) == "copied 0, same 2, conflicts 0\n"
    assert tree(other_url) == tree(url)


def test_a_copy_between_two_prefixes_of_a_bucket_compares_by_version(run, store, url, bucket_url):
    store.save(make_session("a"))
    add_parts(store, "a")
    second = bucket_url.replace("/team?", "/other?")
    run.ok("cp", url, bucket_url)
    assert run.ok("cp", bucket_url, second) == "copied 1, same 0, conflicts 0\n"
    assert run.ok("cp", bucket_url, second) == "copied 0, same 1, conflicts 0\n"


@pytest.mark.slow
def test_a_changed_session_in_a_bucket_is_a_conflict_until_overwritten(run, store, url, bucket_url):
    store.save(make_session("a"))
    with open_store(bucket_url) as remote:
        remote.save(make_session("a", "of another"))
    result = run("cp", url, bucket_url)
    assert result.exit_code == 1
    assert result.stdout == "copied 0, same 0, conflicts 1\n"
    run.ok("cp", url, bucket_url, "--overwrite")
    assert run.ok("cp", url, bucket_url) == "copied 0, same 1, conflicts 0\n"


def test_the_other_commands_work_on_a_bucket(run, store, url, bucket_url):
    store.save(make_session("a"))
    run.ok("cp", url, bucket_url)
    (row,) = json.loads(run.ok("ls", "--store", bucket_url, "--json"))
    assert row["id"] == "a"
    assert row["version"]
    assert run.ok("show", "a", "--json", "--store", bucket_url).encode() == tree(url)["a.json"]
    assert "s3" in run.ok("check", "--store", bucket_url)
    run.ok("rm", "a", "-y", "--store", bucket_url)
    assert json.loads(run.ok("ls", "--store", bucket_url, "--json")) == []


def test_a_missing_bucket_is_one_line(run, bucket_url, moto):
    assert "does not exist" in run.error("ls", "--store", bucket_url.replace(moto.bucket, "nowhere"))


@pytest.mark.filterwarnings("always")
def test_a_copy_to_a_store_with_conditional_writes_off_warns_in_one_line(run, store, url, bucket_url):
    store.save(make_session("a"))
    add_parts(store, "a")
    result = run("cp", url, bucket_url + "&conditional_writes=off")
    assert result.exit_code == 0
    assert result.stdout.startswith("copied 1")
    (line,) = result.stderr.splitlines()
    assert line.startswith("warning: writes to ")
