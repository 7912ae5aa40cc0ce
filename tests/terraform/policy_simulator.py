"""Evaluates requests against policies with iam-simulate, which supports every condition operator.

moto ignores the conditions of bucket policies, and no package on PyPI supports all of them. So this evaluator comes from npm, and
runs as a separate process. https://github.com/cloud-copilot/iam-simulate
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock

from terraform.programs import missing, required

BUCKET_ARN = "arn:aws:s3:::acme-sessions"
KEY_ARN = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
S3_SERVICE = "s3.eu-central-1.amazonaws.com"
ACCOUNT = "123456789012"
PRINCIPAL = f"arn:aws:iam::{ACCOUNT}:role/somebody"
ADMINISTRATOR = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
_KEY_POLICY = {  # the default policy of a key: the policies of the account decide
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}
_SOURCE = Path(__file__).parent / "simulator"


@dataclass(frozen=True)
class Request:
    """An action on a resource, with its condition keys."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)

    def moved(self, prefix: str, to: str) -> Request:
        """The same request of a store at another prefix."""
        context = {key: value.replace(f"{prefix}/", f"{to}/") for key, value in self.context.items()}
        return Request(self.action, self.resource.replace(f"/{prefix}/", f"/{to}/"), context)

    def __str__(self) -> str:
        return f"{self.action} {self.resource} {dict(self.context)}"


class Simulator:
    """The process of the evaluator, which evaluates one request after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def decide(self, request: Request, identity: Any, bucket: Any) -> str:
        """``Allowed``, ``ImplicitlyDenied`` or ``ExplicitlyDenied`` for a principal whose only policy is ``identity``."""
        simulation = {
            "request": {
                "principal": PRINCIPAL,
                "action": request.action,
                "resource": {"resource": request.resource, "accountId": ACCOUNT},
                "contextVariables": dict(request.context),
            },
            "identityPolicies": [{"name": "identity", "policy": identity}],
            "resourcePolicy": _KEY_POLICY if request.action.startswith("kms:") else bucket,
            "serviceControlPolicies": [],
            "resourceControlPolicies": [],
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(simulation) + "\n")
        self._process.stdin.flush()
        result = json.loads(self._process.stdout.readline())
        assert "error" not in result, f"{request} cannot be simulated: {result['error']}"
        return str(result["decision"])


@dataclass(frozen=True)
class Policies:
    """The policies of one bucket and its stores."""

    simulator: Simulator
    bucket: Any
    agent: dict[str, Any]
    reader: dict[str, Any]
    historian: dict[str, Any]
    eraser: dict[str, Any]

    def decide(self, identity: Any, request: Request) -> str:
        return self.simulator.decide(request, identity, self.bucket)

    def allows(self, identity: Any, request: Request) -> bool:
        return self.decide(identity, request) == "Allowed"


MakePolicies = Callable[..., Policies]


@contextmanager
def running_simulator(cache: Path) -> Iterator[Simulator]:
    """Start the evaluator. Installs it under ``cache`` on first use."""
    node = required("node")
    folder = _installed(cache)
    with subprocess.Popen(
        [node, str(folder / "simulate.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Simulator(process)
        assert process.stdin is not None
        process.stdin.close()


def _installed(cache: Path) -> Path:
    npm = required("npm")
    version = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(_SOURCE.iterdir()))).hexdigest()
    folder = cache / version[:12]
    with FileLock(cache / "installing.lock"):
        if not folder.exists():
            unfinished = cache / "unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            shutil.copytree(_SOURCE, unfinished)
            command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            done = subprocess.run(command, cwd=unfinished, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                missing(f"npm cannot install the evaluator of policies: {done.stderr}")
            unfinished.rename(folder)
    return folder
