"""``check``: whether a store can be used."""

from __future__ import annotations

from rich.text import Text

from sessionbucket.cli.stores import opened
from sessionbucket.cli.terminal import console, one_line


def check_store(url: str | None) -> None:
    """Write where the store is and that it is healthy, or raise what is wrong with it."""
    out = console()
    with opened(url) as place:
        out.print(f"location  {one_line(place.store.location)}", soft_wrap=True)
        out.print(f"backend   {place.store.backend_name}")
        place.store.health_check()
        out.print(Text.assemble("health    ", ("ok", "bold green"), " (list, write, read, delete)"))
