"""The modules that an import of the package loads, and those that it does not load."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import sessionbucket
from conformance.locations import Location, environment
from sessionbucket import SessionData, models, open_store

CLIENT_LIBRARIES = (
    "boto3",
    "botocore",
    "aioboto3",
    "aiobotocore",
    "aiohttp",
    "obstore",
    "typer",
    "rich",
    "moto",
)

RARELY_NEEDED = (
    "asyncio",
    "filelock",
    "sessionbucket._async",
    "sessionbucket._backends.file",
    "sessionbucket._backends.obstore",
    "sessionbucket._sync.copying",
    "sessionbucket._sync.store_check",
    "sessionbucket.models.artifacts",
    "sessionbucket.models.traces",
    "sessionbucket.models.verification",
)


def loaded_by(program: str, *arguments: str, of: tuple[str, ...] = CLIENT_LIBRARIES) -> set[str]:
    """Those of the modules ``of`` that a program in its own process has loaded at its end."""
    ending = f"\nimport sys\nprint(*(name for name in {of!r} if name in sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program + ending, *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ran.stdout.split())


@pytest.mark.parametrize(
    "program",
    [
        "import sessionbucket",
        "from sessionbucket import SessionData, SessionStore, AsyncSessionStore, SessionConflictError",
        "from sessionbucket import open_store, open_async_store, FileBucket, AsyncFileBucket, MemoryBucket",
        "import sessionbucket.testing, sessionbucket.errors, sessionbucket.models",
    ],
)
def test_importing_the_package_loads_no_client_library(program: str):
    assert loaded_by(program) == set()


def test_importing_the_package_loads_neither_its_modules_nor_pydantic():
    program = "import sessionbucket; dir(sessionbucket)"
    assert loaded_by(program, of=("pydantic", "typing_extensions", "sessionbucket.errors")) == set()


def test_errors_load_without_pydantic():
    assert loaded_by("from sessionbucket import SessionConflictError", of=("pydantic",)) == set()


def test_a_model_loads_only_the_models_that_it_contains():
    program = "from sessionbucket.models import Task, TokenUsage"
    models = tuple(f"sessionbucket.models.{name}" for name in ("tasks", "usage", "messages", "session"))
    assert loaded_by(program, of=models) == {"sessionbucket.models.tasks", "sessionbucket.models.usage"}


def test_every_model_resolves_and_is_listed_once():
    assert sorted(set(models.__all__)) == sorted(models.__all__)
    for name in models.__all__:
        assert getattr(models, name) is not None
    assert set(models.__all__) <= set(dir(models))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = models.nothing


@pytest.mark.parametrize("name", [*CLIENT_LIBRARIES, *RARELY_NEEDED])
def test_every_module_that_must_not_be_loaded_exists(name: str):
    assert find_spec(name) is not None


LOAD_OF_A_SESSION = """
import sys
from sessionbucket import open_store
with open_store(sys.argv[1]) as store:
    assert store.load(sys.argv[2]) is not None
"""


def test_a_load_from_a_bucket_loads_no_rarely_needed_module(moto: Location):
    assert loaded_at_the_end_of_a_load(moto, RARELY_NEEDED) == set()


def test_a_load_from_a_bucket_loads_botocore_and_not_boto3(moto: Location):
    assert loaded_at_the_end_of_a_load(moto, (*CLIENT_LIBRARIES, "s3transfer")) == {"botocore"}


def test_a_store_of_conversations_loads_no_pydantic(moto: Location, folder: Location):
    program = """
import sys
from sessionbucket import Conversation, open_store
for url in sys.argv[1:]:
    with open_store(url, model=Conversation) as store:
        store.save(Conversation(id="c", messages=[{"role": "user"}]), overwrite=True)
        store.update("c", lambda found: found.messages.append({"role": "assistant"}))
        assert len(store.load("c").messages) == 2
        assert [info.id for info in store.iter_sessions()] == ["c"]
