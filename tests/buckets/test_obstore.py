"""Properties of the obstore engine alone: options, credentials, time limits, listings."""

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
    AccessDeniedError,
    Always,
    AsyncObstoreBucket,
    AsyncS3Bucket,
    IfAbsent,
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
    def test_a_url_chooses_the_engine(self, moto: Location, engine: str):
        with open_store(moto.url(engine=engine)) as store:
            assert isinstance(store.bucket, ObstoreBucket)
            store.save(session_of("s"))
            assert store.list() == ["s"]

    async def test_auto_chooses_the_default_engine_for_an_option_that_obstore_lacks(self):
        url = "s3://bucket?engine=auto&expected_bucket_owner=123456789012"
        with open_store(url) as store:
            assert isinstance(store.bucket, S3Bucket)
        async with open_async_store(url) as store:
            assert isinstance(store.bucket, AsyncS3Bucket)

    async def test_a_url_chooses_the_engine_on_the_async_side(self, moto: Location):
        async with open_async_store(moto.url(engine="obstore")) as store:
            assert isinstance(store.bucket, AsyncObstoreBucket)
            await store.save(session_of("s"))
            assert await store.list() == ["s"]

    def test_the_default_engine_is_boto3(self, moto: Location):
        with open_store(moto.url()) as store:
            assert isinstance(store.bucket, S3Bucket)

    @pytest.mark.parametrize("cloud", ["gs", "az"])
    def test_obstore_is_the_only_engine_of_the_other_clouds(self, cloud: str):
        with open_store(f"{cloud}://bucket/a/b") as store:
            assert isinstance(store.bucket, ObstoreBucket)
            assert (store.backend_name, store.location) == (cloud, f"{cloud}://bucket/a/b")
        with pytest.raises(InvalidArgumentError, match=f"unknown for {cloud}://; known engines: obstore"):
            open_store(f"{cloud}://bucket?engine=boto3")

    def test_a_session_can_be_saved_by_both_engines_in_turn(self, moto: Location, obstore: SessionStore[Any]):
        session = session_of("s")
        obstore.save(session)
        with open_store(moto.url()) as store:
            store.save(session)
            loaded = store.load("s")
        obstore.save(loaded)

    def test_without_obstore_the_error_names_the_extra_to_install(self, moto: Location):
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
            ({"regoin": "x"}, "did you mean 'region'"),  # codespell:ignore regoin
            ({"sse_kms_key_id": "k"}, "needs sse=aws:kms"),
            ({"cloud": "ftp"}, "one of s3, gs, az"),
            ({"cloud": "gs", "region": "x"}, "unknown for gs://"),
            ({"cloud": "gs", "account": "x"}, "unknown for gs://"),
            ({"cloud": "gs", "endpoint_url": "nowhere"}, "must be a URL"),
            ({"cloud": "az", "session": object()}, "it belongs to AWS"),
        ],
    )
    def test_options_that_are_bad_or_contradict_each_other_are_rejected(
        self, kind: Any, options: dict[str, Any], reason: str
    ):
        with pytest.raises(InvalidArgumentError, match=reason):
            kind("bucket", **options)

    @pytest.mark.parametrize("name", ["", "a/b"])
    def test_a_bad_bucket_name_is_rejected(self, name: str):
        with pytest.raises(InvalidArgumentError, match="the name of a bucket"):
            ObstoreBucket(name)

    def test_encryption_and_storage_class_of_the_options_are_sent(self, moto: Location):
        url = moto.url(engine="obstore", sse="aws:kms", sse_kms_key_id="the-key", storage_class="STANDARD_IA")
        with open_store(url) as store:
            store.save(session_of("s"))
        head = moto.raw.head_object(Bucket=moto.bucket, Key="s.json")
        assert head["ServerSideEncryption"] == "aws:kms"
        assert head["SSEKMSKeyId"] == "the-key"
        assert head["StorageClass"] == "STANDARD_IA"

    def test_tags_of_the_options_are_sent(self, moto: Location):
        with open_store(moto.url(engine="obstore", tagging="team=a b&env=prod")) as store:
            store.save(session_of("s"))
            store.put_file("s", "large", [b"x" * (9 << 20)])
        for key in ("s.json", "artifacts/s/files/large"):
            tags = moto.raw.get_object_tagging(Bucket=moto.bucket, Key=key)["TagSet"]
            assert {tag["Key"]: tag["Value"] for tag in tags} == {"team": "a b", "env": "prod"}

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
    def test_the_place_of_the_buckets_name_in_the_url_is_that_of_boto3(
        self, options: dict[str, Any], endpoint: str | None, virtual: bool
    ):
        config = ObstoreBucket("bucket", **options)._clients.client().config
        assert config.get("endpoint") == endpoint
        assert config.get("virtual_hosted_style_request", "false") == str(virtual).lower()

    def test_the_endpoint_of_the_environment_is_used(self, moto: Location, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", moto.endpoint_url)
        with open_store(f"s3://{moto.bucket}?engine=obstore") as store:
            store.save(session_of("s"))
            assert store.location == f"{moto.endpoint_url}/{moto.bucket}"
        assert moto.names() == ["s.json"]

    def test_the_time_limit_grows_with_the_size_of_the_body(self):
        clients = ObstoreBucket("bucket", read_timeout=6)._clients

        def read_timeout(transferring: int) -> timedelta:
            return clients.client(transferring=transferring).client_options["read_timeout"]

        assert read_timeout(0) == read_timeout(300_000) == "6s"
        assert read_timeout(8 << 20) == "4m 22s"
        assert clients.client(transferring=7 << 20) is clients.client(transferring=(7 << 20) + 1)


class TestCredentials:
    """The credentials are those that boto3 finds, in its order. The key of the signature identifies their source."""

    @pytest.fixture(autouse=True)
    def nothing_set(self, monkeypatch: pytest.MonkeyPatch):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION"):
            monkeypatch.delenv(name)

    @pytest.fixture
    def signer(self) -> Iterator[Callable[..., tuple[str, str]]]:
        """Returns the key and the region in the signature of a bucket's request."""
        signed: list[str] = []

        class Server(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                signed.append(self.headers["Authorization"])
                body = b"<Error><Code>NoSuchKey</Code></Error>"
                self.send_response(404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

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

    def test_the_environment_is_used(self, keys: None, signer: Any, monkeypatch: pytest.MonkeyPatch):
        assert signer() == ("of-environment", "us-east-1")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
        assert signer() == ("of-environment", "eu-west-3")
        assert signer(region="ca-central-1") == ("of-environment", "ca-central-1")

    def test_the_environment_is_used_with_the_region_of_the_files(self, keys: None, files: None, signer: Any):
        assert signer() == ("of-environment", "eu-north-1")

    def test_a_profile_of_the_options_precedes_the_environment(self, keys: None, files: None, signer: Any):
        assert signer(profile="other") == ("of-other", "sa-east-1")

    def test_the_files_are_used(self, files: None, signer: Any, monkeypatch: pytest.MonkeyPatch):
        assert signer() == ("of-default", "eu-north-1")
        monkeypatch.setenv("AWS_PROFILE", "other")
        assert signer() == ("of-other", "sa-east-1")

    def test_a_boto3_session_precedes_the_environment(self, keys: None, signer: Any):
        session = boto3.Session(
            aws_access_key_id="of-session", aws_secret_access_key="secret", region_name="us-west-1"
        )
        assert signer(session=session) == ("of-session", "us-west-1")

    def test_the_role_of_a_container_is_used(
        self, signer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
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

    def test_the_files_precede_the_role_of_a_container(
        self, files: None, signer: Any, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/role")
        assert signer() == ("of-default", "eu-north-1")

    def test_the_error_for_missing_credentials_names_the_variables(self):
        with pytest.raises(AccessDeniedError, match="AWS_ACCESS_KEY_ID"):
            ObstoreBucket("bucket").get("k", max_bytes=1)

    def test_the_error_for_an_unknown_profile_names_it(self, files: None):
        with pytest.raises(InvalidArgumentError, match="nobody"):
            ObstoreBucket("bucket", profile="nobody").get("k", max_bytes=1)

    def test_the_credentials_of_the_environment_need_no_boto3(self, keys: None, moto: Location):
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


def test_a_key_that_obstore_cannot_name_is_rejected(obstore: SessionStore[Any]):
    with pytest.raises(NotSupportedError, match="cannot name this key"):
        obstore.bucket.get("a\nb", max_bytes=1)


def test_a_listing_with_a_key_that_obstore_cannot_read_is_an_error(
    moto: Location, obstore: SessionStore[Any]
):
    moto.write("a//b", b"x")
    with pytest.raises(NotSupportedError, match="a//b"):
        obstore.list()


def test_a_listing_skips_the_parts(moto: Location, listings: list[str]):
    """obstore lists the keys of parts, too. One request skips all keys of their folder."""
    moto.fill([f"artifacts/s/files/{number:04}" for number in range(2500)])
    ids = sorted(f"{letter}{number:04}" for letter in "ab" for number in range(600))
    moto.fill([f"{id}.json" for id in ids])
    with open_store(moto.url(engine="obstore")) as store:
        assert store.list() == ids
    # The first request ends in the folder, the second starts after it, and the third has the second page of rows.
    # The fourth looks for snapshots of a3s-code.
    assert len(listings) == 4


def test_a_listing_of_few_sessions_is_one_request(moto: Location, listings: list[str]):
    moto.fill([f"s{number}.json" for number in range(5)])
    with open_store(moto.url(engine="obstore")) as store:
        assert len(store.list()) == 5
        assert len(listings) == 1
        assert len(store.list_page(limit=2).sessions) == 2
    assert len(listings) == 2


def test_a_page_whose_folder_comes_before_the_objects_keeps_its_limit(moto: Location):
    moto.fill(["a/1", "a/2", "a/3", "b", "c", "d", "e", "f", "g"])
    bucket = ObstoreBucket(moto.bucket, endpoint_url=moto.endpoint_url)
    page = bucket.list_page(moto.key(""), delimiter="/", limit=5)
    assert [len(page.folders), len(page.objects)] == [1, 4]


def test_a_listing_with_an_id_prefix_does_not_read_the_keys_after_it(moto: Location, listings: list[str]):
    moto.fill(["a1.json", "a2.json", *(f"b{number:04}.json" for number in range(2500))])
    with open_store(moto.url(engine="obstore")) as store:
        assert len(list(store.iter_sessions(prefix="a"))) == 2
    assert len(listings) == 2  # the second one looks for the v1 layout


@pytest.fixture
def listings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of all listing requests to moto."""
    paths: list[str] = []
    respond = S3Response.list_objects_v2

    def counted(self: S3Response) -> Any:
        paths.append(self.path)
        return respond(self)

    monkeypatch.setattr(S3Response, "list_objects_v2", counted)
    return paths


@pytest.mark.parametrize("condition", [Always(), IfAbsent()])
def test_a_put_to_a_missing_server_is_reported_as_not_written(condition: Any):
    bucket = ObstoreBucket("bucket", endpoint_url="http://127.0.0.1:1")
    with pytest.raises(StoreUnavailableError, match="no connection") as caught:
        bucket.put("k", b"x", condition=condition)
    assert caught.value.outcome == "not written"


@pytest.mark.slow
def test_a_program_that_ends_right_after_its_last_responses_exits_with_0(
    location_of: Callable[[str], Location],
):
    """Threads of obstore may still be running. Without a wait for them every fourth such program aborts."""
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
def test_a_server_that_ignores_the_start_of_a_listing_is_listed_completely(cloud: Any, limit: int):
    """Some versions of Azurite start every listing at the first key. No S3 server does, but even there a page must end."""
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
                if page.skips_folder or not page.wanted:
                    break
            else:
                page.end()
        result = page.page()
        found += sorted([*(info.key for info in result.objects), *result.folders])
        after = result.next_start_after
    if cloud == "az":
        assert found == ["a.json", "artifacts/", "b.json", "traces/", "z.json"]
