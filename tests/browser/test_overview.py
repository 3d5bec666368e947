"""The overview as a person sees it."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Route

from kpi.status import Status
from tests.browser.conftest import Visit
from tests.browser.district import District

Visits = Callable[..., Visit]
PATIENCE_MS = 15_000


@pytest.fixture(autouse=True)
def _swept(district: District) -> None:
    """Time goes on between tests, and an old sweep says nothing of now."""
    district.sweep()


def without_timer(route: Route) -> None:
    """The page as it is, but for the timer that would ask in any case."""
    answer = route.fetch()
    page = answer.text()
    assert 'hx-trigger="every ' in page
    route.fulfill(response=answer, body=page.replace('hx-trigger="every 60s, ', 'hx-trigger="'))


def test_shows_by_itself_what_changed_and_keeps_the_place(
    visit: Visits, district: District
) -> None:
    camera = district.cameras()[9]
    page = visit("/", language="en").page
    page.route(lambda url: urlsplit(url).path == "/", without_timer)
    page.reload()
    page.locator("[data-chart] canvas").wait_for()
    assert page.get_by_text(camera.name).count() == 0
    link = page.locator("#live .columns a[id]").last
    link.focus()
    page.evaluate("scrollTo(0, 200)")
    place = page.evaluate("[document.activeElement.id, scrollY, performance.timeOrigin]")
    assert place[0]
    assert place[1] > 0
    before = district.swept
    while district.swept == before:
        district.sweep({camera.code: Status.REFUSED})
        page.wait_for_timeout(200)
    page.get_by_text(camera.name).wait_for(timeout=PATIENCE_MS)
    now = page.evaluate("[document.activeElement.id, scrollY, performance.timeOrigin]")
    assert now == place


def test_colours_and_language_are_kept(visit: Visits) -> None:
    page = visit("/", language="en").page
    page.get_by_role("link", name="Dark").click()
    page.wait_for_url("**theme=dark*")
    page.get_by_role("link", name="中文").click()
    page.wait_for_url("**lang=zh*")
    page.goto("/")
    assert page.get_by_role("heading", level=1).inner_text() == "总览"
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"


def test_menu_opens_on_a_phone(visit: Visits) -> None:
    page = visit("/", width=390, language="en").page
    place = page.get_by_role("navigation", name="Pages")
    assert not place.is_visible()
    page.get_by_role("button", name="Menu").click()
    assert place.is_visible()
    page.keyboard.press("Escape")
    assert not place.is_visible()


def test_a_server_that_is_gone_is_told(visit: Visits) -> None:
    opened = visit("/", language="en")
    opened.page.route("**/overview/live", lambda route: route.abort())
    opened.page.evaluate("htmx.trigger('#live', 'refresh')")
    opened.page.get_by_text("The server cannot be reached").wait_for()
    opened.problems.clear()  # the request that we let fail
    opened.page.unroute("**/overview/live")
    opened.page.evaluate("htmx.trigger('#live', 'refresh')")
    opened.page.get_by_text("The server cannot be reached").wait_for(state="hidden")
