"""Makes the pictures of docs/how-to/viewer.md: pages of ``sessionbucket web --demo`` in the Chromium of this system.

The pages are those of a store in memory with fixed data, so only a change of the viewer changes the pictures.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "how-to" / "viewer"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
DESK = {"width": 1180, "height": 760}
PHONE = {"width": 390, "height": 760}

PICTURES = {
    "sessions": ("/?sort=-updated", "light", DESK),
    "conversation": ("/session?id=reports-weekly-48", "light", DESK),
    "conversation-dark": ("/session?id=airline-028-trial-2", "dark", DESK),
    "traces": ("/session/traces?id=airline-028-trial-2", "light", DESK),
    "usage": ("/usage", "light", DESK),
    "phone": ("/session?id=reports-weekly-48", "light", PHONE),
}
"""The path of each picture, its colours, and the size of its window."""


def main() -> int:
    """Make all pictures, and return the exit code of the process."""
    program = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if program is None:
        print("error: no Chromium is installed: apt-get install chromium", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    command = [sys.executable, "-u", "-m", "sessionbucket.cli", "web", "--demo", "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            found = re.search(r"http://\S+", server.stdout.readline() if server.stdout else "")
            if found is None:
                return 1
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
                _take(browser, found[0])
        finally:
            server.send_signal(signal.SIGINT)
    return 0


def _take(browser: Browser, url: str) -> None:
    first = browser.new_context()
    first.new_page().goto(url)
    cookie = first.storage_state()
    for name, (path, colours, size) in PICTURES.items():
        context = browser.new_context(
            storage_state=cookie,
            color_scheme="dark" if colours == "dark" else "light",
            viewport={"width": size["width"], "height": size["height"]},
        )
        page = context.new_page()
        page.goto(url.partition("/?")[0] + path)
        if name == "phone":
            page.evaluate("document.querySelector('#m1').scrollIntoView()")
        page.screenshot(path=FOLDER / f"{name}.png")
        context.close()
        print(FOLDER / f"{name}.png")


if __name__ == "__main__":
    sys.exit(main())
