"""The example of an integration, and the code of its page."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from conformance.locations import environment

PROJECT = Path(__file__).parents[2]


def run_example(name: str, *arguments: str) -> str:
    """The output of ``examples/<name>/agent.py`` in a process of its own."""
    program = PROJECT / "examples" / name / "agent.py"
    ran = subprocess.run(
        [sys.executable, str(program), *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def check_example(name: str, folder: Path) -> None:
    """Two turns of one session in two processes that have only the URL, and one of another session."""
    url = folder.as_uri()
    assert run_example(name, url, "one", "Hello").endswith("You said: Hello.")
    assert run_example(name, url, "two", "Good day").endswith("You said: Good day.")
    assert run_example(name, url, "one", "Bye").endswith("You said: Hello, Bye.")


def page_blocks(name: str) -> list[str]:
    """The Python code of ``docs/integrations/<name>.md``."""
    page = PROJECT / "docs" / "integrations" / f"{name}.md"
    return re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL)
