"""The scenarios, one module a subject. Each has ``measure``, which adds to the findings of a run."""

from __future__ import annotations

from importlib import import_module

from benchmarks.running import Run

SCENARIOS = {
    "hot_path": "save and load of one session, by size",
    "concurrency": "async operations a second, by the number of concurrent tasks",
    "latency": "resumes, turns, concurrent tasks and listings behind 0, 5 and 20 ms of latency",
    "writers": "updates a second, by the number of writers, of one shared session or of one session each",
    "agents": "resuming 200 messages and saving a turn, beside strands-agents and langgraph",
    "integrations": "a turn and a resume of each integration, beside the framework's other stores on S3",
    "costs": "requests and dollars of each operation, counted at the server",
    "cold_start": "a fresh process to its first session or the first items of an agent, imports, and their times by module",
    "memory": "peak memory of a 10 MB session, in multiples of its body",
    "folders": "the file store beside bare files, and listing a folder",
    "listing": "listing stores of 100, 10,000 and 100,000 sessions",
    "summaries": "summaries of 10,000 sessions of which 1 % are stale, beside listing the sessions",
    "copying": "copying 10,000 sessions from a folder into a bucket, beside rclone and aws",
    "exporting": "exporting 10,000 sessions to Parquet, by one, two and four processes",
}


def measure(name: str, run: Run) -> None:
    """Measure the scenario of this name. This loads its module and the rivals in it."""
    import_module(f"benchmarks.scenarios.{name}").measure(run)
