"""The targets of sessionbucket, and whether a run reached them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.findings import CPU, ELAPSED, MEMORY, RATE, Findings, Samples
from benchmarks.measuring import Spread
from benchmarks.rivals import bare_boto3
from benchmarks.running import KB, MB, SYNC_ENGINES, ours
from benchmarks.scenarios import exporting
from benchmarks.scenarios.agents import FOLDER, MESSAGES, SNAPSHOTS, STRANDS
from benchmarks.scenarios.cold_start import BARE_OBSTORE, FIRST_DOCUMENT, conversation
from benchmarks.scenarios.hot_path import BOTH, DOCUMENT
from benchmarks.scenarios.latency import TARGET_DELAY, TARGET_SESSIONS
from benchmarks.scenarios.memory import COMPRESSED
from benchmarks.scenarios.summaries import OPERATION, SCENARIO, SESSIONS, listed
from benchmarks.servers import SEAWEEDFS, delayed

BOTO3, AIOBOTO3, OBSTORE = ours("boto3"), ours("aioboto3"), ours("obstore")
PARALLEL = ", parallel"
_BEHIND = delayed(SEAWEEDFS, TARGET_DELAY)


@dataclass(frozen=True, slots=True)
class Target:
    """A figure to reach: a subject's ratio to a rival, or its own value when there is no rival."""

    title: str
    scenario: str
    operation: str
    case: int
    quantity: str
    subject: str
    against: str | None
    limit: float
    at_least: bool = False
    where: str = SEAWEEDFS

    def holds(self, found: Spread) -> bool:
        """Whether the median reaches the target."""
        return found.median >= self.limit if self.at_least else found.median <= self.limit

    @property
    def bound(self) -> str:
        """The limit as text."""
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"


def _of_hot_path(operation: str, subject: str, limit: float) -> Target:
    title = f"CPU of {operation}, 50 kB, against bare boto3 with json"
    return Target(title, "hot_path", operation, 50 * KB, CPU, subject, bare_boto3.NAME, limit)


def _of_listing(subject: str, against: str, limit: float) -> Target:
    title = f"listing 100,000 sessions, against {against}"
    return Target(title, "listing", "list", 100_000, ELAPSED, subject, against, limit)


def _of_listing_behind(subject: str, against: str, limit: float) -> Target:
    title = f"listing 100,000 sessions behind {TARGET_DELAY} ms, against {against}"
    return Target(title, "listing", "list", TARGET_SESSIONS, ELAPSED, subject, against, limit, where=_BEHIND)


def _of_memory(operation: str, subject: str, limit: float = 5) -> Target:
    title = f"peak memory of {operation}, 10 MB, in multiples of the body"
    return Target(title, "memory", operation, 10 * MB, MEMORY, subject, None, limit)


def _of_cold_start(subject: str, limit: float) -> Target:
    title = "CPU of a cold start to a first session, against bare boto3"
    return Target(title, "cold_start", "first session", 50 * KB, CPU, subject, bare_boto3.NAME, limit)


def _of_agents(operation: str, subject: str, rival: str, limit: float) -> Target:
    title = f"{operation} with 200 messages, against {rival}"
    return Target(title, "agents", operation, MESSAGES, ELAPSED, subject, rival, limit)


