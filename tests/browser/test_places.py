"""Stations, rooms, projects and contractors as a person sees them."""

from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.browser.conftest import Visit
from tests.browser.district import District

Visits = Callable[..., Visit]


@pytest.fixture(autouse=True)
def _swept(district: District) -> None:
    district.sweep()


def test_from_the_fleet_to_the_outages_of_a_day(visit: Visits, district: District) -> None:
    page = visit("/", language="en").page
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Projects").click()
    page.get_by_role("link", name=str(district.cameras()[0].project)).click()
    page.get_by_role("heading", name="Intact rate by day").wait_for()
    day = page.locator(".calendar a").first
    address = day.get_attribute("href")
    assert address is not None
    day.click()
    page.wait_for_url(f"**{address}")
    assert page.locator(".calendar [aria-current=date]").count() == 1


def test_a_list_is_searched_and_sorted_without_leaving(visit: Visits, district: District) -> None:
    camera = district.cameras()[0]
    page = visit(f"/stations/{quote(str(camera.station))}", language="en").page
    page.evaluate("window.stayed = true")
    cameras = page.locator("#camera-list")
    cameras.get_by_role("searchbox").fill(camera.code)
    cameras.get_by_role("button", name="Search").click()
    page.wait_for_url("**q=*")
    assert cameras.get_by_role("row").count() == 2
    cameras.get_by_role("link", name="Name").click()
    page.wait_for_url("**sort=name*")
    assert page.evaluate("window.stayed") is True
