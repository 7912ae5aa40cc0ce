"""The deployment packages of ``make lambda-zip``."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import pytest

from conformance.locations import Location
from sessionbucket import open_store

SCRIPT = Path(__file__).parents[2] / "scripts" / "lambda_zip.py"
RUNTIME = Path(__file__).with_name("lambda_runtime.py")
IN_THE_RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six")
ELF_MACHINES = {"x86_64": 62, "arm64": 183}
HERE = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), "")

Build = Callable[..., Path]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Builds a package with the script, once for equal arguments, and returns its path."""
    folder = tmp_path_factory.mktemp("packages")

    @cache
    def built(engine: str, architecture: str, *arguments: str, into: str = "dist") -> Path:
        command = [sys.executable, str(SCRIPT), f"--engine={engine}", f"--architecture={architecture}"]
        ran = subprocess.run(
            [*command, f"--into={folder / into}", *arguments], capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
        name, megabytes = re.search(r"^(\S+) +([\d.]+) MB", ran.stdout, re.MULTILINE).groups()
        package = folder / into / name
        assert float(megabytes) == pytest.approx(package.stat().st_size / 1e6, abs=0.05)
        return package

    return built


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_the_boto3_package_is_small_and_for_its_processor(build: Build, architecture: str):
    package = build("boto3", architecture)
    assert package.name == f"lambda-{architecture}.zip"
    assert package.stat().st_size < 6_000_000
    with ZipFile(package) as opened:
        names = opened.namelist()
        libraries = [name for name in names if name.endswith(".so")]
        machines = {int.from_bytes(opened.read(name)[18:20], "little") for name in libraries}
        assert all(opened.getinfo(name).external_attr >> 16 == 0o644 for name in names)
    assert machines == {ELF_MACHINES[architecture]}
    assert any("pydantic_core" in name and "cpython-312" in name for name in libraries)
    assert {"handler.py", "async_handler.py", "turns.py", "agent.py", "sessionbucket/__init__.py"} <= set(
        names
    )
    top_level = {name.split("/")[0].removesuffix(".py") for name in names}
    assert not top_level & {*IN_THE_RUNTIME, "tests", "bin", "aioboto3", "obstore"}


def _is_unchecked(bytecode: Path) -> bool:
    """Whether Python uses the bytecode whatever the time of its source: flags 1 of PEP 552."""
    return bytecode.read_bytes()[4:8] == b"\x01\x00\x00\x00"


@pytest.mark.slow
def test_two_builds_of_the_same_versions_are_equal(build: Build):
    first, second = build("boto3", "arm64"), build("boto3", "arm64", into="again")
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.skipif(sys.platform != "linux" or not HERE, reason="Lambda's packages run on Linux")
@pytest.mark.parametrize(
    ("engine", "modules"),
    [
        pytest.param("boto3", ["handler"], marks=pytest.mark.slow),
        pytest.param("obstore", ["handler", "async_handler"], marks=pytest.mark.slow),
    ],
)
def test_a_package_needs_nothing_but_the_runtime_for_a_turn(
    build: Build, moto: Location, tmp_path: Path, engine: str, modules: list[str]
):
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    package, runtime = tmp_path / "package", tmp_path / "runtime"
    with ZipFile(build(engine, HERE, f"--python={version}")) as opened:
        opened.extractall(package)
    bytecode = (
        package / "sessionbucket" / "_sync" / "__pycache__" / f"store.{sys.implementation.cache_tag}.pyc"
    )
    assert _is_unchecked(bytecode)
    runtime.mkdir()
    for name in IN_THE_RUNTIME:
        origin = Path(find_spec(name).origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (runtime / source.name).symlink_to(source)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(package), str(runtime)]),
        "SESSIONBUCKET_URL": moto.url(),
    }
    for module in modules:
        ran = subprocess.run(
            # -S: without the packages of this environment
            [sys.executable, "-S", str(RUNTIME), module, "30"],
            input=json.dumps({"session_id": module, "text": "hello"}) + "\n",
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
        assert ran.returncode == 0, ran.stderr
        result = json.loads(ran.stdout)
        assert result["response"]["statusCode"] == 200, ran.stdout
        assert result["clients"] == (1 if engine == "boto3" else 0)
    with open_store(moto.url()) as store:
        assert store.list() == sorted(modules)
