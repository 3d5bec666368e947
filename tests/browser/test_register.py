"""The register as the system administrator sees and changes it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.accounts.permissions import Role
from app.fleet.queries import read_device
from tests.browser.conftest import Visit
from tests.browser.district import District

Visits = Callable[..., Visit]
ADMIN = Role.SYSTEM_ADMIN
BAD = "code,name,address,station\nN1,Good,10.8.0.1,North\nN2,Bad,10.8.0.999,North\nN3,,10.8.0.3,\n"
GOOD = "code,name,address,station\nN5,Fifth,10.8.0.5,North\n"


def test_a_device_is_edited_with_a_mistake_and_then_right(
    visit: Visits, district: District
) -> None:
    camera = district.cameras()[-1]
    opened = visit(f"/register?q={camera.code}", language="en", role=ADMIN)
    page = opened.page
    page.get_by_role("link", name=camera.name).click()
    page.get_by_label("Port").fill("99999")
    page.get_by_label("Vendor").fill("ACME")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("1 field is wrong").wait_for()
    assert opened.axe() == []
    assert page.get_by_label("Vendor").input_value() == "ACME"
    page.get_by_role("alert").get_by_role("link", name="Port").click()
    assert page.evaluate("document.activeElement.id") == "port"
    page.get_by_label("Port").fill("81")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("The changes have been saved").wait_for()
    opened.problems.clear()  # that the refused form was answered with 422
    with district.database.read() as session:
        record = read_device(session, camera.code).record
    assert (record.port, record.vendor) == (81, "ACME")


@pytest.mark.parametrize("width", [390, 1440])
def test_every_mistake_of_an_upload_is_shown(
    visit: Visits, district: District, tmp_path: Path, width: int
) -> None:
    file = tmp_path / "register.csv"
    file.write_text(BAD)
    opened = visit("/register/import", language="zh", width=width, role=ADMIN)
    opened.page.get_by_label("文件").set_input_files(file)
    opened.page.get_by_role("button", name="检查文件").click()
    opened.page.get_by_role("heading", name="导入预览").wait_for()
    mistakes = opened.page.get_by_role("region", name="错误").last
    assert mistakes.get_by_role("row").count() == 3
    assert opened.width() <= width
    assert opened.axe() == []


def test_an_upload_is_confirmed_and_the_device_is_there(
    visit: Visits, district: District, tmp_path: Path
) -> None:
    file = tmp_path / "register.csv"
    file.write_text(GOOD)
    page = visit("/register/import", language="en", role=ADMIN).page
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Check the file").click()
    page.get_by_role("button", name="Import 1 row").click()
    page.get_by_text("The file has been imported").wait_for()
    page.goto("/register?q=N5")
    assert page.get_by_role("link", name="Fifth").is_visible()


def test_only_the_system_administrator_is_led_there(visit: Visits) -> None:
    assert visit("/", role=ADMIN).page.get_by_role("link", name="设备档案").count() == 1
    assert visit("/", role=Role.OFFICE).page.get_by_role("link", name="设备档案").count() == 0
