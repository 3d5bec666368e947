"""A browser on a served district, and what must hold of every page it opens.

Debian's Chromium is driven by Playwright's own library; no browser is ever downloaded. It lives as
long as one module of tests and not longer: while it runs, this thread has an event loop.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from app.accounts.guard import SESSION_COOKIE
from app.accounts.permissions import Role
from tests.browser.district import District, served_district
from tests.browser.eventful import make_eventful

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
HEIGHTS = {390: 844, 1440: 900, 1920: 1080, 3840: 2160}
LANGUAGES = {"zh": "zh-CN", "en": "en-GB"}
VENDOR = Path(__file__).parent / "vendor"
HTMX = Path("app/web/static/vendor/htmx.org/htmx.min.js")
SERIOUS = ("serious", "critical")
LISTENING = ("/", "/wall")
"""Pages that never stop listening, so that their network is never idle."""
ASKING = ("/map", "/docs")
"""Pages that go on asking once they are loaded."""
TWO_FRAMES = "new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))"
UNFINISHED = "[data-chart]:not(:has(canvas)), [data-map]:not(:has(.spots > *)), .htmx-request"


def _missing(what: str, remedy: str) -> None:
    """In CI nothing is missing; elsewhere the tests say what is."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing; {remedy}")
    pytest.skip(f"{what} is missing; {remedy}")


@pytest.fixture(scope="session")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    """The district that all browser tests look at; what a test changes, the next ones see."""
    if not HTMX.is_file() or not (VENDOR / "axe-core" / "axe.min.js").is_file():
        _missing("a file of the screen", "run `pip install --editable .`")
    with served_district(tmp_path_factory.mktemp("district")) as district:
        yield district


@pytest.fixture(scope="session")
def eventful(district: District) -> dict[str, str]:
    """Much has happened in the district; for the name of each path parameter a row to look at."""
    return make_eventful(district)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        _missing("Chromium", "run `apt-get install chromium fonts-noto-cjk`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page that is open, and what went wrong while it was."""

    page: Page
    problems: list[str] = field(default_factory=list)

    def watch(self, address: str) -> None:
        """Take note of errors, and of every request that leaves the host."""
        own = urlsplit(address).netloc
        self.page.on("console", lambda said: self._note_console(said.type, said.text))
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.page.on("request", lambda request: self._note_request(own, request.url))
        self.page.on("requestfailed", lambda request: self._note_failure(request))

    def open(self, path: str) -> bool:
        """Go to a page and wait until it is drawn; False where it is answered by an error."""
        answer = self.page.goto(path)
        if path in ASKING:
            self.page.wait_for_load_state("networkidle")
        expect(self.page.locator(UNFINISHED)).to_have_count(0)
        return answer is not None and answer.ok

    def axe(self, *rules: str) -> list[str]:
        """What axe finds serious or worse, by these rules or all: rule and element."""
        self.page.evaluate((VENDOR / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
        options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
        found: dict[str, Any] = self.page.evaluate("options => axe.run(options)", options)
        return [
            f"{rule['id']}: {node['html'][:200]}"
            for rule in found["violations"]
            if rule["impact"] in SERIOUS
            for node in rule["nodes"]
        ]

    def resize(self, width: int) -> None:
        """Another window, and what scripts make of it."""
        self.page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        self.page.evaluate(TWO_FRAMES)

    def width(self) -> int:
        """How wide the document is, in CSS pixels."""
        return int(self.page.evaluate("document.documentElement.scrollWidth"))

    def _note_console(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.problems.append(f"console: {text}")

    def _note_request(self, own: str, url: str) -> None:
        if url.startswith("http") and urlsplit(url).netloc != own:
            self.problems.append(f"asked elsewhere: {url}")

    def _note_failure(self, request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":  # we left the page meanwhile
            self.problems.append(f"failed: {request.url} {request.failure}")


@pytest.fixture
def visit(browser: Browser, district: District) -> Iterator[Callable[..., Visit]]:
    """Opens a page: `visit("/", width=1440, scheme="light", language="zh", role=Role.OFFICE)`.

    Afterwards no page may have had an error, nor asked another host for anything.
    """
    visits: list[Visit] = []

    def open_page(
        path: str,
        *,
        width: int = 1440,
        scheme: Any = "light",
        language: str = "zh",
        role: Role | None = Role.OFFICE,
    ) -> Visit:
        context = browser.new_context(
            base_url=district.address,
            viewport={"width": width, "height": HEIGHTS[width]},
            color_scheme=scheme,
            locale=LANGUAGES[language],
        )
        if role is not None:
            secret = district.session_of(role)
            cookie: Any = {"name": SESSION_COOKIE, "value": secret, "url": district.address}
            context.add_cookies([cookie])
        opened = Visit(context.new_page())
        opened.watch(district.address)
        visits.append(opened)
        opened.page.goto(path)
        if path.partition("?")[0] not in LISTENING:
            opened.page.wait_for_load_state("networkidle")
        return opened

    yield open_page
    problems = [problem for opened in visits for problem in opened.problems]
    for opened in visits:
        opened.page.context.close()
    assert problems == []
