"""Responses that no S3 server sends: a success without proof, a page of a proxy, weak ETags, missing and unreadable headers.

A call succeeds only with a response that proves it, and every other response is one of our errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faults.conftest import Site
from faults.proxy import Response, requests
from faults.proxy_faults import change_response, respond_with_page, succeed_with, weaken_etags
from sessionbucket import SessionBucketError, SessionConflictError, SessionData, StoreUnavailableError

KEY = "s.json"
PUT = requests("PUT", KEY)


@pytest.fixture(params=["moto"])
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(site: Site) -> Any:
    return site.store(max_attempts=2, read_timeout=5.0)


class TestSuccessWithoutProof:
    def test_a_save_whose_response_has_no_etag_is_sent_again(self, site: Site, store: Any) -> None:
        site.proxy.on(PUT, succeed_with(""))
        store.save(SessionData(id="s", tool_names=["first"]))
        assert site.proxy.count("PUT", KEY) == 2
        assert site.someone_else().load("s").tool_names == ["first"]

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_a_save_whose_responses_have_no_etag_is_an_error(
        self, site: Site, store: Any, overwrite: bool
    ) -> None:
        site.proxy.on(PUT, succeed_with(""), times=None)
        with pytest.raises(StoreUnavailableError, match=r"not from an object server \(.*E[Tt]ag") as caught:
            store.save(SessionData(id="s"), overwrite=overwrite)
        assert caught.value.outcome == "unknown"
        assert site.keys() == []

    def test_a_file_whose_response_has_no_etag_is_an_error(self, site: Site, store: Any) -> None:
        site.proxy.on(requests("PUT"), succeed_with(""), times=None)
        with pytest.raises(StoreUnavailableError, match=r"not from an object server \(.*E[Tt]ag"):
            store.put_file("s", "x", b"x")
        assert site.keys() == []

    def test_a_load_without_etag_is_an_error(self, site: Site, store: Any) -> None:
        store.save(SessionData(id="s"))
        site.proxy.on(requests("GET", KEY), succeed_with('{"id": "s"}'), times=None)
        with pytest.raises(StoreUnavailableError, match="not from an object server"):
            store.load("s")

    def test_a_part_of_an_upload_without_etag_is_an_error(self, site: Site, store: Any) -> None:
        site.proxy.on(requests("PUT", "partNumber="), succeed_with(""), times=None)
        with pytest.raises(StoreUnavailableError):
            store.put_file("s", "large", bytes(17 << 20))
        assert site.keys() == []


class TestPagesOfProxies:
    @pytest.mark.parametrize("call", ["load", "exists", "delete", "list", "open_file", "health_check"])
    def test_a_page_404_is_no_missing_session(self, site: Site, store: Any, call: str) -> None:
        store.save(SessionData(id="s"))
        store.put_file("s", "x", b"x")
        site.proxy.on(requests(), respond_with_page(404), times=None)
        calls: dict[str, Callable[[], object]] = {
            "load": lambda: store.load("s"),
            "exists": lambda: store.exists("s"),
            "delete": lambda: store.delete("s"),
            "list": store.list,
            "open_file": lambda: store.open_file("s", "x"),
            "health_check": store.health_check,
        }
        with pytest.raises(StoreUnavailableError, match="check the endpoint") as caught:
            calls[call]()
        assert site.proxy.url in str(caught.value)
        assert site.keys() == ["artifacts/s/files/x", KEY]

    @pytest.mark.parametrize("method", ["DELETE", "POST"])
    def test_a_delete_that_gets_a_page_is_an_error(self, site: Site, store: Any, method: str) -> None:
        store.save(SessionData(id="s"))
        for name in ("x", "y"):
            store.put_file("s", name, b"x")
        site.proxy.on(requests(method), respond_with_page(404), times=None)
        with pytest.raises(SessionBucketError):
            store.delete("s")
        assert KEY in site.keys()  # noqa: SIM118 (a method)

    @pytest.mark.parametrize("status", [404, 502])
    def test_a_save_that_gets_a_page_is_no_conflict(self, site: Site, store: Any, status: int) -> None:
        session = SessionData(id="s")
        store.save(session)
        site.proxy.on(PUT, respond_with_page(status), times=None)
        with pytest.raises(StoreUnavailableError):
            store.save(session)

    @pytest.mark.parametrize("server", ["seaweed"], indirect=True)
    def test_the_404_of_a_head_counts_with_a_request_id(self, site: Site) -> None:
        if "obstore" in site.side.name:
            pytest.skip("obstore does not return the headers of an error")
        assert not site.store().exists("missing")
        assert methods_without_listings(site) == ["HEAD"]

    def test_the_404_of_a_head_without_a_request_id_is_confirmed_by_a_get(self, site: Site) -> None:
        assert not site.store().exists("missing")
        assert methods_without_listings(site) == ["HEAD", "GET"]


def methods_without_listings(site: Site) -> list[str]:
    """The methods of the requests for objects. A listing looks for snapshots of a3s-code."""
    return [request.method for request in site.proxy.recorded if "list-type" not in request.path]


class TestWeakETags:
    def test_a_single_writer_behind_a_compressing_proxy_never_conflicts(self, site: Site) -> None:
        site.proxy.on(requests(), weaken_etags(), times=None)
        store = site.store()
        session = SessionData(id="s", tool_names=["first"])
        store.save(session)
        session.tool_names.append("second")
        store.save(session)
        store.update("s", lambda session: session.tool_names.append("third"))
        store.save(store.load("s"), overwrite=True)
        sent = [request.headers.get("If-Match", '"') for request in site.proxy.recorded]
        assert all(etag.startswith('"') for etag in sent)
        assert site.someone_else().load("s").tool_names == ["first", "second", "third"]
        store.delete("s")
        assert site.keys() == []

    def test_a_save_over_another_version_still_conflicts(self, site: Site) -> None:
        site.proxy.on(requests(), weaken_etags(), times=None)
        store = site.store()
        session = SessionData(id="s")
        store.save(session)
        site.someone_else().update("s", lambda session: session.tool_names.append("other"))
        with pytest.raises(SessionConflictError):
            store.save(session)


ODD_VALUES = st.one_of(
    st.none(),
    st.sampled_from(
        [
            "",
            "0",
            "-1",
            "x",
            "1" * 30,
            "Mon, 32 Jan 2026 25:00:00 GMT",
            "2026-13-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "nan",
            'W/"',
            '"',
            "gzip",
            "*",
            "\x7f",
            "é",
        ]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20),
)
HEADERS = st.sampled_from(
    [
        "Content-Length",
        "Last-Modified",
        "ETag",
        "Content-Type",
        "Content-Encoding",
        "Content-Range",
        "Transfer-Encoding",
        "Date",
        "Expires",
        "x-amz-meta-writes",
        "x-amz-meta-printed",
        "x-amz-meta-crc32",
        "x-amz-checksum-crc32",
        "x-amz-storage-class",
        "x-amz-delete-marker",
        "x-amz-missing-meta",
        "x-amz-object-lock-retain-until-date",
        "x-amz-restore",
    ]
)
ELEMENTS = st.sampled_from(
    ["Size", "LastModified", "ETag", "Key", "Prefix", "IsTruncated", "KeyCount", "MaxKeys", "StorageClass"]
)


def with_headers(changes: dict[str, str | None]) -> Callable[[Response], None]:
    def change(response: Response) -> None:
        for name, value in changes.items():
            response.headers.popall(name, None)
            if value is not None:
                response.headers[name] = value

    return change


def with_elements(changes: dict[str, str | None]) -> Callable[[Response], None]:
    def change(response: Response) -> None:
        for name, value in changes.items():
            text = "" if value is None else f"<{name}>{value}</{name}>"
            response.body = re.sub(
                rf"<{name}>[^<]*</{name}>".encode(), text.replace("\\", r"\\").encode(), response.body
            )
        response.headers["Content-Length"] = str(len(response.body))

    return change


def try_every_read(store: Any) -> None:
    """Each call returns, or raises one of our errors."""

    def read_file() -> None:
        with store.open_file("s", "x") as file:
            file.read()

    for call in (
        lambda: store.load("s"),
        lambda: store.exists("s"),
        store.list,
        lambda: store.list_files("s"),
        read_file,
        store.probe_conditional_writes,
        lambda: store.save(SessionData(id="t"), overwrite=True),
        lambda: store.delete("t"),
    ):
        try:
            call()
        except SessionBucketError:
            continue


class TestOddHeaders:
    @pytest.fixture
    def store(self, site: Site) -> Any:
        store = site.store(max_attempts=1, read_timeout=2.0)
        store.save(SessionData(id="s"))
        store.put_file("s", "x", b"x")
        return store

    @pytest.mark.parametrize("header", ["Content-Length", "Last-Modified", "ETag"])
    @pytest.mark.parametrize("value", [None, "x"])
    def test_a_response_without_a_readable_header_is_one_of_our_errors(
        self, site: Site, store: Any, header: str, value: str | None
    ) -> None:
        site.proxy.on(requests(), change_response(with_headers({header: value})), times=None)
        try_every_read(store)
        if (
            header == "Last-Modified" and "obstore" not in site.side.name
        ):  # obstore reads a missing date as 1970
            for call in (lambda: store.load("s"), lambda: store.open_file("s", "x")):
                with pytest.raises(StoreUnavailableError):
                    call()

    @settings(max_examples=15)
    @given(changes=st.dictionaries(HEADERS, ODD_VALUES, min_size=1, max_size=3))
    def test_any_headers_give_a_result_or_one_of_our_errors(
        self, site: Site, store: Any, changes: dict[str, str | None]
    ) -> None:
        site.proxy.reset()
        site.proxy.on(requests(), change_response(with_headers(changes)), times=None)
        try_every_read(store)

    @settings(max_examples=15)
    @given(changes=st.dictionaries(ELEMENTS, ODD_VALUES, min_size=1, max_size=2))
    def test_any_rows_of_a_listing_give_a_result_or_one_of_our_errors(
        self, site: Site, store: Any, changes: dict[str, str | None]
    ) -> None:
        site.proxy.reset()
        site.proxy.on(requests("GET", "list-type=2"), change_response(with_elements(changes)), times=None)
        try_every_read(store)
