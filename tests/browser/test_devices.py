"""The list of cameras, and one camera down to the slot, as a person sees them."""

from collections.abc import Callable

import pytest

from app.accounts.permissions import Role
from collectors.simulator.running import running_fleet
from collectors.simulator.scenario import parse_scenario
from kpi.status import Status
from tests.browser.conftest import Visit
from tests.browser.district import District

Visits = Callable[..., Visit]


@pytest.fixture(autouse=True)
def _swept(district: District) -> None:
    district.sweep()


def test_from_the_list_to_the_slots_of_an_hour(visit: Visits, district: District) -> None:
    camera = district.cameras()[0]
    page = visit("/devices", language="en").page
    page.get_by_role("searchbox").fill(camera.code)
    page.get_by_role("button", name="Choose").click()
    page.wait_for_url("**q=*")
    assert page.locator("#device-list").get_by_role("row").count() == 2
    page.get_by_role("link", name=camera.name).click()
    page.get_by_role("heading", level=1, name=camera.name).wait_for()
    page.locator(".strips a").first.click()
    page.wait_for_url("**day=*")
    page.get_by_role("navigation", name="Hours").get_by_role("link", name="00").click()
    page.wait_for_url("**hour=0*")
    assert page.locator("#day").get_by_text("slot by slot").is_visible()


def test_the_choice_is_kept_by_search_order_pages_and_export(
    visit: Visits, district: District
) -> None:
    failing = district.cameras()[3]
    district.sweep({failing.code: Status.REFUSED})
    opened = visit("/devices?sort=-code", language="en", width=390)
    page = opened.page
    page.get_by_label("State now").select_option("intact")
    page.get_by_label("Project").select_option(failing.project or "")
    page.get_by_role("button", name="Choose").click()
    page.wait_for_url("**state=intact*")
    codes = page.locator("td.soft").all_inner_texts()
    assert codes == sorted(codes, reverse=True)
    assert failing.code not in codes
    page.get_by_role("searchbox").fill("000005")
    page.get_by_role("button", name="Choose").click()
    page.wait_for_url("**q=000005*")
    found = page.locator("td.soft").all_inner_texts()
    assert 0 < len(found) < len(codes)
    assert page.get_by_label("State now").input_value() == "intact"
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    exported = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert [row.partition(",")[0] for row in exported[1:]] == sorted(found)
    assert opened.axe() == []
    page.get_by_role("link", name="Clear the choice").click()
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**page=2*")
    assert failing.code not in page.locator("td.soft").all_inner_texts()  # it fails: first of all


def test_a_camera_is_asked_from_its_page(visit: Visits, district: District) -> None:
    """The district's cameras do not listen: this one fails, and the page says so."""
    camera = district.cameras()[5]
    opened = visit(f"/devices/{camera.code}", language="en", width=390)
    page = opened.page
    before = page.url
    page.get_by_role("button", name="Probe now").click()
    result = page.locator("#probed")
    result.locator(".state", has_text="connection refused").wait_for()
    assert result.get_by_text("never evidence").is_visible()
    assert page.url == before
    page.get_by_role("button", name="Probe now").click()
    result.get_by_text("It has just been asked").wait_for()
    assert opened.width() <= 390
    assert opened.axe() == []
    opened.problems.remove(
        "console: Failed to load resource: the server responded with a status of 429 "
        "(Too Many Requests)"
    )


def test_an_edit_is_seen_in_the_history_and_by_a_probe(visit: Visits, district: District) -> None:
    """The form points a camera of the register to a simulated one that fails."""
    camera = district.cameras()[6]
    faulty = parse_scenario('[[fault]]\nkind = "fault_500"\nshare = 1.0\n')
    with running_fleet(cameras=1, rooms=1, scenario=faulty) as fleet:
        page = visit(f"/devices/{camera.code}", language="en", role=Role.SYSTEM_ADMIN).page
        page.get_by_role("link", name="Edit").click()
        page.get_by_label("Address", exact=True).fill(fleet.cameras[0].address)
        page.get_by_label("Port").fill(str(fleet.port))
        page.get_by_role("button", name="Save").click()
        page.wait_for_url("**saved=updated")
        opened = visit(f"/devices/{camera.code}", language="en", role=Role.SYSTEM_ADMIN)
        opened.page.get_by_role("button", name="Probe now").click()
        opened.page.locator("#probed .state", has_text="service faulty").wait_for()
    rows = opened.page.locator("#changes tbody tr")
    port = rows.filter(has_text="Port")
    assert f"{camera.port} → {fleet.port}" in port.inner_text()
    assert "by form" in port.inner_text()
    assert rows.last.get_by_text("entered into the register").is_visible()
    assert opened.axe() == []


def test_latency_is_drawn_and_told(visit: Visits, district: District) -> None:
    camera = district.cameras()[0]
    opened = visit(f"/devices/{camera.code}", language="en", width=390)
    section = opened.page.get_by_role("region", name="Latency of the last 24 hours")
    assert section.get_by_text("Half of the answers came within").is_visible()
    section.locator("canvas").wait_for()
    section.get_by_text("The figures as a table").click()
    assert section.get_by_role("row").count() >= 48
    assert opened.width() <= 390
    assert opened.axe() == []
