"""Fresh processes: cold starts up to the first session, the time of imports, and their times by module."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from functools import partial

from benchmarks.documents import document_of, session_of
from benchmarks.findings import Breakdown, Setting
from benchmarks.measuring import Timing
from benchmarks.processes import Finished, run_program
from benchmarks.rivals import bare_boto3
from benchmarks.running import KB, SYNC_ENGINES, Run, ours
from sessionbucket import AppendLog, Conversation, open_documents, open_store

SIZE = 50 * KB
PYTHON_ALONE = "python alone"
BARE_OBSTORE = "bare obstore"
FIRST_DOCUMENT = "first document"
BARE_SESSION = "bare obstore with openai-agents"
_SHOWN = 8
_IMPORT_LINE = re.compile(r"^import time:\s+(\d+) \|\s+\d+ \|\s+([\w.]+)$", re.MULTILINE)


def conversation(engine: str) -> str:
    """The name of a store of conversations with this engine in tables."""
    return f"{ours(engine)}, Conversation"


Start = Callable[..., Finished]
"""Takes ``python``, the options of the interpreter."""


def measure(run: Run) -> None:
    """Cold starts, imports, and their breakdown."""
    starts = _starts(run)
    rounds = run.pick(21, 1)
    timings = _in_turn({name: partial(_timed, start) for name, start in starts.items()}, rounds)
    run.findings.add(
        Setting("cold_start", "first session", run.main_server().name, SIZE), timings, against=bare_boto3.NAME
    )
    if run.has("obstore"):
        _measure_documents(run, rounds)
        if run.has("agents"):
            _measure_agents(run, rounds)
    imports = _in_turn(
        {name: partial(_import, name) for name in ("sessionbucket", "pydantic", "boto3")}, rounds
    )
    run.findings.add(Setting("cold_start", "import", "process", 0), imports, against="pydantic")
    for name, start in starts.items():
        if name != PYTHON_ALONE:
            run.findings.breakdowns.append(_breakdown(name, start))


def _starts(run: Run) -> dict[str, Start]:
    server = run.main_server()
    bucket = server.new_bucket()
    with open_store(server.store_url(bucket, "", "boto3")) as store:
        store.save(session_of(SIZE, "cold"))
    with open_store(server.store_url(bucket, "conversations", "boto3"), model=Conversation) as conversations:
        conversations.save(Conversation(id="cold", messages=document_of(session_of(SIZE))["messages"]))
    bare = (server.endpoint_url, bucket, "cold.json")
    starts: dict[str, Start] = {
        PYTHON_ALONE: partial(run_program, "cold_python"),
        bare_boto3.NAME: partial(run_program, "cold_boto3", *bare),
    }
    if run.has("obstore"):
        starts[BARE_OBSTORE] = partial(run_program, "cold_obstore", *bare)
    for engine in run.engines(SYNC_ENGINES):
        url = server.store_url(bucket, "", engine)
        starts[ours(engine)] = partial(run_program, "cold_sessionbucket", url, "cold")
        light = server.store_url(bucket, "conversations", engine)
        starts[conversation(engine)] = partial(run_program, "cold_conversation", light, "cold")
    return starts


def _measure_documents(run: Run, rounds: int) -> None:
    """Cold starts up to the first document, on obstore."""
    server = run.main_server()
    bucket = server.new_bucket()
    url = server.store_url(bucket, "", "obstore")
    body = json.dumps(document_of(session_of(SIZE))).encode()
    with open_documents(url, "cold") as documents:
        documents.put("cold.json", body)
        key = documents.full_key("cold.json")
    starts: dict[str, Start] = {
        BARE_OBSTORE: partial(run_program, "cold_obstore", server.endpoint_url, bucket, key),
        ours("obstore"): partial(run_program, "cold_documents", url, "cold.json"),
    }
    timings = _in_turn({name: partial(_timed, start) for name, start in starts.items()}, rounds)
    run.findings.add(Setting("cold_start", FIRST_DOCUMENT, server.name, SIZE), timings, against=BARE_OBSTORE)


def _measure_agents(run: Run, rounds: int) -> None:
    """Cold starts up to the first item of an agent's session, on obstore."""
    server = run.main_server()
    bucket = server.new_bucket()
    url = server.store_url(bucket, "", "obstore")
    items = [{"role": "user", "content": "x" * KB} for _ in range(SIZE // KB)]
    with open_documents(url, "openai-agents", integration=True) as documents:
        AppendLog(documents).append("cold", items)
    server.client.put_object(Bucket=bucket, Key="cold.json", Body=json.dumps(items))
    starts: dict[str, Start] = {
        BARE_SESSION: partial(run_program, "cold_openai_agents", server.endpoint_url, bucket, "cold.json"),
        ours("obstore"): partial(run_program, "cold_bucket_session", url),
    }
    timings = _in_turn({name: partial(_timed, start) for name, start in starts.items()}, rounds)
    setting = Setting("cold_start", "first items of an agent's session", server.name, SIZE)
    run.findings.add(setting, timings, against=BARE_SESSION)


def _timed(start: Start) -> Timing:
    return start(python=()).timing


def _in_turn(contenders: dict[str, Callable[[], Timing]], rounds: int) -> dict[str, list[Timing]]:
    """Like ``race``, with the time of each process. The first round fills the caches and is not counted."""
    timings: dict[str, list[Timing]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name in list(contenders) if number % 2 else list(reversed(contenders)):
            timings[name].append(contenders[name]())
    return {name: rounds_of[1:] for name, rounds_of in timings.items()}


def _import(module: str) -> Timing:
    elapsed, cpu = run_program("timed_import", module).output.split()
    return Timing(float(elapsed), float(cpu))


def _breakdown(subject: str, start: Start) -> Breakdown:
    """The times of the imports by module and by top-level package, without the imports inside each module."""
    packages: Counter[str] = Counter()
    modules: Counter[str] = Counter()
    for microseconds, module in _IMPORT_LINE.findall(start(python=("-X", "importtime")).errors):
        packages[module.split(".")[0]] += int(microseconds)
        modules[module] += int(microseconds)
    return Breakdown(subject, packages.total() / 1000, _slowest(packages), _slowest(modules))


def _slowest(microseconds: Counter[str]) -> dict[str, float]:
    return {name: used / 1000 for name, used in microseconds.most_common(_SHOWN)}
