"""The map as a person uses it."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page

from kpi.status import Status
from tests.browser.conftest import Visit
from tests.browser.district import CAMERAS, District

Visits = Callable[..., Visit]


@pytest.fixture(autouse=True)
def _swept(district: District) -> None:
    district.sweep()


def clusters(page: Page) -> Locator:
    return page.locator("#map .spots a[data-bounds]")


def window(page: Page) -> list[float]:
    (bbox,) = parse_qs(urlsplit(page.url).query)["bbox"]
    return [float(edge) for edge in bbox.split(",")]


def act(page: Page, what: Callable[[], None]) -> None:
    """Do something that moves the window, and wait until what it shows then is drawn."""
    page.evaluate("document.querySelector('#map .spots').lastElementChild.dataset.old = 1")
    what()
    page.locator("#map .spots [data-old]").wait_for(state="detached")


def test_from_clusters_to_the_page_of_a_camera(visit: Visits, district: District) -> None:
    page = visit("/map", language="en").page
    shown = page.locator("#map-table tbody td:nth-child(2)").all_text_contents()
    assert sum(int(text) for text in shown) == CAMERAS
    for _zoom in range(8):
        single = page.locator("#map .spots a:not([data-bounds])")
        if single.count():
            break
        act(page, lambda: clusters(page).first.click())
    name = (single.first.get_attribute("aria-label") or "").partition(":")[0]
    assert name in {camera.name for camera in district.cameras()}
    single.first.click()
    page.get_by_role("heading", level=1, name=name).wait_for()
    page.go_back()
    page.locator("#map .spots a").first.wait_for()


def test_by_keys_buttons_wheel_and_drag(visit: Visits) -> None:
    page = visit("/map", language="en").page
    whole = window(page)
    page.locator("#map").focus()
    act(page, lambda: page.keyboard.press("+"))
    near = window(page)
    assert near[2] - near[0] < 0.8 * (whole[2] - whole[0])
    act(page, lambda: page.keyboard.press("ArrowRight"))
    assert window(page)[0] > near[0]
    act(page, lambda: page.get_by_role("button", name="Zoom out").click())
    box = page.locator("#map-drawing").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before = window(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y - 60, steps=4)
    act(page, page.mouse.up)
    assert page.url.partition("?")[0].endswith("/map")
    assert window(page)[0] > before[0]
    assert window(page)[1] < before[1]
    act(page, lambda: page.mouse.wheel(0, -100))
    act(page, lambda: page.get_by_role("button", name="all", exact=True).click())
    assert window(page) == whole


def test_a_cluster_opens_by_the_keyboard(visit: Visits) -> None:
    page = visit("/map", language="en").page
    whole = window(page)
    clusters(page).first.focus()
    act(page, lambda: page.keyboard.press("Enter"))
    assert window(page)[2] - window(page)[0] < whole[2] - whole[0]


def test_a_camera_that_fails_is_seen_and_found(visit: Visits, district: District) -> None:
    camera = district.cameras()[0]
    page = visit("/map", language="en").page
    assert page.locator("#map .fails").count() == 0
    district.sweep({camera.code: Status.REFUSED})
    act(page, lambda: page.get_by_role("button", name="all", exact=True).click())
    page.locator("#map .fails.offline text").get_by_text("1").wait_for()
    page.get_by_label("State").select_option("offline")
    page.get_by_role("button", name="Choose").click()
    mark = page.get_by_role("link", name=f"{camera.name}: offline")
    mark.wait_for()
    assert page.locator("#map .spots a").count() == 1