TARGETS = (
    _of_hot_path(BOTH, BOTO3, 1.12),
    _of_hot_path(BOTH, OBSTORE, 0.36),
    Target(
        "CPU of put and get of a document, 50 kB, against bare obstore",
        "hot_path",
        DOCUMENT,
        50 * KB,
        CPU,
        OBSTORE,
        BARE_OBSTORE,
        1.2,
    ),
    Target(
        f"async operations a second behind {TARGET_DELAY} ms, 32 at once, against bare aiobotocore",
        "concurrency",
        "save and load",
        32,
        RATE,
        OBSTORE,
        "bare aiobotocore",
        2.3,
        at_least=True,
        where=_BEHIND,
    ),
    _of_cold_start(BOTO3, 1.15),
    _of_cold_start(OBSTORE, 0.50),
    _of_cold_start(conversation("obstore"), 0.40),
    Target(
        "CPU of a cold start to a first document, against bare obstore",
        "cold_start",
        FIRST_DOCUMENT,
        50 * KB,
        CPU,
        OBSTORE,
        BARE_OBSTORE,
        1.3,
    ),
    Target(
        "cold start to the first items of an agent's session, CPU time, against obstore and the framework alone",
        "cold_start",
        "first items of an agent's session",
        50 * KB,
        CPU,
        OBSTORE,
        "bare obstore with openai-agents",
        1.3,
    ),
    Target(
        "import sessionbucket, against import pydantic",
        "cold_start",
        "import",
        0,
        ELAPSED,
        "sessionbucket",
        "pydantic",
        1.5,
        where="process",
    ),
    *(
        target
        for subject in (BOTO3, OBSTORE)
        for target in (
            _of_agents("resume", subject, SNAPSHOTS, 0.6),
            _of_agents("turn", subject, SNAPSHOTS, 0.6),
            _of_agents("resume", subject, STRANDS, 0.03),
            _of_agents("turn", subject, STRANDS, 1),
        )
    ),
    _of_listing(BOTO3, bare_boto3.NAME, 0.45),
    _of_listing_behind(OBSTORE, BARE_OBSTORE, 1.05),
    _of_listing_behind(OBSTORE + PARALLEL, BARE_OBSTORE, 0.35),
    *(
        Target(
            f"summaries of 10,000 sessions{behind}, 1 % of them stale, against listing the sessions",
            SCENARIO,
            OPERATION,
            SESSIONS,
            ELAPSED,
            ours(engine),
            listed(engine),
            1.2,
            where=where,
        )
        for where, behind in ((SEAWEEDFS, ""), (_BEHIND, f" behind {TARGET_DELAY} ms"))
        for engine in SYNC_ENGINES
    ),
    Target(
        f"export of 10,000 sessions behind {exporting.DISTANT} ms, against one worker",
        "exporting",
        "export",
        exporting.SESSIONS,
        ELAPSED,
        exporting.subject(4),
        exporting.subject(1),
        0.33,
        where=delayed(SEAWEEDFS, exporting.DISTANT),
    ),
    Target(
        "file store: save of 50 kB, against write, fsync, rename, fsync by hand",
        "folders",
        "save",
        50 * KB,
        ELAPSED,
        ours(FOLDER),
        "bare fsync and rename",
        1.5,
        where=FOLDER,
    ),
    Target(
        "file store: seconds of CPU to list 100,000 sessions",
        "folders",
        "list",
        100_000,
        CPU,
        ours(FOLDER),
        None,
        1.0,
        where=FOLDER,
    ),
    *(_of_memory(operation, subject) for subject in (BOTO3, OBSTORE) for operation in ("load", "save")),
    _of_memory("load", COMPRESSED, 4.5),
    Target(
        "cp of 10,000 sessions from a folder, against rclone copy",
        "copying",
        "copy",
        10_000,
        ELAPSED,
        OBSTORE,
        "rclone",
        1.5,
    ),
)


def measured_targets(findings: Findings) -> Iterator[tuple[Target, Spread | None]]:
    """Each target with its measured spread, or None when the run did not measure it."""
    for target in TARGETS:
        yield target, _found(findings, target)


def _found(findings: Findings, target: Target) -> Spread | None:
    samples: Samples | None = next(
        findings.find(
            scenario=target.scenario,
            operation=target.operation,
            where=target.where,
            case=target.case,
            quantity=target.quantity,
            subject=target.subject,
        ),
        None,
    )
    if samples is None:
        return None
    return findings.ratio(samples, target.against) if target.against else Spread.of(samples.values)
