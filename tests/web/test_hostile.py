"""What a model or a user wrote is text on every page, and nothing in the templates can exempt it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import TemplateError

import sessionbucket.web
from sessionbucket import SessionStore
from sessionbucket.web.rendering import environment
from web.hostile import PAYLOADS, hostile_store
from web.viewing import Viewer

PACKAGE = Path(sessionbucket.web.__file__).parent
TEMPLATES = sorted((PACKAGE / "templates").glob("*.html"))
TAGS = {
    *(
        [
            "a",
            "aside",
            "bdi",
            "body",
            "button",
            "caption",
            "dd",
            "details",
            "div",
            "dl",
            "dt",
            "ellipse",
            "footer",
            "form",
            "h1",
            "h2",
            "head",
            "header",
            "html",
            "img",
            "input",
            "label",
            "li",
            "line",
        ]
    ),
    *(
        [
            "link",
            "main",
            "meta",
            "nav",
            "ol",
            "option",
            "p",
            "path",
            "pre",
            "rect",
            "section",
            "select",
            "span",
            "strong",
            "summary",
            "svg",
            "table",
            "tbody",
            "td",
            "text",
            "th",
            "thead",
        ]
    ),
    *(["time", "title", "tr", "ul"]),
}
ATTRIBUTES = {
    *(
        [
            "action",
            "alt",
            "aria-current",
            "aria-hidden",
            "aria-label",
            "aria-sort",
            "autocomplete",
            "charset",
            "class",
            "colspan",
            "content",
            "d",
            "data-label",
            "datetime",
        ]
    ),
    *(
        [
            "dir",
            "download",
            "focusable",
            "height",
            "href",
            "id",
            "lang",
            "max",
            "method",
            "min",
            "name",
            "open",
            "placeholder",
            "preserveaspectratio",
            "rel",
            "required",
            "role",
            "rx",
            "ry",
        ]
    ),
    *(
        [
            "scope",
            "selected",
            "spellcheck",
            "src",
            "tabindex",
            "text-anchor",
            "title",
            "type",
            "value",
            "viewbox",
            "width",
            "x",
            "x1",
            "x2",
            "y",
            "y1",
            "y2",
            "cx",
            "cy",
        ]
    ),
}


class Seen(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.targets: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.targets += [value for name, value in attrs if name in {"href", "src", "action"}]


def pages_of(store: SessionStore) -> list[str]:
    ids = store.list()
    tabs = (
        "/session",
        "/session/files",
        "/session/traces",
        "/session/reports",
        "/session/history",
        "/session/forks",
    )
    viewed = Viewer(store)
    found = [viewed.get(path) for path in ("/", "/usage", "/?sort=title", "/?text=x")]
    for id in ids:
        found += [viewed.client.get(tab, params={"id": id}).text for tab in tabs]
    for payload in PAYLOADS.values():
        found.append(viewed.get("/", owner=payload, prefix=payload[:50]))
        found.append(viewed.client.get("/session", params={"id": payload[:40], "version": payload}).text)
        found.append(viewed.client.get("/", params={"sort": payload, "cursor": payload}).text)
        found.append(viewed.client.get(f"/{payload[:100]}".replace("\n", "")).text)
    return found


def test_hostile_content_makes_no_element_and_no_attribute():
    with hostile_store() as store:
        pages = pages_of(store)
    assert len(pages) > 20
    for page in pages:
        seen = Seen(page)
        assert seen.tags <= TAGS, seen.tags - TAGS
        assert seen.attributes <= ATTRIBUTES, seen.attributes - ATTRIBUTES
        assert all(
            re.match(r"/(?!/)|#|\?|data:image/(png|jpeg|gif|webp);base64,", target) for target in seen.targets
        ), seen.targets


def test_hostile_content_is_shown_as_it_is():
    with hostile_store() as store:
        page = Viewer(store).get("/session", id="hostile")
    assert "&lt;script&gt;" in page
    assert "[click](javascript:" in page


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_exempts_a_value(template):
    text = template.read_text()
    for word in (
        "safe",
        "autoescape",
        "Markup",
        "urlize",
        "xmlattr",
        "tojson",
        "<script",
        "javascript:",
        " style=",
        "http:",
        "https:",
    ):
        assert word not in text, word
    assert not re.search(r"\son\w+=", text)


def test_no_module_exempts_a_value():
    for module in PACKAGE.rglob("*.py"):
        text = module.read_text()
        assert "Markup" not in text, module
        assert "autoescape=False" not in text, module


def test_the_filter_that_exempts_values_does_not_exist():
    made = environment()
    assert made.autoescape is True
    with pytest.raises(TemplateError):
        made.from_string("{{ value | safe }}")
    assert made.from_string("{{ value }}").render(value="<b>") == "&lt;b&gt;"


def test_the_style_loads_nothing():
    assert not re.search(r"@import|url\(", (PACKAGE / "static" / "style.css").read_text())


def test_no_script_is_a_part_of_the_viewer():
    examples = PACKAGE / "examples"  # an installed package has them, a checkout has none there
    assert {
        path.suffix
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.parent != examples
    } == {".py", ".html", ".css", ".svg"}
