"""The programs of these tests: Terraform with the AWS provider, and Node.js with npm."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]
MODULE = PROJECT / "terraform"
_LEFT_BEHIND = (".terraform", ".terraform.lock.hcl", "*.tfstate", "*.tfstate.*")


def required(name: str) -> str:
    """The path of a program. Without the program the test is skipped, but in CI it fails."""
    program = shutil.which(name)
    return program if program is not None else missing(f"{name} is not on the PATH")


def missing(reason: str) -> Any:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass(frozen=True)
class Terraform:
    """Terraform, run offline in folders of the caller."""

    program: str
    environment: Mapping[str, str]

    def attempt(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the folder, whatever its exit code. ``stdout`` is its whole output."""
        return subprocess.run(
            [self.program, *arguments],
            cwd=folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def run(self, folder: Path, *arguments: str) -> str:
        """Run a command, and return its output. Raises ``AssertionError`` with the output when it fails."""
        done = self.attempt(folder, *arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def initialise(self, folder: Path) -> Path:
        self.run(folder, "init", "-backend=false", "-no-color")
        return folder

    def outputs(self, folder: Path) -> dict[str, Any]:
        return {name: row["value"] for name, row in json.loads(self.run(folder, "output", "-json")).items()}


def with_variables(folder: Path, values: Mapping[str, Any]) -> Path:
    """Set the folder's variables to these values, and return the folder."""
    (folder / "terraform.tfvars.json").write_text(json.dumps(values))
    return folder


def copy_of(folder: Path, target: Path) -> Path:
    """Copy the checked-in files of the module or example."""
    return shutil.copytree(folder, target, ignore=shutil.ignore_patterns(*_LEFT_BEHIND))


def environment(folder: Path) -> dict[str, str]:
    """An environment in which Terraform does not use a registry.

    It finds providers through the user's ``TF_CLI_CONFIG_FILE``, or else in a mirror on this machine, through a configuration
    file in the folder.
    """
    inherited = ("TF_VAR_", "TF_CLI_ARGS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(inherited)}
    configuration = _users_configuration()
    if configuration is None:
        configuration = folder / "terraform.rc"
        path = json.dumps(str(provider_mirror() or folder))
        configuration.write_text(
            f"provider_installation {{\n  filesystem_mirror {{\n    path = {path}\n  }}\n}}\n"
        )
    own = {"TF_CLI_CONFIG_FILE": str(configuration), "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    return {**kept, **own}


def has_aws_provider() -> bool:
    return _users_configuration() is not None or provider_mirror() is not None


def _users_configuration() -> Path | None:
    name = os.environ.get("TF_CLI_CONFIG_FILE")
    return Path(name) if name and Path(name).is_file() else None


def provider_mirror() -> Path | None:
    """A folder on this machine that mirrors a registry with the AWS provider, unpacked or packed."""
    for folder in _folders():
        provider = folder / "registry.terraform.io" / "hashicorp" / "aws"
        if any(provider.glob("[0-9]*/*")) or any(provider.glob("*.zip")):
            return folder
    return None


def _folders() -> Iterator[Path]:
    """Possible mirrors: the folders of the environment, Terraform's default folders, and those of manual installations."""
    named = (os.environ.get(name) for name in ("TF_PLUGIN_DIR", "TF_PLUGIN_CACHE_DIR"))
    yield from (Path(folder) for folder in named if folder)
    home = Path.home()
    yield from (home / ".terraform.d" / name for name in ("plugins", "plugin-cache"))
    data = [os.environ.get("XDG_DATA_HOME") or str(home / ".local" / "share")]
    data += (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")
    yield from (Path(folder) / "terraform" / "plugins" for folder in data)
    for base in ("/opt", "/srv", "/usr/lib", "/usr/local", "/usr/local/lib", "/var/lib"):
        for depth in ("*", "*/*"):
            yield from (path.parent for path in sorted(Path(base).glob(f"{depth}/registry.terraform.io")))
