"""Uploads of files under faults: parts are sent again, the file is stored whole or not at all, and no part remains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from faults.conftest import Site
from faults.proxy import requests
from faults.proxy_faults import drop_request, drop_response, reset_upload, respond
from sessionbucket import AccessDeniedError, StoreUnavailableError

PART = 8 << 20
CONTENT = bytes(range(251)) * (2 * PART // 251 + 1000)  # three parts
BEGIN = requests("POST", "?uploads")
PARTS = requests("PUT", "partNumber=")
COMPLETE = requests("POST", "uploadId=")


def uploads(site: Site) -> list[Any]:
    """The uploads that were neither completed nor aborted."""
    listing = site.raw.list_multipart_uploads(Bucket=site.bucket, Prefix=f"{site.prefix}/")
    return list(listing.get("Uploads", []))


@pytest.mark.parametrize("server", ["moto", pytest.param("seaweed", marks=pytest.mark.slow)], indirect=True)
@pytest.mark.parametrize("fault", [drop_response, drop_request, reset_upload, respond(503, "SlowDown")])
def test_a_lost_part_is_sent_again(site: Site, fault: Any) -> None:
    site.proxy.on(PARTS, fault, nth=2)
    site.store().put_file("s", "large.bin", CONTENT)
    assert site.proxy.count("PUT", "partNumber=") == 4
    assert site.object("artifacts/s/files/large.bin") == CONTENT
    assert uploads(site) == []


def test_a_rejected_upload_leaves_no_part_and_the_old_file(site: Site) -> None:
    store = site.store()
    store.put_file("s", "large.bin", b"old")
    site.proxy.on(PARTS, respond(403, "AccessDenied"), nth=2)
    with pytest.raises(AccessDeniedError):
        store.put_file("s", "large.bin", CONTENT)
    assert site.object("artifacts/s/files/large.bin") == b"old"
    assert uploads(site) == []


def test_an_upload_whose_source_fails_leaves_no_part_and_no_file(site: Site) -> None:
    def source() -> Iterator[bytes]:
        yield CONTENT
        raise OSError("the source is gone")

    with pytest.raises(OSError, match="the source is gone"):
        site.store().put_file("s", "large.bin", source())
    assert site.keys() == []
    assert uploads(site) == []


def test_an_upload_whose_last_response_is_lost_is_unknown(site: Site) -> None:
    site.proxy.on(COMPLETE, drop_response, times=None)
    with pytest.raises(StoreUnavailableError, match="may or may not have been done") as caught:
        site.store().put_file("s", "large.bin", CONTENT)
    assert caught.value.outcome == "unknown"
    assert uploads(site) == []


def test_a_small_file_whose_response_is_lost_is_sent_again(site: Site) -> None:
    site.proxy.on(requests("PUT", "small.bin"), drop_response)
    site.store().put_file("s", "small.bin", b"small")
    assert site.proxy.count("PUT", "small.bin") == 2
    assert site.object("artifacts/s/files/small.bin") == b"small"


@pytest.mark.parametrize("s3_side", ["sync"], indirect=True)
def test_only_a_large_body_waits_for_the_server_to_ask_for_it(site: Site) -> None:
    store = site.store()
    store.put_file("s", "small.bin", bytes((1 << 20) - 1))
    store.put_file("s", "large.bin", bytes(1 << 20))
    asked = {each.path.rpartition("/")[2]: "Expect" in each.headers for each in site.proxy.recorded}
    assert asked == {"small.bin": False, "large.bin": True}
