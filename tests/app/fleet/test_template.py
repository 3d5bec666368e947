"""The template as an office fills it in: opened, written into, saved, imported."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from app.evidence.suspension_template import write_suspension_template
from app.evidence.suspensions import import_suspensions
from app.fleet.exporting import export_devices
from app.fleet.record import COLUMNS
from app.fleet.template import write_device_template
from app.tabular import ImportResult
from tests.app.fleet.imported import Register

CODE = "44010600001320000001"


@pytest.fixture
def template(register: Register) -> Path:
    register.load(
        "code,name,address,station,room,project,contractor\nC1,a,10.0.0.1,=S1,R1,P1,甲公司\n"
    )
    path = register.folder / "template.xlsx"
    with path.open("wb") as target:
        write_device_template(register.database, target)
    return path


def validations(sheet: Any) -> dict[str, Any]:
    """Column's header → its drop-down."""
    found = {}
    for validation in sheet.data_validations.dataValidation:
        (area,) = validation.sqref.ranges
        found[sheet.cell(1, area.min_col).value] = validation
    return found


def choices(book: Any, validation: Any) -> list[Any]:
    sheet, _, area = validation.formula1.partition("!")
    return [row[0].value for row in book[sheet.strip("'")][area.replace("$", "")]]


def test_the_example_is_left_out(register: Register, template: Path) -> None:
    assert register.load_file(template) == ImportResult(0, 0, 0, examples=1)


def test_the_example_is_a_device_but_for_its_mark(register: Register, template: Path) -> None:
    book = load_workbook(template)
    book["设备"]["A2"] = CODE
    book.save(template)
    assert register.load_file(template) == ImportResult(1, 0, 0)
    record = register.devices()[CODE].record
    unsaid = {name for name, value in record.as_dict().items() if value is None}
    assert unsaid == set()


def test_filled_in_below_the_example(register: Register, template: Path) -> None:
    book = load_workbook(template)
    sheet: Any = book["设备"]
    places = {cell.value: cell.column for cell in sheet[1]}
    for title, value in {
        "设备编码": CODE,
        "设备名称": "东门",
        "设备类型": "机房设备",
        "IP地址": "10.0.0.9",
        "关键设备": "是",
        "点位等级": "二类",
        "探测方式": "ping",
    }.items():
        sheet.cell(3, places[title], value)
    book.save(template)
    assert register.load_file(template) == ImportResult(1, 0, 0, examples=1)
    record = register.devices()[CODE].record
    assert (record.kind, record.probe, record.critical) == ("room_equipment", "ping", True)
    assert record.position_class == 2


def test_every_column_is_there_and_codes_stay_text(template: Path) -> None:
    sheet: Any = load_workbook(template)["设备"]
    assert [cell.value for cell in sheet[1]] == [column.chinese[0] for column in COLUMNS.values()]
    assert sheet.freeze_panes == "B2"
    formats = {
        name: sheet.column_dimensions[cell.column_letter].number_format
        for name, cell in zip(COLUMNS, sheet[1], strict=True)
    }
    assert {formats[name] for name in ("code", "serial", "firmware", "mac", "address")} == {"@"}
    assert formats["commissioned_on"] == formats["decommissioned_on"] == "yyyy-mm-dd"


def test_drop_downs(register: Register, template: Path) -> None:
    book = load_workbook(template)
    assert book["选项"].sheet_state == "hidden"
    lists = validations(book["设备"])
    assert set(lists) == {
        "设备类型", "探测方式", "加密", "关键设备", "点位等级",
        "派出所", "机房", "项目", "承建单位",
    }  # fmt: skip
    assert choices(book, lists["派出所"]) == ["=S1"]
    assert choices(book, lists["承建单位"]) == ["甲公司"]
    assert lists["设备类型"].showErrorMessage
    assert not lists["派出所"].showErrorMessage
    for title in ("设备类型", "探测方式", "加密", "关键设备", "点位等级"):
        rule = next(column.rule for column in COLUMNS.values() if column.chinese[0] == title)
        for choice in choices(book, lists[title]):
            rule(choice)


def test_each_column_is_explained(template: Path) -> None:
    notes: Any = load_workbook(template)["说明"]
    explained = {row[0]: row[1] for row in notes.iter_rows(values_only=True)}
    assert explained["设备编码"] == explained["设备名称"] == "必填"
    assert explained["端口"] == "可空"
    assert {column.chinese[0] for column in COLUMNS.values()} <= explained.keys()


def test_suspensions(register: Register, template: Path) -> None:
    path = register.folder / "suspensions.xlsx"
    with path.open("wb") as target:
        write_suspension_template(target)
    book = load_workbook(path)
    sheet = book.worksheets[0]
    sheet.append(["C1", "2026-03-01", "2026-03-03", "施工", "王", None])
    book.save(path)
    assert _load_suspensions(register, path) == ImportResult(1, 0, 0, examples=1)
    sheet["A2"] = "C1"  # but for its mark the example is a suspension too
    book.save(path)
    assert _load_suspensions(register, path) == ImportResult(1, 0, 1)


def _load_suspensions(register: Register, path: Path) -> ImportResult:
    return import_suspensions(
        register.database, register.settings, path, now=0, on_touched=lambda *_: None
    )


@pytest.mark.parametrize("chinese", [False, True])
def test_an_exported_workbook_imported_again_changes_nothing(
    register: Register, template: Path, chinese: bool
) -> None:
    book = load_workbook(template)
    book["设备"]["A2"], book["设备"]["B2"] = CODE, "=门"
    book["设备"]["B2"].data_type = "s"
    book.save(template)
    register.load_file(template)
    before = register.devices()
    target = BytesIO()
    export_devices(register.database, target, chinese=chinese, as_workbook=True)
    path = register.folder / "export.xlsx"
    path.write_bytes(target.getvalue())
    assert register.load_file(path) == ImportResult(0, 0, 2)
    assert register.devices() == before
    sheet: Any = load_workbook(path).active
    assert [cell.data_type for cell in sheet[2]].count("f") == 0
