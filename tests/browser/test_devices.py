"""The list of cameras, and one camera down to the slot, as a person sees them."""

from collections.abc import Callable

import pytest

from tests.browser.conftest import Visit
from tests.browser.district import District

Visits = Callable[..., Visit]


@pytest.fixture(autouse=True)
def _swept(district: District) -> None:
    district.sweep()


@pytest.mark.parametrize(
    ("width", "scheme", "language"),
    [(390, "light", "zh"), (390, "dark", "en"), (1440, "dark", "zh"), (3840, "light", "en")],
)
def test_read_well_everywhere(
    visit: Visits, district: District, width: int, scheme: str, language: str
) -> None:
    code = district.cameras()[0].code
    for path in ("/devices", f"/devices/{code}", f"/devices/{code}?hour=0"):
        opened = visit(path, width=width, scheme=scheme, language=language)
        assert opened.width() <= width
        assert opened.axe() == []


def test_from_the_list_to_the_slots_of_an_hour(visit: Visits, district: District) -> None:
    camera = district.cameras()[0]
    page = visit("/devices", language="en").page
    page.get_by_role("searchbox").fill(camera.code)
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**q=*")
    assert page.locator("#device-list").get_by_role("row").count() == 2
    page.get_by_role("link", name=camera.name).click()
    page.get_by_role("heading", level=1, name=camera.name).wait_for()
    page.locator(".strips a").first.click()
    page.wait_for_url("**day=*")
    page.get_by_role("navigation", name="Hours").get_by_role("link", name="00").click()
    page.wait_for_url("**hour=0*")
    assert page.locator("#day").get_by_text("slot by slot").is_visible()
