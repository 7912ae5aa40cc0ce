"""A server that ignores conditions is refused wherever its URL comes from: a profile, its services section, a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sessionbucket import ConditionalWritesUnsupportedError, SessionData
from sessionbucket.testing.seaweedfs import ACCESS_KEY, SECRET_KEY

PROFILES = """
[profile direct]
region = us-east-1
endpoint_url = {url}
[profile service]
region = us-east-1
services = local
[services local]
s3 =
    endpoint_url = {url}
"""
CREDENTIALS = """
[direct]
aws_access_key_id = {key}
aws_secret_access_key = {secret}
[service]
aws_access_key_id = {key}
aws_secret_access_key = {secret}
"""


@pytest.fixture
def store_at_rclone(
    rclone_url: str, s3_side: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, str], Any]]:
    """Makes stores at ``rclone serve s3``, whose URL only a profile names."""
    keys = {"key": ACCESS_KEY, "secret": SECRET_KEY}
    (tmp_path / "config").write_text(PROFILES.format(url=rclone_url))
    (tmp_path / "credentials").write_text(CREDENTIALS.format(**keys))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    buckets: list[Any] = []

    def make(profile: str, source: str) -> Any:
        options: dict[str, Any] = {}
        if source == "environment":
            monkeypatch.setenv("AWS_PROFILE", profile)
        elif source == "option":
            options["profile"] = profile
        else:
            options["session"] = s3_side.aws_session(profile_name=profile)
        buckets.append(s3_side.s3_bucket("sessions", **options))
        return s3_side.store(buckets[-1], f"configured-{profile}-{source}-{s3_side.name}")

    yield make
    for bucket in buckets:
        bucket.close()


@pytest.mark.parametrize("profile", ["direct", "service"])
@pytest.mark.parametrize("source", ["option", "environment", "session"])
def test_a_server_of_a_profile_that_ignores_conditions_is_refused(
    store_at_rclone: Callable[[str, str], Any], rclone_url: str, profile: str, source: str
) -> None:
    store = store_at_rclone(profile, source)
    assert store.location.startswith(rclone_url)
    with pytest.raises(ConditionalWritesUnsupportedError, match="ignored"):
        store.save(SessionData(id="s"))
    assert store.list() == []