"""
    urls = (folder.url(), moto.url(), moto.url(engine="obstore"))
    unwanted = ("pydantic", "pydantic_core", "typing_extensions", "sessionbucket.models.session")
    assert loaded_by(program, *urls[:1], of=unwanted) == set()
    assert loaded_by(program, *urls[1:], of=("pydantic", "sessionbucket.models.session")) == set()


def test_policies_load_with_their_first_value():
    program = "from sessionbucket import MemoryBucket, SessionData, SessionStore; SessionStore(MemoryBucket()).save(SessionData(id='s'))"
    policies = ("sessionbucket.models.policies", "sessionbucket.models.queues")
    assert loaded_by(program, of=policies) == set()
    given = "; SessionData.model_validate({'id': 's', 'config': {'permission_policy': {}}})"
    assert loaded_by(program + given, of=policies) == set(policies)


def test_only_the_url_of_a_folder_loads_the_lock_library(folder: Location):
    program = "import sys; from sessionbucket import open_store; open_store(sys.argv[1])"
    assert loaded_by(program, "memory://", of=("filelock",)) == set()
    assert loaded_by(program, folder.url(), of=("filelock",)) == {"filelock"}


def loaded_at_the_end_of_a_load(location: Location, of: tuple[str, ...]) -> set[str]:
    with open_store(location.url()) as store:
        store.save(SessionData(id="s"), overwrite=True)
    return loaded_by(LOAD_OF_A_SESSION, location.url(), "s", of=of)


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_the_help_of_the_command_line_loads_neither_models_nor_client_libraries(option: str):
    program = f"""
import io, sys
sys.argv, sys.stdout, shown = ["sessionbucket", {option!r}], io.StringIO(), sys.stdout
from sessionbucket.cli import main
assert main() == 0
assert "sessionbucket" in sys.stdout.getvalue()
sys.stdout = shown
"""
    unwanted = ("botocore", "obstore", "filelock", "sessionbucket.models", "sessionbucket._sync")
    assert loaded_by(program, of=unwanted) == set()


def test_a_store_in_memory_or_in_a_folder_loads_no_client_library(folder: Location):
    program = """
import asyncio, sys
from sessionbucket import (SessionData, open_async_store, open_store)
for url in ("memory://", sys.argv[1]):
    with open_store(url) as store:
        store.save(SessionData(id="s"))
        assert store.load("s") and store.list() == ["s"]
        store.put_file("s", "x", b"x")
        store.health_check()
        store.delete("s")
    async def main():
        async with open_async_store(url) as store:
            await store.save(SessionData(id="s"))
            assert await store.list() == ["s"]
            await store.delete("s")
    asyncio.run(main())
"""
    assert loaded_by(program, folder.url()) == set()


@pytest.mark.parametrize("engine", ["default", "obstore"])
@pytest.mark.parametrize(
    "opening", ["open_store('{}')", "open_async_store('{}')", "open_async_documents('{}', 'mine')"]
)
def test_opening_a_bucket_loads_no_client_library(opening: str, engine: str, tmp_path: Path):
    """Not even where only botocore can read the settings: with a configuration file, or a profile in the URL."""
    configuration = tmp_path / "config"
    configuration.write_text("[profile p]\nregion = eu-north-1\n")
    url = "s3://bucket?profile=p" + ("" if engine == "default" else "&engine=obstore")
    program = f"""
import os
os.environ["AWS_CONFIG_FILE"] = {str(configuration)!r}
from sessionbucket import open_async_documents, open_async_store, open_store
kept = {opening.format(url)}
"""
    assert loaded_by(program) == set()


@pytest.mark.parametrize("engine", ["", "&engine=obstore"])
def test_a_bad_option_is_refused_before_a_client_library_loads(engine: str):
    program = f"""
from sessionbucket import InvalidArgumentError, open_store
for bad in ("zone=x", "max_attempts=0", "sse_kms_key_id=k", "endpoint_url=ftp://x"):
    try:
        open_store(f"s3://bucket?{{bad}}{engine}")
    except InvalidArgumentError:
        continue
    raise SystemExit(bad)
"""
    assert loaded_by(program) == set()


def test_every_public_name_resolves_and_is_listed_once():
    assert sessionbucket.__all__ == sorted(set(sessionbucket.__all__))
    for name in sessionbucket.__all__:
        assert getattr(sessionbucket, name) is not None
    assert set(sessionbucket.__all__) <= set(dir(sessionbucket))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = sessionbucket.nothing


@pytest.mark.parametrize(
    "name",
    [
        "open_store",
        "open_async_store",
        "SessionStore",
        "AsyncSessionStore",
        "BaseSessionStore",
        "AsyncBaseSessionStore",
        "S3Bucket",
        "AsyncS3Bucket",
        "FileBucket",
        "AsyncFileBucket",
        "MemoryBucket",
        "AsyncMemoryBucket",
        "Bucket",
        "AsyncBucket",
        "SessionData",
        "SessionInfo",
        "SessionPage",
        "SessionBucketError",
        "InvalidSessionIdError",
        "SessionConflictError",
        "SessionCorruptedError",
        "SessionTooLargeError",
        "ConditionalWritesUnsupportedError",
        "StoreUnavailableError",
        "AccessDeniedError",
        "BucketNotFoundError",
        "DeleteIncompleteError",
        "NotSupportedError",
    ],
)
def test_the_name_is_public(name: str):
    assert name in sessionbucket.__all__
