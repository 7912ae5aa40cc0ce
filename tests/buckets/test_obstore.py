"""What is particular to the obstore engine: its options, where its credentials come from, how long it waits."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest
from moto.s3.responses import S3Response

from conformance.locations import OBSTORE, SEAWEEDFS, Location, environment
from conformance.samples import session_of
from sessionbucket import (
    Absent,
    AccessDeniedError,
    Anything,
    AsyncObstoreBucket,
    AsyncS3Bucket,
    InvalidArgumentError,
    NotSupportedError,
    ObstoreBucket,
    S3Bucket,
    SessionStore,
    StoreUnavailableError,
    open_async_store,
    open_store,
)
from sessionbucket._backends.obstore.listing import Page

KINDS = pytest.mark.parametrize("kind", [ObstoreBucket, AsyncObstoreBucket])


@pytest.fixture
def obstore(moto: Location) -> Iterator[SessionStore[Any]]:
    with open_store(moto.url(engine="obstore")) as store:
        yield store


class TestOpening:
    @pytest.mark.parametrize("engine", ["obstore", "auto"])
    def test_the_engine_of_a_url_is_taken(self, moto: Location, engine: str):
        with open_store(moto.url(engine=engine)) as store:
            assert isinstance(store.bucket, ObstoreBucket)
            store.save(session_of("s"))
            assert store.list() == ["s"]

    async def test_auto_takes_the_default_engine_for_an_option_that_obstore_lacks(self):
        url = "s3://bucket?engine=auto&expected_bucket_owner=123456789012"
        with open_store(url) as store:
            assert isinstance(store.bucket, S3Bucket)
        async with open_async_store(url) as store:
            assert isinstance(store.bucket, AsyncS3Bucket)

    async def test_and_so_on_the_async_side(self, moto: Location):
        async with open_async_store(moto.url(engine="obstore")) as store:
            assert isinstance(store.bucket, AsyncObstoreBucket)
            await store.save(session_of("s"))
            assert await store.list() == ["s"]

    def test_a_url_that_names_no_engine_has_boto3s(self, moto: Location):
        with open_store(moto.url()) as store:
            assert isinstance(store.bucket, S3Bucket)

    @pytest.mark.parametrize("cloud", ["gs", "az"])
    def test_the_other_clouds_have_no_engine_but_obstore(self, cloud: str):
        with open_store(f"{cloud}://bucket/a/b") as store:
            assert isinstance(store.bucket, ObstoreBucket)
            assert (store.backend_name, store.location) == (cloud, f"{cloud}://bucket/a/b")
        with pytest.raises(InvalidArgumentError, match=f"of {cloud}:// there are: obstore"):
            open_store(f"{cloud}://bucket?engine=boto3")

    def test_a_session_goes_from_one_engine_to_the_other(self, moto: Location, obstore: SessionStore[Any]):
        session = session_of("s")
        obstore.save(session)
        with open_store(moto.url()) as store:
            store.save(session)
            loaded = store.load("s")
        obstore.save(loaded)

    def test_where_obstore_is_not_installed_the_error_says_what_to_install(self, moto: Location):
        program = """
import sys
sys.modules["obstore"] = None
from sessionbucket import NotSupportedError, open_store
try:
    open_store(sys.argv[1]).load("s")
except NotSupportedError as error:
    print(error)
