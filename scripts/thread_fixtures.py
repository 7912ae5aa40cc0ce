"""Writes ``tests/fixtures/threads/`` again, with the frameworks of ``tests/frameworks/versions.toml``, one after another.

``python scripts/thread_fixtures.py`` writes all, and ``python scripts/thread_fixtures.py langgraph`` those of one framework.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib

from frameworks import PROJECT, TESTS, prepare

FIXTURES = PROJECT / "tests" / "fixtures" / "threads"
KINDS = {
    "langgraph": ("langgraph", "langgraph-store"),
    "openai-agents": ("openai-agents",),
    "claude-agent-sdk": ("claude",),
    "pydantic-ai": ("pydantic-ai",),
    "strands": ("strands",),
    "google-adk": ("adk", "adk-artifacts"),
    "agent-framework": ("agent-framework",),
    "llama-index": ("llama-index",),
}


def main(names: list[str]) -> None:
    frameworks = tomllib.loads((TESTS / "versions.toml").read_text())
    for name in names or KINDS:
        python = prepare(name, frameworks[name]) / "bin" / "python"
        for kind in KINDS[name]:
            shutil.rmtree(FIXTURES / kind, ignore_errors=True)
        subprocess.run([python, TESTS / "write_threads.py", name, FIXTURES], cwd=PROJECT, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
