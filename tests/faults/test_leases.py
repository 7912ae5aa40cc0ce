"""Leases and sweeps on a server whose responses are lost: what was acknowledged holds, what was refused did not happen."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from both_sides import at_once, errors_in
from faults.conftest import Site
from faults.proxy import requests
from faults.proxy_faults import Chaos, before, drop_request, drop_response, pass_on
from sessionbucket import LeaseHeldError, LeaseLostError, Retention, SessionData, StoreUnavailableError
from sessionbucket._core.leases import decode_lease

KEY = ".sessionbucket/leases/s.json"
LONG = timedelta(minutes=5)
ACQUISITIONS = 6
RATE = 0.15


def document(site: Site) -> Any:
    return decode_lease(KEY, site.object(KEY))


@pytest.mark.parametrize("fault", [drop_response, drop_request])
def test_an_acquisition_renewal_and_release_survive_a_lost_request_or_response(
    site: Site, fault: Any
) -> None:
    store = site.store()
    store.save(SessionData(id="other"))  # the probe of the server is over
    lease = store.lease("s", ttl=LONG)
    for call, held in ((lease.acquire, True), (lease.renew, True), (lease.release, False)):
        site.proxy.on(requests("PUT", KEY), fault)
        call()
        assert (document(site).token, document(site).held) == (1, held)


def test_an_unknown_acquisition_is_found_again(site: Site) -> None:
    store = site.store(retry_timeout=0.5)
    store.save(SessionData(id="other"))
    lease = store.lease("s", ttl=LONG)
    site.proxy.on(requests("PUT", KEY), drop_response, times=None)
    site.proxy.on(requests("HEAD", KEY), drop_request, times=None)
    with pytest.raises(StoreUnavailableError) as caught:
        lease.acquire()
    assert caught.value.outcome == "unknown"
    assert lease.remaining == timedelta(0)
    site.proxy.reset()
    with pytest.raises(LeaseHeldError):
        site.someone_else().lease("s").acquire()
    lease.acquire()
    assert document(site).token == lease.token == 1


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_two_hosts_never_hold_a_lease_at_once_under_lost_requests_and_responses(
    site: Site, seed: int
) -> None:
    holders: list[int] = []
    tokens: list[int] = []
    lock = threading.Lock()

    def work(store: Any) -> None:
        for _ in range(ACQUISITIONS):
            with store.lease("s", ttl=LONG, wait=LONG) as lease:
                with lock:
                    assert not holders
                    holders.append(lease.token)
                    tokens.append(lease.token)
                lease.renew()
                with lock:
                    holders.remove(lease.token)

    hosts = [site.store(), site.store()]
    hosts[0].save(SessionData(id="other"))
    site.proxy.on(requests(path=KEY), Chaos(seed, RATE, [drop_response, drop_request]), times=None)
    assert errors_in(at_once([partial(work, host) for host in hosts])) == []
    site.proxy.reset()
    assert tokens == sorted(set(tokens))
    assert len(tokens) == 2 * ACQUISITIONS
    assert document(site).token == tokens[-1]


def test_a_lost_lease_is_noticed_between_the_attempts_of_a_save(site: Site) -> None:
    store = site.store()
    store.save(SessionData(id="s"))
    session = store.load("s")
    session.tool_names = ["late"]
    lease = store.lease("s", ttl=timedelta(seconds=1))
    lease.acquire()

    def wait_for_the_end() -> None:
        over = threading.Event()
        while lease.remaining > timedelta(0):
            over.wait(lease.remaining.total_seconds())

    site.proxy.on(requests("PUT", "/s.json"), before(wait_for_the_end, drop_request))
    with pytest.raises(LeaseLostError) as caught:
        store.save(session, lease=lease)
    assert caught.value.outcome == "unknown"
    assert site.someone_else().load("s").tool_names == []


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_sweep_deletes_what_is_due_and_no_session_that_was_saved_meanwhile(site: Site, seed: int) -> None:
    store, agent = site.store(retry_timeout=2.0), site.someone_else()
    ids = [f"s{number}" for number in range(6)]
    for id in ids:
        agent.save(SessionData(id=id))
        agent.put_file(id, "f", b"file")
    resumed = ids[2]

    def resume() -> None:
        agent.update(resumed, lambda session: session.tool_names.append("resumed"))

    site.proxy.on(requests("HEAD", f"/{resumed}.json"), before(resume, pass_on))
    site.proxy.on(requests("DELETE"), Chaos(seed, 0.3, [drop_response, drop_request]), times=None)
    later = datetime.now(UTC) + timedelta(days=100)
    policy = Retention(idle=timedelta(days=90))
    outcome = "acknowledged"
    gone: set[str] = set()
    try:
        for swept in store.retention.sweep(policy, prefix="s", now=later):
            if swept.outcome == "deleted" and swept.key.endswith(f"/{swept.id}.json"):
                gone.add(swept.id)
    except StoreUnavailableError as error:
        outcome = error.outcome
    site.proxy.reset()
    assert outcome in ("acknowledged", "unknown")
    assert resumed not in gone
    assert gone.isdisjoint(agent.list())
    assert agent.load(resumed).tool_names == ["resumed"]
    with agent.open_file(resumed, "f") as file:
        assert file.read() == b"file"