"""
        ran = subprocess.run(
            [sys.executable, "-c", program, moto.url(engine="obstore")],
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        assert "install sessionbucket[obstore]" in ran.stdout


class TestOptions:
    @KINDS
    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ({"expected_bucket_owner": "123456789012"}, "leave out engine=obstore"),
            ({"regoin": "x"}, "did you mean 'region'"),
            ({"sse_kms_key_id": "k"}, "needs sse=aws:kms"),
            ({"cloud": "ftp"}, "one of s3, gs, az"),
            ({"cloud": "gs", "region": "x"}, "unknown for gs://"),
            ({"cloud": "gs", "account": "x"}, "unknown for gs://"),
            ({"cloud": "gs", "endpoint_url": "nowhere"}, "must be a URL"),
            ({"cloud": "az", "session": object()}, "it is of AWS"),
        ],
    )
    def test_what_cannot_be_is_refused(self, kind: Any, options: dict[str, Any], reason: str):
        with pytest.raises(InvalidArgumentError, match=reason):
            kind("bucket", **options)

    @pytest.mark.parametrize("name", ["", "a/b"])
    def test_a_bucket_has_a_name(self, name: str):
        with pytest.raises(InvalidArgumentError, match="bucket's name"):
            ObstoreBucket(name)

    def test_what_is_written_is_encrypted_and_classed_as_asked(self, moto: Location):
        url = moto.url(engine="obstore", sse="aws:kms", sse_kms_key_id="the-key", storage_class="STANDARD_IA")
        with open_store(url) as store:
            store.save(session_of("s"))
        answer = moto.raw.head_object(Bucket=moto.bucket, Key="s.json")
        assert answer["ServerSideEncryption"] == "aws:kms"
        assert answer["SSEKMSKeyId"] == "the-key"
        assert answer["StorageClass"] == "STANDARD_IA"

    @pytest.mark.parametrize(
        ("options", "endpoint", "virtual"),
        [
            ({}, None, True),
            ({"addressing_style": "path"}, None, False),
            ({"endpoint_url": "http://localhost:1"}, "http://localhost:1", False),
            (
                {"endpoint_url": "http://localhost:1", "addressing_style": "virtual"},
                "http://bucket.localhost:1",
                True,
            ),
        ],
    )
    def test_the_buckets_name_goes_into_the_url_as_boto3_has_it(
        self, options: dict[str, Any], endpoint: str | None, virtual: bool
    ):
        config = ObstoreBucket("bucket", **options)._stores.store().config
        assert config.get("endpoint") == endpoint
        assert config.get("virtual_hosted_style_request", "false") == str(virtual).lower()

    def test_the_endpoint_of_the_environment_is_taken(self, moto: Location, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", moto.endpoint_url)
        with open_store(f"s3://{moto.bucket}?engine=obstore") as store:
            store.save(session_of("s"))
            assert store.location == f"{moto.endpoint_url}/{moto.bucket}"
        assert moto.names() == ["s.json"]

    def test_the_more_a_request_sends_the_longer_it_may_take(self):
        stores = ObstoreBucket("bucket", read_timeout=6)._stores

        def patience(sending: int) -> timedelta:
            return stores.store(sending=sending).client_options["read_timeout"]

        assert patience(0) == patience(300_000) == "6s"
        assert patience(8 << 20) == "4m 22s"
        assert stores.store(sending=7 << 20) is stores.store(sending=(7 << 20) + 1)


class TestCredentials:
    """The places in which boto3 looks, in its order. The key that signed tells where it came from."""

    @pytest.fixture(autouse=True)
    def nothing_set(self, monkeypatch: pytest.MonkeyPatch):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION"):
            monkeypatch.delenv(name)

    @pytest.fixture
    def signer(self) -> Iterator[Callable[..., tuple[str, str]]]:
        """Gives the key and the region that a bucket's request is signed with."""
        signed: list[str] = []

        class Server(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                signed.append(self.headers["Authorization"])
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
            thread = Thread(target=server.serve_forever)
            thread.start()

            def of(**options: Any) -> tuple[str, str]:
                url = f"http://127.0.0.1:{server.server_port}"
                bucket = ObstoreBucket("bucket", endpoint_url=url, **options)
                assert bucket.get("k", max_bytes=1) is None
                bucket.close()
                scope = signed[-1].split("Credential=")[1].split(",")[0].split("/")
                return scope[0], scope[2]

            yield of
            server.shutdown()
            thread.join()

    @pytest.fixture
    def files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        keys = "aws_access_key_id = {0}\naws_secret_access_key = secret\n"
        (tmp_path / "credentials").write_text(
            f"[default]\n{keys.format('of-default')}[other]\n{keys.format('of-other')}"
        )
        (tmp_path / "config").write_text(
            "[default]\nregion = eu-north-1\n[profile other]\nregion = sa-east-1\n"
        )
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))

    @pytest.fixture
    def keys(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-environment")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    def test_the_environment(self, keys: None, signer: Any, monkeypatch: pytest.MonkeyPatch):
        assert signer() == ("of-environment", "us-east-1")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
        assert signer() == ("of-environment", "eu-west-3")
        assert signer(region="ca-central-1") == ("of-environment", "ca-central-1")

    def test_the_environment_with_the_region_of_the_files(self, keys: None, files: None, signer: Any):
        assert signer() == ("of-environment", "eu-north-1")

    def test_a_profile_that_is_asked_for_comes_before_the_environment(
        self, keys: None, files: None, signer: Any
    ):
        assert signer(profile="other") == ("of-other", "sa-east-1")

    def test_the_files(self, files: None, signer: Any, monkeypatch: pytest.MonkeyPatch):
        assert signer() == ("of-default", "eu-north-1")
        monkeypatch.setenv("AWS_PROFILE", "other")
        assert signer() == ("of-other", "sa-east-1")

    def test_a_boto3_session(self, keys: None, signer: Any):
        session = boto3.Session(
            aws_access_key_id="of-session", aws_secret_access_key="secret", region_name="us-west-1"
        )
        assert signer(session=session) == ("of-session", "us-west-1")

    def test_a_containers_role(self, signer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        role = {
            "AccessKeyId": "of-container",
            "SecretAccessKey": "secret",
            "Token": "token",
            "Expiration": "2126-01-01T00:00:00Z",
        }

        class Server(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(role).encode()
                self.send_response(200 if self.headers["Authorization"] == "for the role" else 403)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        (tmp_path / "token").write_text("for the role")
        with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
            thread = Thread(target=server.serve_forever)
            thread.start()
            url = f"http://127.0.0.1:{server.server_port}/role"
            monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
            monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "for the role")
            assert signer()[0] == "of-container"
            monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
            assert signer()[0] == "of-container"
            server.shutdown()
            thread.join()

    def test_the_files_come_before_a_containers_role(
        self, files: None, signer: Any, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/role")
        assert signer() == ("of-default", "eu-north-1")

    def test_none_at_all(self):
        with pytest.raises(AccessDeniedError, match="AWS_ACCESS_KEY_ID"):
            ObstoreBucket("bucket").get("k", max_bytes=1)

    def test_a_profile_that_does_not_exist(self, files: None):
        with pytest.raises(InvalidArgumentError, match="nobody"):
            ObstoreBucket("bucket", profile="nobody").get("k", max_bytes=1)

    def test_those_of_the_environment_need_no_boto3(self, keys: None, moto: Location):
        program = """
import sys
from sessionbucket import SessionData, open_store
with open_store(sys.argv[1]) as store:
    store.save(SessionData(id="s"))
    store.put_file("s", "x", b"x")
    assert store.load("s") and store.list() == ["s"]
    store.delete("s")
print(*(name for name in ("boto3", "botocore") if name in sys.modules))
"""
        ran = subprocess.run(
            [sys.executable, "-c", program, moto.url(engine="obstore")],
            env=environment() | {"AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert ran.stdout.strip() == ""


def test_a_key_that_obstore_cannot_name_is_refused_by_name(obstore: SessionStore[Any]):
    with pytest.raises(NotSupportedError, match="cannot name this key"):
        obstore.bucket.get("a\nb", max_bytes=1)


def test_a_listing_with_a_key_that_obstore_cannot_read_is_an_error(
    moto: Location, obstore: SessionStore[Any]
):
    moto.write("a//b", b"x")
    with pytest.raises(NotSupportedError, match="a//b"):
        obstore.list()


def test_a_listing_goes_around_the_parts(moto: Location, listings: list[str]):
    """Their keys are in obstore's listing, and one request takes it behind each of their folders."""
    moto.fill([f"artifacts/s/files/{number:04}" for number in range(2500)])
    ids = sorted(f"{letter}{number:04}" for letter in "ab" for number in range(600))
    moto.fill([f"{id}.json" for id in ids])
    with open_store(moto.url(engine="obstore")) as store:
        assert store.list() == ids
    # The first page ends in the folder, the second begins behind it, and the third with the second page of rows.
    assert len(listings) == 3


def test_a_listing_of_few_sessions_is_one_request(moto: Location, listings: list[str]):
    moto.fill([f"s{number}.json" for number in range(5)])
    with open_store(moto.url(engine="obstore")) as store:
        assert len(store.list()) == 5
        assert len(listings) == 1
        assert len(store.list_page(limit=2).sessions) == 2
    assert len(listings) == 2


@pytest.fixture
def listings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every request for a listing that moto is asked."""
    asked: list[str] = []
    asks = S3Response.list_objects_v2

    def counted(self: S3Response) -> Any:
        asked.append(self.path)
        return asks(self)

    monkeypatch.setattr(S3Response, "list_objects_v2", counted)
    return asked


@pytest.mark.parametrize("condition", [Anything(), Absent()])
def test_a_put_to_a_server_that_is_not_there_was_surely_not_done(condition: Any):
    bucket = ObstoreBucket("bucket", endpoint_url="http://127.0.0.1:1")
    with pytest.raises(StoreUnavailableError, match="no connection") as caught:
        bucket.put("k", b"x", condition=condition)
    assert caught.value.outcome == "not written"


def test_a_program_that_ends_right_after_its_last_answers_ends_well(
    location_of: Callable[[str], Location],
):
    """obstore's threads may not be done with them; without our care every fourth such program is aborted."""
    program = """
import asyncio, sys
from sessionbucket import open_async_store
async def main():
    store = open_async_store(sys.argv[1])
    await asyncio.gather(*(store.exists("s") for _ in range(64)))
asyncio.run(main())
"""
    command = [sys.executable, "-c", program, location_of(f"{SEAWEEDFS}+{OBSTORE}").url()]
    codes = [subprocess.run(command, env=environment(), check=False).returncode for _ in range(12)]
    assert codes == [0] * 12


@pytest.mark.parametrize("cloud", ["s3", "az"])
@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
def test_a_server_that_takes_no_place_to_begin_after_is_listed_all_the_same(cloud: Any, limit: int):
    """Some versions of Azurite always begin at the first key. Of S3 that is not so, but even there a page ends."""
    keys = ["a.json", "artifacts/s/1", "artifacts/s/2", "artifacts/t/1", "b.json", "traces/s.json", "z.json"]
    rows = [{"path": key, "size": 1, "last_modified": None, "e_tag": '"x"'} for key in keys]
    found: list[str] = []
    after: str | None = ""
    while after is not None and len(found) < 10:
        page = Page("", "/", after, limit, cloud)
        while page.wanted:
            page.begin()
            for start in range(0, len(rows), page.wanted):
                page.add(rows[start : start + page.wanted])
                if page.leaps or not page.wanted:
                    break
            else:
                page.end()
        given = page.page()
        found += sorted([*(info.key for info in given.objects), *given.folders])
        after = given.next_start_after
    if cloud == "az":
        assert found == ["a.json", "artifacts/", "b.json", "traces/", "z.json"]
