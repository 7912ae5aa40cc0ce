"""Generates the sync side: every ``_sync/`` folder from the ``_async/`` folder beside it.

``python scripts/generate_sync.py`` rewrites the generated files. With ``--check`` it only compares them, and fails on a difference.
Either way it fails when a rule changes no source.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
SOURCES = ("src/sessionbucket/_async", "src/sessionbucket/testing/_async")
HEADER = "# Generated from {source} by scripts/generate_sync.py: do not edit.\n"

Replacement = str | Callable[[re.Match[str]], str]
RULES: list[tuple[re.Pattern[str], Replacement]] = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\basync (def|with|for)\b", r"\1"),
        (r"\bawait ", ""),
        (r"\bAsyncGenerator\[(.+?), None\]", r"Generator[\1, None, None]"),
        (r" \| Awaitable\[\w+ \| None\]", ""),
        (r"\bAwaitable\[([^\[\]]+(?:\[[^\[\]]*\][^\[\]]*)?)\]", r"\1"),
        (r"(?<![a-z])Async(?=[A-Z])", ""),
        (r"\b(open|copy|reencrypt)_async_", r"\1_"),
        (r"\b__a(enter|exit|iter|next)__\b", r"__\1__"),
        (r"\b(aclose|aiter|anext)\b", lambda found: found[0][1:]),
        (r"\b_async\b", "_sync"),
        (r"\b_concurrency\.asyncio_\b", "_concurrency.threads"),
        (r"\baioboto3_client\b", "boto3_client"),
        (r"\baioboto3\b", "boto3"),
        (r"\baiobotocore\b", "botocore"),
        (r"\b(get|put|copy|delete|bytes|sign)_async\b", r"\1"),
    )
]


def generate(source: str, used: set[int]) -> str:
    """The sync counterpart of an async source. The numbers of the rules that changed it are added to ``used``."""
    for number, (pattern, replacement) in enumerate(RULES):
        source, count = pattern.subn(replacement, source)
        if count:
            used.add(number)
    return source


def generated_files(used: set[int]) -> dict[Path, str]:
    """Every generated file with its text before formatting."""
    files = {}
    for folder in (PROJECT / source for source in SOURCES):
        for path in sorted(folder.rglob("*.py")):
            header = HEADER.format(source=path.relative_to(PROJECT / "src").as_posix())
            target = folder.parent / "_sync" / path.relative_to(folder)
            files[target] = header + generate(path.read_text(), used)
    return files


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
    used: set[int] = set()
    wanted = {path: formatted(text, path) for path, text in generated_files(used).items()}
    unused = [pattern.pattern for number, (pattern, _) in enumerate(RULES) if number not in used]
    for pattern in unused:
        print(f"the rule {pattern!r} changes no source; remove it")
    present = {
        path for source in SOURCES for path in (PROJECT / source).parent.joinpath("_sync").rglob("*.py")
    }
    stale = [path for path in present if path not in wanted]
    stale += [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        if check:
            print(f"{path.relative_to(PROJECT)} differs from its async source; run scripts/generate_sync.py")
        elif path in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path])
        else:
            path.unlink()
    return 1 if unused or (check and stale) else 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
