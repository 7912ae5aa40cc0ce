"""Builds the deployment packages of ``examples/lambda`` for AWS Lambda, and prints their sizes.

``python scripts/lambda_zip.py`` builds all into ``dist/``; ``--engine`` and ``--architecture`` choose among them. A package holds
the handlers, sessionbucket without the command line, exports, integrations, test tools and the viewer, what these need, from
wheels, and the bytecode of all modules: Lambda's file system is read-only, so that every cold start would compile them again. It
needs a Python of the runtime's version. The same versions give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

PROJECT = Path(__file__).resolve().parent.parent
ARCHITECTURES = {"x86_64": "x86_64", "arm64": "aarch64"}
"""Lambda's names, and those of wheels."""
ENGINES = ("boto3", "obstore", "aioboto3")
GLIBC = ("manylinux_2_28", "manylinux_2_24", "manylinux_2_17", "manylinux2014")
"""What Amazon Linux 2023, on which Python 3.12 and later run there, can load."""
LIMIT = 6_000_000
"""Bytes that the package over the runtime's boto3 may have."""
_SKIPPED = ("bin",)
_OF_OTHER_EXTRAS = ("cli", "export", "integrations", "testing", "web")
"""Parts of sessionbucket that need packages which the handlers do not have."""
_THE_EPOCH = (1980, 1, 1, 0, 0, 0)


def package_name(engine: str, architecture: str) -> str:
    """The file's name: that of the engine is left out for boto3."""
    return f"lambda-{architecture}.zip" if engine == "boto3" else f"lambda-{engine}-{architecture}.zip"


def requirements(engine: str) -> list[str]:
    """What has to be in the package. boto3 is in the runtime, but aioboto3 works with the botocore that it pins alone."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    needed = [line for line in project["dependencies"] if not re.match(r"boto3\b", line)]
    extras = {"boto3": None, "obstore": "obstore", "aioboto3": "async"}
    extra = extras[engine]
    return needed + (project["optional-dependencies"][extra] if extra else [])


def fill(folder: Path, engine: str, architecture: str, python: str) -> None:
    """Put into the folder what the package is to hold."""
    machine = ARCHITECTURES[architecture]
    # The markers of requirements are read for the Python that runs this; none of ours tells 3.11 and later apart.
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-compile",
    ]
    command += [
        "--target",
        str(folder),
        "--only-binary=:all:",
        "--implementation=cp",
        f"--python-version={python}",
    ]
    command += [f"--platform={glibc}_{machine}" for glibc in GLIBC]
    subprocess.run([*command, *requirements(engine)], check=True)
    ignored = shutil.ignore_patterns("__pycache__", *_OF_OTHER_EXTRAS)
    shutil.copytree(PROJECT / "src" / "sessionbucket", folder / "sessionbucket", ignore=ignored)
    for source in (PROJECT / "examples" / "lambda").glob("*.py"):
        shutil.copy(source, folder)


def compile_all(folder: Path, python: str) -> bool:
    """Write the bytecode of all modules beside them. Returns False when no Python of this version is installed.

    The bytecode is unchecked, because the times of unpacked files are not those of the package.
    """
    interpreter = _interpreter(python)
    if interpreter is None:
        return False
    command = [
        interpreter,
        "-m",
        "compileall",
        "-q",
        "--invalidation-mode=unchecked-hash",
        "-s",
        str(folder),
        str(folder),
    ]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": "0"})
    return True


def _interpreter(python: str) -> str | None:
    """A command of this version of Python."""
    if python == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    name = shutil.which(f"python{python}")
    # A shim of pyenv is there for versions that are not active, and fails.
    works = (
        name is not None
        and subprocess.run([name, "-c", ""], capture_output=True, check=False).returncode == 0
    )
    return name if works else None


def files_of(folder: Path) -> Iterator[Path]:
    """The files of the package, in the order of their names."""
    for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
        if path.is_file() and not set(path.relative_to(folder).parts) & set(_SKIPPED):
            yield path


def write_zip(folder: Path, target: Path) -> None:
    """Zip the folder so that the same files give the same bytes."""
    with ZipFile(target, "w", ZIP_DEFLATED, compresslevel=9) as package:
        for path in files_of(folder):
            entry = ZipInfo(path.relative_to(folder).as_posix(), _THE_EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = ZIP_DEFLATED
            package.writestr(entry, path.read_bytes())


def build(engine: str, architecture: str, python: str, into: Path) -> Path:
    """Build one package, and print its size and location."""
    into.mkdir(parents=True, exist_ok=True)
    target = into / package_name(engine, architecture)
    with tempfile.TemporaryDirectory(prefix="sessionbucket-lambda-") as folder:
        fill(Path(folder), engine, architecture, python)
        if not compile_all(Path(folder), python):
            print(
                f"{target.name}: without bytecode, since python{python} is not installed; cold starts are slower"
            )
        unzipped = sum(path.stat().st_size for path in files_of(Path(folder)))
        write_zip(Path(folder), target)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    print(
        f"{target.name:28} {target.stat().st_size / 1e6:5.1f} MB, unzipped {unzipped / 1e6:5.1f} MB  sha256 {digest[:16]}"
    )
    return target


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--engine", choices=ENGINES, action="append", help="all, if not given")
    parser.add_argument("--architecture", choices=ARCHITECTURES, action="append", help="both, if not given")
    parser.add_argument("--python", default="3.12", help="the runtime's version; 3.12 if not given")
    parser.add_argument("--into", type=Path, default=PROJECT / "dist", help="the folder; dist/ if not given")
    chosen = parser.parse_args()
    too_large = []
    for engine in chosen.engine or ENGINES:
        for architecture in chosen.architecture or ARCHITECTURES:
            package = build(engine, architecture, chosen.python, chosen.into)
            if engine == "boto3" and package.stat().st_size >= LIMIT:
                too_large.append(package.name)
    if too_large:
        print(f"larger than {LIMIT / 1e6:.0f} MB: {', '.join(too_large)}")
    return 1 if too_large else 0


if __name__ == "__main__":
    sys.exit(main())
