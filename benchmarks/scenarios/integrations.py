"""The integrations beside the frameworks' other stores on S3: a turn and a resume after 10, 100 and 1,000 turns."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from importlib import import_module

from benchmarks.counting_proxy import CountingProxy
from benchmarks.findings import Cost, Setting
from benchmarks.frameworks import Open
from benchmarks.measuring import race
from benchmarks.prices import dollars
from benchmarks.running import Run
from benchmarks.servers import Server

SCENARIO = "integrations"
TURNS = (10, 100, 1000)
TURN, RESUME = "turn", "resume"
LANGGRAPH, STRANDS, SNAPSHOTS, CLAUDE = (
    "LangGraph",
    "Strands messages",
    "Strands snapshots",
    "Claude Agent SDK",
)
GROUPS = {
    LANGGRAPH: ("langgraph_checkpoint_objectstorage", "langgraph", "contenders"),
    STRANDS: ("strands", "strands", "repository_contenders"),
    SNAPSHOTS: ("strands", "strands", "snapshot_contenders"),
    CLAUDE: ("claude_agent_sdk", "claude", "contenders"),
}
"""The package of each, and the module and function that have its contenders."""
_MILLION = 1_000_000


def operation_of(group: str, operation: str) -> str:
    """The operation in the findings."""
    return f"{group}: {operation}"


def cost_of(group: str, operation: str, turns: int) -> str:
    """The operation in the costs."""
    return f"{operation_of(group, operation)} after {turns:,} turns"


def measure(run: Run) -> None:
    """Measure on the main server. The requests are counted through a proxy, before the races, which do without it."""
    server = run.main_server()
    for group, (package, module, function) in GROUPS.items():
        if run.has(package):
            contenders = getattr(import_module(f"benchmarks.frameworks.{module}"), function)(run)
            for turns in run.pick(TURNS, (10,)):
                _measure(run, server, group, turns, contenders)


def _measure(run: Run, server: Server, group: str, turns: int, contenders: dict[str, Open]) -> None:
    buckets = {subject: server.new_bucket() for subject in contenders}
    for subject, open in contenders.items():
        with closing(open(server, buckets[subject])) as conversation:
            conversation.prepare(turns)
    with CountingProxy(server) as proxy:
        for subject, open in contenders.items():
            with closing(open(proxy.server, buckets[subject])) as conversation:
                counted = {RESUME: proxy.count(conversation.resume)}
                conversation.take_turn()  # it may probe the server, and read the conversation first
                counted[TURN] = proxy.count(conversation.take_turn)
            for operation, requests in counted.items():
                run.findings.costs.append(
                    Cost(cost_of(group, operation, turns), subject, requests, dollars(requests) * _MILLION)
                )
    with ExitStack() as stack:
        opened = {
            subject: stack.enter_context(closing(open(server, buckets[subject])))
            for subject, open in contenders.items()
        }
        races: dict[str, dict[str, Callable[[], None]]] = {
            TURN: {subject: each.take_turn for subject, each in opened.items()},
            RESUME: {subject: each.resume for subject, each in opened.items()},
        }
        for operation, racers in races.items():
            timings = race(racers, rounds=run.pick(11 if turns < max(TURNS) else 5, 1))
            setting = Setting(SCENARIO, operation_of(group, operation), server.name, turns)
            run.findings.add(setting, timings, against=[*contenders][-1])
