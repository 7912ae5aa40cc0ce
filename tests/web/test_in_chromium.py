"""The viewer in a real browser: what it shows, what it requests, and what hostile content does there, which is nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

import sessionbucket.web.guard
import sessionbucket.web.pages
from sessionbucket import SessionStore, open_store
from sessionbucket.web import threads
from sessionbucket.web.demo import demo_store
from sessionbucket.web.rendering import environment
from web.chromium import find_axe, find_chromium, served
from web.hostile import hostile_store, running_store
from web.viewing import make_session

pytestmark = pytest.mark.slow

THREADS = Path(__file__).parents[1] / "fixtures" / "threads"
ID = "airline-028-trial-2"
PAGES = (
    "/",
    "/?sort=-cost&owner=li.wei",
    "/usage",
    "/session?id=reports-weekly-48",
    "/session?id=weather-hamburg",
    f"/session?id={ID}",
    f"/session/files?id={ID}",
    f"/session/traces?id={ID}",
    "/session/reports?id=swe-10-rock",
    f"/session/history?id={ID}",
    f"/session/forks?id={ID}",
    "/threads",
    "/threads/openai-agents",
    "/threads/openai-agents/item?id=trip-to-lisbon",
)
SIZES = {"desk": {"width": 1280, "height": 800}, "phone": {"width": 360, "height": 740}}


class Watched:
    """A page of a context, and all that happens on it."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.base = url.partition("/?")[0]
        self.foreign: list[str] = []
        self.errors: list[str] = []
        context.route(lambda address: not address.startswith(self.base), self._refuse)
        self.page: Page = context.new_page()
        self.page.on("console", lambda message: self.errors.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", lambda dialog: self.errors.append(f"a dialog: {dialog.message}"))
        self.page.on("popup", lambda popup: self.errors.append(f"a window: {popup.url}"))
        self.page.goto(url)

    def _refuse(self, route: Any) -> None:
        self.foreign.append(route.request.url)
        route.abort()

    def open(self, path: str) -> Page:
        self.page.goto(self.base + path)
        return self.page


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    program = find_chromium()
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--host-resolver-rules=MAP evil.example 127.0.0.1"]
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def browse(chromium: Browser) -> Iterator[Callable[..., Watched]]:
    """Opens a viewer in a context of its own."""
    contexts: list[BrowserContext] = []

    def open_in(url: str, **options: Any) -> Watched:
        contexts.append(chromium.new_context(**options))
        return Watched(contexts[-1], url)

    yield open_in
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def demo() -> SessionStore:
    return demo_store()


def test_every_page_is_quiet_and_asks_no_other_host(demo, browse):
    with served(demo) as url:
        watched = browse(url)
        for path in PAGES:
            assert watched.open(path).locator("h1").inner_text()
        newest, before, *_ = demo.history.versions(ID)
        watched.open(f"/session/diff?id={ID}&before={before.version_id}&after={newest.version_id}")
        assert (watched.errors, watched.foreign) == ([], [])
        assert watched.page.locator("script").count() == 0


def test_the_threads_of_every_framework_are_quiet(browse):
    with open_store(f"{THREADS.as_uri()}?create=false") as store, served(store) as url:
        watched = browse(url)
        for kind in threads.kinds(store):
            page = watched.open("/threads")
            page.get_by_role("link", name=kind.title).click()
            assert page.locator("h1").inner_text() == kind.title
            page.locator("tbody a").first.click()
            assert page.locator(".step").count() > 0
        assert (watched.errors, watched.foreign) == ([], [])


@pytest.mark.parametrize("size", SIZES)
def test_no_page_is_wider_than_its_window(demo, browse, size):
    with served(demo) as url:
        watched = browse(url, viewport=SIZES[size])
        for path in PAGES:
            width = watched.open(path).evaluate("document.documentElement.scrollWidth")
            assert width <= SIZES[size]["width"], path


def test_filters_and_sorts_work_by_clicking(demo, browse):
    with served(demo) as url:
        page = browse(url).page
        page.get_by_role("textbox", name="Owner").fill("li.wei")
        page.get_by_role("button", name="Show").click()
        owners = page.locator("td[data-label=Owner]").all_inner_texts()
        assert set(owners) == {"li.wei"}
        page.get_by_role("link", name="Cost").click()
        costs = [float(text.strip("$")) for text in page.locator("td[data-label=Cost]").all_inner_texts()]
        assert costs == sorted(costs, reverse=True)
        page.get_by_role("link", name="Clear").click()
        page.get_by_role("cell").get_by_role("link", name="nightly").first.click()
        assert page.locator("tbody tr").count() == 3
        page.get_by_role("link", name="Clear").click()
        page.get_by_label("Text in the summary").fill("weekly report")
        page.keyboard.press("Enter")
        page.wait_for_url("**text=weekly*")
        assert page.locator("tbody tr").count() == 1


def test_paging_works_by_clicking(browse):
    with SessionStore(demo_store().bucket, "paged") as store, served(store) as url:
        for number in range(60):
            store.save(make_session(f"s{number:02}"))
        store.save(make_session("long", *(f"message {number}" for number in range(450))))
        page = browse(url).page
        first = page.locator("a.title").all_inner_texts()
        page.get_by_role("link", name="Next page").click()
        second = page.locator("a.title").all_inner_texts()
        assert (len(first), len(second), set(first) & set(second)) == (50, 11, set()) or len(
            set(first) | set(second)
        ) == 2
        assert page.get_by_role("link", name="Next page").count() == 0
        page.get_by_role("link", name="First page").click()
        page.goto(f"{url.partition('/?')[0]}/session?id=long")
        page.get_by_label("Page").last.fill("3")
        page.get_by_role("button", name="Go").last.click()
        assert page.locator(".step").count() == 50
        page.get_by_role("link", name="Previous").first.click()
        assert page.locator(".step h2").first.inner_text() == "201 · User"


def test_a_download_works_by_clicking(demo, browse):
    with served(demo) as url:
        page = browse(url).open(f"/session/files?id={ID}")
        with page.expect_download() as waiting:
            page.get_by_role("link", name="transcript.txt").click()
        assert waiting.value.suggested_filename == "transcript.txt"
        with demo.open_file(ID, "transcript.txt") as reader:
            assert waiting.value.path().read_bytes() == reader.read()
        page.goto(f"{url.partition('/?')[0]}/session?id={ID}")
        with page.expect_download() as waiting:
            page.get_by_role("link", name="Download JSON").click()
        assert waiting.value.path().read_bytes() == demo.raw.get(ID).body


def test_history_works_by_clicking(demo, browse):
    with served(demo) as url:
        page = browse(url).open(f"/session?id={ID}")
        page.get_by_role("link", name="History").click()
        assert page.locator("tbody tr").count() == 3
        page.get_by_role("link", name="Compare with the one before").first.click()
        assert page.locator(".diff.plus .step").count() > 0
        page.get_by_role("link", name="All versions").click()
        page.locator("td[data-label=Version] a").last.click()
        assert page.get_by_text("An earlier version.").is_visible()
        page.get_by_role("link", name="Show the current one").click()
        page.get_by_role("link", name="Forks").click()
        page.get_by_role("link", name="airline task 28").first.click()
        assert "~" in page.locator(".crumbs").inner_text()


def test_thinking_is_folded_and_opens(demo, browse):
    with served(demo) as url:
        page = browse(url).open("/session?id=reports-weekly-48")
        thought = page.get_by_text("The question has two parts")
        assert not thought.is_visible()
        page.locator(".thinking > summary").first.click()
        assert thought.is_visible()
        assert page.locator("img").evaluate("image => image.naturalWidth") == 480


def test_the_keyboard_reaches_everything_and_shows_where_it_is(demo, browse):
    with served(demo) as url:
        page = browse(url).page
        page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Skip to the content")
        assert skip.evaluate("link => link === document.activeElement")
        assert skip.bounding_box()["y"] >= 0
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.name") == "prefix"
        seen = set()
        for _ in range(12):
            place, outline = page.evaluate(
                "(() => { const at = document.activeElement; return [at.outerHTML, getComputedStyle(at).outlineStyle] })()"
            )
            seen.add(place)
            assert outline == "solid"
            page.keyboard.press("Tab")
        assert len(seen) == 12


def test_the_url_opens_one_browser_and_only_under_names_of_this_machine(demo, browse):
    with served(demo) as url:
        first = browse(url)
        assert first.page.url == f"{first.base}/"
        assert first.page.locator("h1").inner_text() == "Sessions"
        assert first.page.context.cookies()[0]["httpOnly"] is True
        assert first.page.context.cookies()[0]["sameSite"] == "Strict"
        assert "works once" in browse(url).page.locator("body").inner_text()
        other = browse(url.replace("127.0.0.1", "evil.example"))
        assert "names of this machine only" in other.page.locator("body").inner_text()


def hostile_pages() -> list[str]:
    tabs = (
        "/session",
        "/session/files",
        "/session/traces",
        "/session/reports",
        "/session/history",
        "/session/forks",
    )
    return ["/", "/usage", "/session?id=hostile-conversation", *(f"{tab}?id=hostile" for tab in tabs)]


def test_hostile_content_does_nothing(browse):
    with hostile_store() as store, served(store) as url:
        watched = browse(url)
        for path in hostile_pages():
            page = watched.open(path)
            page.locator("main").hover()
            assert "pwned" not in page.title() or page.title().startswith("<")
            for link in page.locator("main a").all():
                assert not (link.get_attribute("href") or "").startswith(("javascript:", "//", "http"))
        assert (watched.errors, watched.foreign) == ([], [])


@pytest.fixture
def without_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Render every value as HTML."""

    def unescaped() -> Any:
        made = environment()
        made.autoescape = False
        return made

    monkeypatch.setattr(sessionbucket.web.pages, "environment", unescaped)


def test_without_the_defences_the_same_content_runs(browse, without_escapes, monkeypatch):
    """The control: without it, the other tests prove nothing."""
    monkeypatch.setattr(sessionbucket.web.guard, "HEADERS", {})
    with running_store() as store, served(store) as url:
        watched = browse(url)
        watched.open("/session?id=hostile").wait_for_function("document.title === 'pwned'")
        assert any(address.startswith("http://evil.example") for address in watched.foreign)


def test_the_policy_alone_stops_it(browse, without_escapes):
    with running_store() as store, served(store) as url:
        watched = browse(url)
        page = watched.open("/session?id=hostile")
        assert page.locator("script").count() > 0, "the payload is not in the page"
        assert page.title() != "pwned"
        assert watched.foreign == []
        assert any("Content Security Policy" in error for error in watched.errors)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_no_serious_violation(demo, browse, scheme, size):
    code = find_axe()
    with served(demo) as url:
        watched = browse(url, bypass_csp=True, color_scheme=scheme, viewport=SIZES[size])
        newest, before, *_ = demo.history.versions(ID)
        for path in (
            *PAGES,
            f"/session/diff?id={ID}&before={before.version_id}&after={newest.version_id}",
            "/session?id=missing",
        ):
            page = watched.open(path)
            page.evaluate(code)
            found = page.evaluate("axe.run()")["violations"]
            serious = [
                f"{path}: {each['id']}: {node['html'][:200]} {node['failureSummary'][:200]}"
                for each in found
                if each["impact"] in {"serious", "critical"}
                for node in each["nodes"][:3]
            ]
            assert not serious, "\n".join(serious)
