"""The programs these tests run, where a machine has them: Terraform with the AWS provider, and Node.js with npm."""

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
_AWS_PROVIDER = Path("registry.terraform.io", "hashicorp", "aws")
_LEFT_BEHIND = (".terraform", ".terraform.lock.hcl", "*.tfstate", "*.tfstate.*")


def required(name: str) -> str:
    """The path of a program. Without it the test is skipped, but in CI it fails."""
    program = shutil.which(name)
    return program if program is not None else missing(f"{name} is not on the PATH")


def missing(reason: str) -> Any:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass(frozen=True)
class Terraform:
    """Terraform, run offline on folders of the caller's own."""

    program: str
    environment: Mapping[str, str]

    def command(self, folder: Path, *arguments: str) -> subprocess.Popen[str]:
        """Begin a command in the folder."""
        return subprocess.Popen(
            [self.program, *arguments],
            cwd=folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, folder: Path, *arguments: str) -> str:
        """What a command prints. Raises ``AssertionError`` with that where it fails."""
        return finish(self.command(folder, *arguments))

    def initialise(self, folder: Path) -> Path:
        self.run(folder, "init", "-backend=false", "-no-color")
        return folder

    def outputs(self, folder: Path) -> dict[str, Any]:
        return {name: row["value"] for name, row in json.loads(self.run(folder, "output", "-json")).items()}


def finish(command: subprocess.Popen[str]) -> str:
    printed, _ = command.communicate()
    assert command.returncode == 0, printed
    return printed


def with_variables(folder: Path, values: Mapping[str, Any]) -> Path:
    """Give the folder's variables these values, in place of those they had."""
    (folder / "terraform.tfvars.json").write_text(json.dumps(values))
    return folder


def copy_of(folder: Path, target: Path) -> Path:
    """The module or example as it is checked in."""
    return shutil.copytree(folder, target, ignore=shutil.ignore_patterns(*_LEFT_BEHIND))


def offline_environment(folder: Path) -> dict[str, str]:
    """An environment in which Terraform finds its providers on this machine, if ``provider_mirror`` does."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("TF_VAR_", "TF_CLI_ARGS"))
    }
    configured = os.environ.get("TF_CLI_CONFIG_FILE")
    if not (configured and Path(configured).is_file()):
        mirror = provider_mirror()
        configuration = folder / "terraform.rc"
        configuration.write_text(
            f"provider_installation {{\n  filesystem_mirror {{\n    path = {json.dumps(str(mirror))}\n  }}\n}}\n"
            if mirror
            else ""
        )
        kept["TF_CLI_CONFIG_FILE"] = str(configuration)
    return {**kept, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}


def has_provider_configuration() -> bool:
    """Whether the user's own configuration says where providers come from."""
    configured = os.environ.get("TF_CLI_CONFIG_FILE")
    return bool(configured and Path(configured).is_file())


def provider_mirror() -> Path | None:
    """A folder on this machine that mirrors a registry and has the AWS provider in it."""
    for folder in _folders():
        if any((folder / _AWS_PROVIDER).glob("[0-9]*/*")) or any((folder / _AWS_PROVIDER).glob("*.zip")):
            return folder
    return None


def _folders() -> Iterator[Path]:
    """``TF_PLUGIN_DIR``, Terraform's implied mirrors, its cache, and where programs are put that no package manager knows."""
    home = Path.home()
    for name in ("TF_PLUGIN_DIR", "TF_PLUGIN_CACHE_DIR"):
        if os.environ.get(name):
            yield Path(os.environ[name])
    data = [os.environ.get("XDG_DATA_HOME") or home / ".local/share"]
    data += (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")
    yield from (home / ".terraform.d" / name for name in ("plugins", "plugin-cache"))
    yield from (Path(folder) / "terraform" / "plugins" for folder in data)
    for base in ("/opt", "/usr/local", "/usr/local/lib", "/usr/lib", "/srv", "/var/lib"):
        yield from (path.parent for path in sorted(Path(base).glob("*/registry.terraform.io")))
        yield from (path.parent for path in sorted(Path(base).glob("*/*/registry.terraform.io")))
