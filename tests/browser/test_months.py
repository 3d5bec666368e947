"""Months as a person reads them, follows them down to a camera, prints them and takes them away."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import openpyxl
import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visit
from tests.browser.district import District

Visits = Callable[..., Visit]
WIDTHS = [(390, "light", "zh"), (1440, "dark", "en"), (3840, "light", "en"), (1440, "light", "zh")]


@pytest.fixture(autouse=True)
def _swept(district: District) -> None:
    district.sweep()


@pytest.mark.parametrize(
    ("language", "pages", "months", "outages"),
    [("en", "Pages", "Months", "Outages"), ("zh", "页面", "月度考核", "故障时段")],
)
def test_from_the_month_to_a_camera(
    visit: Visits, language: str, pages: str, months: str, outages: str
) -> None:
    page = visit("/", language=language).page
    page.get_by_role("navigation", name=pages).get_by_role("link", name=months).click()
    page.wait_for_url("**/months")
    station = page.locator(".months tbody tr").first
    name = station.get_by_role("rowheader").inner_text()
    station.get_by_role("link", name=outages).first.click()
    page.wait_for_url("**/months/outages?*")
    assert name in page.get_by_role("heading", level=1).inner_text()
    camera = page.locator(".rows tbody th a").first
    code = camera.get_attribute("href")
    camera.click()
    page.wait_for_url(f"**{code}")


def test_sorted_and_paged_without_leaving(visit: Visits) -> None:
    page = visit("/months", language="en").page
    page.evaluate("window.stayed = true")
    page.get_by_role("link", name="Assessed").click()
    page.wait_for_url("**sort=devices*")
    assert page.locator("th[aria-sort=ascending]").inner_text().startswith("Assessed")
    assert page.evaluate("window.stayed") is True


def test_another_grouping_and_the_suspensions(visit: Visits, district: District) -> None:
    page = visit("/months", language="en").page
    page.get_by_label("Grouped by").select_option("contractor")
    page.get_by_role("button", name="Choose").click()
    page.wait_for_url("**by=contractor*")
    contractors = {camera.contractor for camera in district.cameras()}
    assert page.locator(".months tbody tr").count() == len(contractors)
    page.goto(f"/months/suspensions?by=contractor&group={quote(str(contractors.pop()))}")
    assert page.get_by_role("heading", name="Suspensions").count() == 1


@pytest.mark.parametrize(
    ("language", "total", "rate"), [("en", "Total", "Intact rate"), ("zh", "合计", "完好率")]
)
def test_downloads(visit: Visits, district: District, language: str, total: str, rate: str) -> None:
    page = visit("/months?by=project", language=language).page
    projects = {camera.project for camera in district.cameras()}
    (sheet,) = openpyxl.load_workbook(_download(page, "XLSX")).worksheets
    rows = list(sheet.iter_rows(min_row=9, values_only=True))
    assert {row[1] for row in rows} == {*projects, total}
    printed = f"{rows[-1][3]:.2%}"
    assert printed.removesuffix("%") in page.locator(".months tfoot").inner_text()
    text = Path(_download(page, "CSV")).read_text(encoding="utf-8-sig")
    found = list(csv.DictReader(io.StringIO(text)))
    assert found[-1][rate] == printed


def _download(page: Page, name: str) -> Path:
    with page.expect_download() as waiting:
        page.get_by_role("link", name=name).click()
    download = waiting.value
    path = Path(download.path()).with_name(download.suggested_filename)
    download.save_as(path)
    return path


def test_on_paper(visit: Visits, tmp_path: Path) -> None:
    page = visit("/months", language="en").page
    page.emulate_media(media="print")
    assert not page.get_by_role("navigation", name="Pages").is_visible()
    assert not page.get_by_role("link", name="XLSX").is_visible()
    assert page.locator(".months tfoot").is_visible()
    paper = page.pdf(prefer_css_page_size=True)
    assert b"/MediaBox [0 0 841.9" in paper, "A4 landscape"
