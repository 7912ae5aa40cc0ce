"""Writes the sync twin of every async source: ``_sync/`` from ``_async/``.

``python scripts/generate_sync.py`` rewrites the twins; with ``--check`` it only compares, and fails on a difference.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
SOURCES = (
    "src/sessionbucket/_async",
    "src/sessionbucket/testing/_async",
    "tests/conformance/_async",
    "tests/testing/_async",
)

RULES = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\basync (def|with|for)\b", r"\1"),
        (r"\bawait ", ""),
        (r"\bAsyncGenerator\[(.+?), None\]", r"Generator[\1, None, None]"),
        (r" \| Awaitable\[SessionT \| None\]", ""),
        (r"\bAwaitable\[(\w+)\]", r"\1"),
        (r"\bAsync(?=[A-Z])", ""),
        (r"\basync_(store|bucket)\b", r"\1"),
        (r"\bopen_async_store\b", "open_store"),
        (r"\b__a(enter|exit|iter|next)__\b", r"__\1__"),
        (r"\bStopAsyncIteration\b", "StopIteration"),
        (r"\b(aclose|aiter|anext)\b", lambda found: found[0][1:]),
        (r"\b_async\b", "_sync"),
        (r"\b_concurrency\.asyncio_\b", "_concurrency.threads"),
        (r"\b_backends\.s3\.aioboto3_client\b", "_backends.s3.boto3_client"),
        (r"\baioboto3\b", "boto3"),
        (r"\baiobotocore\b", "botocore"),
        (r"\b(get|put|delete|bytes|sign)_async\b", r"\1"),
    )
]


def generate(source: str) -> str:
    for pattern, replacement in RULES:
        source = pattern.sub(replacement, source)
    return source


def twins() -> dict[Path, str]:
    """Every generated file with the text it must have before formatting."""
    return {
        folder.parent / "_sync" / path.relative_to(folder): generate(path.read_text())
        for folder in (PROJECT / source for source in SOURCES)
        for path in sorted(folder.rglob("*.py"))
    }


def formatted(text: str, path: Path) -> str:
    for command in (["check", "--select", "I,F401", "--fix", "--quiet"], ["format", "--quiet"]):
        ran = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(path), "-"],
            input=text,
            capture_output=True,
            text=True,
            check=True,
            cwd=PROJECT,
        )
        text = ran.stdout
    return text


def main(check: bool) -> int:
    wanted = {path: formatted(text, path) for path, text in twins().items()}
    present = {
        path for source in SOURCES for path in (PROJECT / source).parent.joinpath("_sync").rglob("*.py")
    }
    stale = [path for path in present if path not in wanted]
    stale += [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    if check:
        for path in stale:
            print(
                f"{path.relative_to(PROJECT)} is not what its async source gives; run scripts/generate_sync.py"
            )
        return 1 if stale else 0
    for path in stale:
        if path in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path])
        else:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
