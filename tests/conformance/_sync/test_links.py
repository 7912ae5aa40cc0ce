"""The store: links to large artifacts, for whoever has no credentials."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import pytest

from conformance.following import followed
from conformance.locations import AZURITE, FILE, MEMORY, MOTO, OBSTORE, SEAWEEDFS, Location
from sessionbucket import InvalidArgumentError, InvalidSessionIdError, NotSupportedError, SessionStore

HOUR = timedelta(hours=1)
ON_S3 = (MOTO, SEAWEEDFS, f"{MOTO}+{OBSTORE}", f"{SEAWEEDFS}+{OBSTORE}")

on_s3 = pytest.mark.parametrize("location", ON_S3, indirect=True)
on_azure = pytest.mark.parametrize("location", [f"{AZURITE}+{OBSTORE}"], indirect=True)
of_boto3 = pytest.mark.parametrize("location", [MOTO, SEAWEEDFS], indirect=True)
where_signatures_are_checked = pytest.mark.parametrize("location", [SEAWEEDFS], indirect=True)


@on_s3
@pytest.mark.parametrize("name", ["report.pdf", "a/b é+%20 'x'.csv", ".hidden"])
def test_a_link_gives_the_artifact_to_whoever_has_it(store: SessionStore[Any], name: str):
    store.put_file("user/é", name, b"the bytes", content_type="application/x-test")
    answer = followed(store.presign_file("user/é", name, HOUR))
    assert (answer.status, answer.body) == (200, b"the bytes")
    assert answer.headers["Content-Type"] == "application/x-test"


@of_boto3
def test_what_a_link_gives_is_saved_under_its_name_and_not_shown(store: SessionStore[Any]):
    store.put_file("s", 'é "1".html', b"<script>")
    answer = followed(store.presign_file("s", 'é "1".html', HOUR))
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%C3%A9%20%221%22.html"


@on_s3
def test_a_link_carries_its_end_and_the_fourth_signature(store: SessionStore[Any]):
    for expires_in, seconds in ((timedelta(seconds=1.9), "1"), (HOUR, "3600"), (timedelta(days=7), "604800")):
        query = parse_qs(urlsplit(store.presign_file("s", "x", expires_in)).query)
        assert query["X-Amz-Expires"] == [seconds]
        assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
        assert query["X-Amz-SignedHeaders"] == ["host"]
        begun = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        assert timedelta(0) <= datetime.now(UTC) - begun < timedelta(minutes=5)


@on_s3
def test_a_link_to_what_is_not_there_is_signed_all_the_same(store: SessionStore[Any]):
    link = store.presign_file("s", "later", HOUR)
    assert followed(link).status in (403, 404), "moto says 403, as AWS does to those who may not list"
    store.put_file("s", "later", b"here")
    assert followed(link).body == b"here"


@on_azure
def test_a_link_of_azure_gives_the_artifact_until_its_end(store: SessionStore[Any]):
    store.put_file("s", "report.pdf", b"the bytes", content_type="application/x-test")
    link = store.presign_file("s", "report.pdf", HOUR)
    answer = followed(link)
    assert (answer.status, answer.body) == (200, b"the bytes")
    assert answer.headers["Content-Type"] == "application/x-test"
    query = parse_qs(urlsplit(link).query)
    begun, ended = (datetime.fromisoformat(query[name][0]) for name in ("st", "se"))
    assert ended - begun == HOUR
    assert query["sp"] == ["r"]


@on_azure
@pytest.mark.parametrize(("id", "name"), [("user/1", "x"), ("s", "a b")])
def test_a_link_that_azure_would_refuse_is_not_given(store: SessionStore[Any], id: str, name: str):
    store.put_file(id, name, b"the bytes")
    with pytest.raises(NotSupportedError, match="obstore cannot sign"):
        store.presign_file(id, name, HOUR)


@pytest.mark.parametrize(
    "expires_in",
    [
        timedelta(0),
        timedelta(seconds=-1),
        timedelta(milliseconds=999),
        timedelta(days=7, seconds=1),
        60,
        None,
    ],
)
def test_a_link_of_no_time_or_of_too_much_is_refused(store: SessionStore[Any], expires_in: Any):
    with pytest.raises(InvalidArgumentError, match="expires_in"):
        store.presign_file("s", "x", expires_in)


def test_a_bad_id_or_name_gets_no_link(store: SessionStore[Any]):
    with pytest.raises(InvalidSessionIdError):
        store.presign_file("", "x", HOUR)
    with pytest.raises(InvalidArgumentError, match="file name"):
        store.presign_file("s", "a\0b", HOUR)


@pytest.mark.parametrize("location", [MEMORY, FILE], indirect=True)
def test_a_bucket_without_links_says_so(store: SessionStore[Any], location: Location):
    with pytest.raises(NotSupportedError, match=f"the {location.kind} bucket has no links"):
        store.presign_file("s", "x", HOUR)


@where_signatures_are_checked
@pytest.mark.parametrize(
    ("part", "changed"),
    [
        ("X-Amz-Expires", "7200"),
        ("X-Amz-Date", "20200101T000000Z"),
        ("X-Amz-Signature", "0" * 64),
        ("response-content-disposition", "inline"),
        ("path", "other"),
    ],
)
def test_a_changed_link_opens_nothing(store: SessionStore[Any], part: str, changed: str):
    store.put_file("s", "name", b"secret")
    store.put_file("s", "other", b"secret")
    link = store.presign_file("s", "name", HOUR)
    parts = urlsplit(link)
    if part == "path":
        link = urlunsplit(parts._replace(path=parts.path.removesuffix("name") + changed))
    else:
        query = "&".join(
            f"{part}={changed}" if item.startswith(part + "=") else item for item in parts.query.split("&")
        )
        link = urlunsplit(parts._replace(query=query))
    answer = followed(link)
    assert answer.status == 403
    assert b"secret" not in answer.body
