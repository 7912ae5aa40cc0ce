"""The store of ``--demo`` has something for every page."""

from __future__ import annotations

from pathlib import Path

from sessionbucket import open_store
from sessionbucket.web.demo import demo_store
from web.viewing import Viewer, text_of

RECORDED = Path(__file__).parents[2] / "examples" / "conversations"


def test_it_has_the_recorded_conversations():
    with demo_store() as store, open_store(f"{RECORDED.as_uri()}?create=false") as recorded:
        for id in recorded.list():
            assert store.load(id).messages == recorded.load(id).messages


def test_every_page_has_content():
    with demo_store() as store:
        viewed = Viewer(store)
        for tab in ("", "/files", "/traces", "/history", "/forks"):
            assert 'class="empty"' not in viewed.get(f"/session{tab}?id=airline-028-trial-2")
        assert "needs review" in text_of(viewed.get("/session/reports?id=swe-10-rock"))
        assert "cannot be read" not in text_of(viewed.get("/"))
