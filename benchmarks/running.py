"""The run of a scenario: its servers, engines, effort and findings."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import sessionbucket
from benchmarks.findings import Findings
from benchmarks.servers import MOTO, SEAWEEDFS, Server, Servers

T = TypeVar("T")

KB, MB = 1000, 1_000_000
SYNC_ENGINES, ASYNC_ENGINES = ("boto3", "obstore"), ("aioboto3", "obstore")


def ours(engine: str) -> str:
    """The name of sessionbucket with this engine in tables."""
    return f"sessionbucket ({engine})"


@dataclass(slots=True)
class Run:
    """One run of scenarios."""

    servers: Servers
    findings: Findings
    quick: bool
    server_names: tuple[str, ...] = (SEAWEEDFS, MOTO)

    def pick(self, full: T, quick: T) -> T:
        """``full`` for figures, or ``quick`` for a run that only shows that everything works."""
        return quick if self.quick else full

    def each_server(self) -> Iterator[Server]:
        """Yield the servers to measure on."""
        for name in self.server_names:
            yield self.servers.get(name)

    def main_server(self) -> Server:
        """The first of the servers: SeaweedFS by default."""
        return self.servers.get(self.server_names[0])

    def engines(self, of: tuple[str, ...]) -> list[str]:
        """The installed ones of these engines."""
        there = hasattr(sessionbucket, "ObstoreBucket") and self.has("obstore")
        return [engine for engine in of if engine != "obstore" or there]

    def has(self, module: str) -> bool:
        """Whether a module is installed. A missing module is added to the notes."""
        found = find_spec(module) is not None
        if not found:
            self.note(f"{module} is not installed and was left out")
        return found

    def note(self, text: str) -> None:
        """Add a note: what was left out, and why."""
        if text not in self.findings.notes:
            self.findings.notes.append(text)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A temporary folder for a measurement, on the disk of ``TMPDIR``."""
        with tempfile.TemporaryDirectory(prefix="sessionbucket-bench-") as folder:
            yield Path(folder)
