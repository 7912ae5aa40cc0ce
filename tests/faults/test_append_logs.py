"""Append logs of two hosts under lost responses, and on a server whose conditions the caller vouches for."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from both_sides import at_once, errors_in
from faults.conftest import BUCKET, Site
from faults.proxy import requests
from faults.proxy_faults import Chaos, drop_response
from sessionbucket import AppendLog, ConditionalWritesUnsupportedError, LogHead

HOSTS = 2
APPENDS = 25
RATE = 0.05
SEEDS = (1, pytest.param(2, marks=pytest.mark.slow))
NAME = "notes"


def open_log(side: Any, store: Any) -> AppendLog:
    return side.make("AppendLog", store.documents(NAME))


def write(log: AppendLog, host: int) -> None:
    """Append as one host does: it remembers the head of its last append. Every third entry makes the log seal."""
    head: LogHead | None = None
    for number in range(APPENDS):
        text = "x" * (40_000 if number % 3 == 0 else 10)
        head = log.append("log", [[host, number, text]], seen=head, attempts=1000)


@pytest.mark.parametrize("seed", SEEDS)
def test_two_hosts_lose_and_double_nothing_and_keep_their_order_under_lost_responses(
    site: Site, seed: int
) -> None:
    site.proxy.on(requests(), Chaos(seed, RATE, [drop_response]), times=None)
    hosts = [partial(write, open_log(site.side, site.store()), host) for host in range(HOSTS)]
    assert errors_in(at_once(hosts)) == []
    dropped = sum(request.status is None for request in site.proxy.recorded)
    site.proxy.reset()
    found = open_log(site.side, site.store()).read("log")
    assert found is not None
    assert len(found.entries) == HOSTS * APPENDS
    for host in range(HOSTS):
        assert [number for each, number, _ in found.entries if each == host] == list(range(APPENDS))
    keys = site.keys()
    assert any("/sealed/" in key for key in keys)
    assert dropped


@pytest.mark.parametrize("name", ["sync", "async", "sync obstore", "async obstore"])
def test_a_server_that_the_caller_vouches_for_is_not_probed(
    rclone_url: str, sides: dict[str, Any], name: str
) -> None:
    side = sides[name]
    prefix = f"t-{uuid4().hex}"
    engine = {"engine": "obstore"} if "obstore" in name else {}

    def open_documents(**options: str) -> Any:
        query = urlencode({"endpoint_url": rclone_url, "addressing_style": "path", **engine, **options})
        return side.make("open_documents", f"s3://{BUCKET}/{prefix}?{query}", NAME)

    with (
        open_documents() as refused,
        pytest.raises(ConditionalWritesUnsupportedError),
    ):
        side.make("AppendLog", refused).append("log", [1])
    with open_documents(conditional_writes="trusted") as documents:
        log = side.make("AppendLog", documents)
        head = log.append("log", ["x" * 200_000], seen=None)
        log.append("log", ["y" * 200_000, "z"], seen=head)
        found = log.read("log")
        assert found is not None
        assert [entry[0] for entry in found.entries] == ["x", "y", "z"]
        log.delete("log")
        assert list(documents.list()) == []
