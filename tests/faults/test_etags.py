"""obstore verifies no checksum, so the bucket compares bodies with ETags. Not every server's ETags are MD5s."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from faults.conftest import Site
from faults.proxy import requests
from faults.proxy_faults import corrupt_body, respond_with_other_etags
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
def unprobed(site: Site) -> Iterator[Callable[[], Any]]:
    """Makes stores that have not used the server yet. The bucket contains a session without a body checksum."""
    body = SessionData(id="s", tool_names=["first"]).model_dump_json()
    site.raw.put_object(Bucket=site.bucket, Key=f"{site.prefix}/s.json", Body=body)
    buckets: list[Any] = []

    def make() -> Any:
        buckets.append(site.side.s3_bucket(site.bucket, endpoint_url=site.proxy.url, max_attempts=2))
        return site.side.store(buckets[-1], site.prefix)

    yield make
    for bucket in buckets:
        bucket.close()


@contextmanager
def counted(site: Site, **expected: int) -> Iterator[None]:
    site.proxy.recorded.clear()
    yield
    assert {method: site.proxy.count(method, "s.json") for method in expected} == expected


def test_a_matching_etag_costs_no_request(site: Site, unprobed: Callable[[], Any]) -> None:
    with counted(site, GET=1, HEAD=0):
        assert unprobed().load("s").tool_names == ["first"]


def test_a_body_encrypted_with_kms_is_accepted_after_one_head(
    site: Site, unprobed: Callable[[], Any]
) -> None:
    site.proxy.on(requests(path="s.json"), respond_with_other_etags(KMS), times=None)
    store = unprobed()
    with counted(site, GET=1, HEAD=1):
        assert store.load("s").tool_names == ["first"]
    with counted(site, GET=1, HEAD=0):
        assert store.load("s").tool_names == ["first"]


def test_two_equal_reads_prove_that_the_etags_are_no_md5s(site: Site, unprobed: Callable[[], Any]) -> None:
    site.proxy.on(requests(path="s.json"), respond_with_other_etags({}), times=None)
    store = unprobed()
    with counted(site, GET=2, HEAD=1):
        assert store.load("s").tool_names == ["first"]
    with counted(site, GET=1, HEAD=0):
        assert store.load("s").tool_names == ["first"]


def test_a_damaged_first_body_is_read_again(site: Site, unprobed: Callable[[], Any]) -> None:
    site.proxy.on(GET, corrupt_body)
    with counted(site, GET=2):
        assert unprobed().load("s").tool_names == ["first"]


def test_a_body_that_twice_does_not_match_its_checksum_is_an_error(
    site: Site, unprobed: Callable[[], Any]
) -> None:
    store = unprobed()
    site.someone_else().save(SessionData(id="s"), overwrite=True)
    site.proxy.on(GET, corrupt_body, times=None)
    with pytest.raises(StoreUnavailableError, match="checksum"):
        store.load("s")


def test_equal_damage_in_two_reads_is_an_error_once_an_etag_was_an_md5(
    site: Site, unprobed: Callable[[], Any]
) -> None:
    store = unprobed()
    store.load("s")
    site.proxy.on(GET, corrupt_body, times=None)
    with pytest.raises(StoreUnavailableError, match="checksum"):
        store.load("s")
