"""obstore checks no checksum, so bodies are held against ETags; and not every server makes these of MD5s."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from faults.conftest import Site
from faults.misfortunes import corrupt_body, other_etags
from faults.proxy import requests
from sessionbucket import SessionData, StoreUnavailableError

GET = requests("GET", "s.json")
KMS = {"x-amz-server-side-encryption": "aws:kms"}


@pytest.fixture(params=["sync obstore", "async obstore"])
def s3_side(request: pytest.FixtureRequest, sides: dict[str, Any]) -> Any:
    return sides[request.param]


@pytest.fixture(params=["moto"])
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def stranger(site: Site) -> Iterator[Callable[[], Any]]:
    """Makes a store that knows nothing of the server yet, of a bucket that holds a session without a seal."""
    body = SessionData(id="s", tool_names=["first"]).model_dump_json()
    site.raw.put_object(Bucket=site.bucket, Key=f"{site.prefix}/s.json", Body=body)
    buckets: list[Any] = []

    def make() -> Any:
        buckets.append(site.side.s3_bucket(site.bucket, endpoint_url=site.proxy.url, max_attempts=2))
        return site.side.store(buckets[-1], site.prefix)

    yield make
    for bucket in buckets:
        site.side.close_bucket(bucket)


@contextmanager
def counted(site: Site, **expected: int) -> Iterator[None]:
    site.proxy.seen.clear()
    yield
    assert {method: site.proxy.count(method, "s.json") for method in expected} == expected


def test_an_etag_that_fits_costs_no_request(site: Site, stranger: Callable[[], Any]) -> None:
    with counted(site, GET=1, HEAD=0):
        assert stranger().load("s").tool_names == ["first"]


def test_what_is_encrypted_by_kms_is_taken_and_asked_about_once(
    site: Site, stranger: Callable[[], Any]
) -> None:
    site.proxy.on(requests(path="s.json"), other_etags(KMS), times=None)
    store = stranger()
    with counted(site, GET=1, HEAD=1):
        assert store.load("s").tool_names == ["first"]
    with counted(site, GET=1, HEAD=0):
        assert store.load("s").tool_names == ["first"]


def test_what_is_read_twice_the_same_shows_that_etags_are_no_md5s(
    site: Site, stranger: Callable[[], Any]
) -> None:
    site.proxy.on(requests(path="s.json"), other_etags({}), times=None)
    store = stranger()
    with counted(site, GET=2, HEAD=1):
        assert store.load("s").tool_names == ["first"]
    with counted(site, GET=1, HEAD=0):
        assert store.load("s").tool_names == ["first"]


def test_a_first_body_that_is_damaged_is_read_again(site: Site, stranger: Callable[[], Any]) -> None:
    site.proxy.on(GET, corrupt_body)
    with counted(site, GET=2):
        assert stranger().load("s").tool_names == ["first"]


def test_what_is_sealed_and_read_twice_the_same_and_wrong_is_damage(
    site: Site, stranger: Callable[[], Any]
) -> None:
    store = stranger()
    site.someone_else().save(SessionData(id="s"), overwrite=True)
    site.proxy.on(GET, corrupt_body, times=None)
    with pytest.raises(StoreUnavailableError, match="checksum"):
        store.load("s")


def test_once_an_etag_was_an_md5_the_same_damage_twice_is_damage(
    site: Site, stranger: Callable[[], Any]
) -> None:
    store = stranger()
    store.load("s")
    site.proxy.on(GET, corrupt_body, times=None)
    with pytest.raises(StoreUnavailableError, match="checksum"):
        store.load("s")
