"""The store: presigned URLs of files, for readers without credentials."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import pytest

from conformance.locations import FILE, MEMORY, MOTO, OBSTORE, ON_AZURE, SEAWEEDFS, Location
from conformance.plain_http import get
from sessionbucket import InvalidArgumentError, InvalidSessionIdError, NotSupportedError, SessionStore

HOUR = timedelta(hours=1)
ON_S3 = (MOTO, SEAWEEDFS, f"{MOTO}+{OBSTORE}", f"{SEAWEEDFS}+{OBSTORE}")

on_s3 = pytest.mark.parametrize("location", ON_S3, indirect=True)
on_azure = pytest.mark.parametrize("location", [ON_AZURE], indirect=True)
with_boto3 = pytest.mark.parametrize("location", [MOTO, SEAWEEDFS], indirect=True)
where_signatures_are_checked = pytest.mark.parametrize("location", [SEAWEEDFS], indirect=True)


@on_s3
@pytest.mark.parametrize("name", ["report.pdf", "a/b é+%20 'x'.csv", ".hidden"])
def test_a_presigned_url_returns_the_file_without_credentials(store: SessionStore[Any], name: str):
    store.put_file("user/é", name, b"the bytes", content_type="application/x-test")
    response = get(store.presign_file("user/é", name, HOUR))
    assert (response.status, response.body) == (200, b"the bytes")
    assert response.headers["Content-Type"] == "application/x-test"


@with_boto3
def test_a_browser_saves_the_file_under_its_name_and_does_not_show_it(store: SessionStore[Any]):
    store.put_file("s", 'é "1".html', b"<script>")
    response = get(store.presign_file("s", 'é "1".html', HOUR))
    assert response.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%C3%A9%20%221%22.html"


@on_s3
def test_a_presigned_url_has_its_expiry_and_a_version_4_signature(store: SessionStore[Any]):
    for expires_in, seconds in ((timedelta(seconds=1.9), "1"), (HOUR, "3600"), (timedelta(days=7), "604800")):
        query = parse_qs(urlsplit(store.presign_file("s", "x", expires_in)).query)
        assert query["X-Amz-Expires"] == [seconds]
        assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
        assert query["X-Amz-SignedHeaders"] == ["host"]
        signed_at = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        assert timedelta(0) <= datetime.now(UTC) - signed_at < timedelta(minutes=5)


@on_s3
def test_a_presigned_url_of_a_missing_file_works_once_the_file_exists(store: SessionStore[Any]):
    url = store.presign_file("s", "later", HOUR)
    assert get(url).status in (403, 404), "moto responds with 403, as AWS does without permission to list"
    store.put_file("s", "later", b"here")
    assert get(url).body == b"here"


@on_azure
def test_a_presigned_url_of_azure_returns_the_file_and_has_its_expiry(store: SessionStore[Any]):
    store.put_file("s", "report.pdf", b"the bytes", content_type="application/x-test")
    url = store.presign_file("s", "report.pdf", HOUR)
    response = get(url)
    assert (response.status, response.body) == (200, b"the bytes")
    assert response.headers["Content-Type"] == "application/x-test"
    query = parse_qs(urlsplit(url).query)
    signed_at, expires_at = (datetime.fromisoformat(query[name][0]) for name in ("st", "se"))
    assert expires_at - signed_at == HOUR
    assert query["sp"] == ["r"]


@on_azure
@pytest.mark.parametrize(("id", "name"), [("user/1", "x"), ("s", "a b")])
def test_a_url_that_azure_would_refuse_is_not_signed(store: SessionStore[Any], id: str, name: str):
    store.put_file(id, name, b"the bytes")
    with pytest.raises(NotSupportedError, match="obstore cannot presign"):
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
def test_a_lifetime_below_a_second_or_above_seven_days_is_refused(store: SessionStore[Any], expires_in: Any):
    with pytest.raises(InvalidArgumentError, match="expires_in"):
        store.presign_file("s", "x", expires_in)


def test_a_bad_id_or_name_gets_no_presigned_url(store: SessionStore[Any]):
    with pytest.raises(InvalidSessionIdError):
        store.presign_file("", "x", HOUR)
    with pytest.raises(InvalidArgumentError, match="file name"):
        store.presign_file("s", "a\0b", HOUR)


@pytest.mark.parametrize("location", [MEMORY, FILE], indirect=True)
def test_a_bucket_without_presigned_urls_raises_not_supported(store: SessionStore[Any], location: Location):
    with pytest.raises(NotSupportedError, match=f"the {location.kind} bucket has no presigned URLs"):
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
def test_a_changed_presigned_url_returns_nothing(store: SessionStore[Any], part: str, changed: str):
    store.put_file("s", "name", b"secret")
    store.put_file("s", "other", b"secret")
    url = store.presign_file("s", "name", HOUR)
    parts = urlsplit(url)
    if part == "path":
        url = urlunsplit(parts._replace(path=parts.path.removesuffix("name") + changed))
    else:
        query = "&".join(
            f"{part}={changed}" if item.startswith(part + "=") else item for item in parts.query.split("&")
        )
        url = urlunsplit(parts._replace(query=query))
    response = get(url)
    assert response.status == 403
    assert b"secret" not in response.body
