"""`--skip-bad`: the good rows of a register are imported, the others lie in a file beside it."""

import csv
import stat
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from app.errors import BadParameter, ImportRefused
from app.tabular import ImportResult
from tests.app.fleet.imported import Register
from tests.app.tabular.workbooks import workbook

MIXED = (
    "\ufeff设备编码,设备名称,IP地址,端口,密码\r\n"
    "C1,东门,10.0.0.1,80,first\r\n"
    "C2,西门,nowhere!,99999,second\r\n"
    "C3,南门,,80,\r\n"
    "C1,北门,10.0.0.4,80,\r\n"
    "C5,=门,10.0.0.5,80,\r\n"
    "C6,only\r\n"
)
REASONS = {
    "C2": "IP地址: is no IPv4 or IPv6 address and no host name; write the address alone; "
    "端口: is no port; write a whole number from 1 to 65535",
    "C3": "IP地址: probe onvif needs an address; fill it in, or use probe none",
    "C1": "设备编码: stands in row 2 already; keep one of them",
    "C6": "whole row: has 2 cells where the header has 5; align it",
}


def codes(register: Register) -> list[str]:
    return sorted(register.devices())


def aside(path: Path, encoding: str = "utf-8-sig") -> list[list[str]]:
    with path.open(encoding=encoding, newline="") as text:
        return list(csv.reader(text))


def done(result: ImportResult) -> tuple[int, int, int, int]:
    bad = result.set_aside.rows if result.set_aside else 0
    return result.inserted, result.updated, result.unchanged, bad


def test_good_rows_are_imported_and_bad_ones_set_aside(register: Register) -> None:
    result = register.load(MIXED, skip_bad=True)
    assert done(result) == (2, 0, 0, 4)
    assert codes(register) == ["C1", "C5"]
    assert result.set_aside
    assert result.set_aside.file == register.folder / "register.refused.csv"
    header, *rows = aside(result.set_aside.file)
    assert header == ["未导入原因", "设备编码", "设备名称", "IP地址", "端口", "密码"]
    assert rows[0][1:] == ["C2", "西门", "nowhere!", "99999", "second"]
    assert {row[1]: row[0] for row in rows} == REASONS


def test_only_the_owner_may_read_them(register: Register) -> None:
    former = register.folder / "register.refused.csv"
    former.write_text("former")
    former.chmod(0o644)
    register.load(MIXED, skip_bad=True)
    assert stat.S_IMODE(former.stat().st_mode) == 0o600


def test_corrected_they_are_imported_in_turn(register: Register) -> None:
    register.load(MIXED, skip_bad=True)
    file = register.folder / "register.refused.csv"
    text = file.read_text(encoding="utf-8-sig").replace("nowhere!,99999", "10.0.0.2,80")
    file.write_text(text, encoding="utf-8")
    assert done(register.load_file(file, skip_bad=True)) == (1, 1, 0, 2)
    assert register.devices()["C1"].record.name == "北门"
    header, *rows = aside(register.folder / "register.refused.refused.csv")
    assert header.count("未导入原因") == 1
    assert [row[1] for row in rows] == ["C3", "C6"]


def test_all_or_nothing_without_it(register: Register) -> None:
    with pytest.raises(ImportRefused):
        register.load(MIXED)
    assert codes(register) == []
    assert not (register.folder / "register.refused.csv").exists()


def test_without_bad_rows_there_is_no_file(register: Register) -> None:
    assert register.load("code,name,address\nC1,a,10.0.0.1\n", skip_bad=True).set_aside is None
    assert not (register.folder / "register.refused.csv").exists()


def test_a_dry_run_tells_and_writes_nothing(register: Register) -> None:
    result = register.load(MIXED, skip_bad=True, dry_run=True)
    assert done(result) == (2, 0, 0, 4)
    assert result.set_aside
    assert result.set_aside.file is None
    assert [problem.row for problem in result.set_aside.problems] == [3, 3, 4, 5, 7]
    assert codes(register) == []
    assert not (register.folder / "register.refused.csv").exists()


def test_the_file_keeps_the_encoding(register: Register) -> None:
    content = MIXED.removeprefix("\ufeff").encode("gb18030")
    register.load(content, skip_bad=True)
    assert aside(register.folder / "register.refused.csv", "gb18030")[1][2] == "西门"


@pytest.mark.parametrize("content", ["code,colour\nC1,red\n", 'code,name\nC1,a\nC2,"b\n'])
def test_a_file_that_cannot_be_read_is_refused_as_a_whole(register: Register, content: str) -> None:
    with pytest.raises(ImportRefused):
        register.load(content, skip_bad=True)
    assert codes(register) == []


def test_nothing_is_imported_where_the_file_cannot_be_written(register: Register) -> None:
    (register.folder / "register.refused.csv").mkdir()
    with pytest.raises(BadParameter, match=r"register\.refused\.csv cannot be written"):
        register.load(MIXED, skip_bad=True)
    assert codes(register) == []


def test_a_workbook_keeps_its_cells(register: Register) -> None:
    start = datetime(2025, 1, 2, 8, 30)  # noqa: DTZ001 - a cell has no zone

    def merge(sheet: Any) -> None:
        sheet.merge_cells("B5:B6")
        sheet["B4"].data_type = "s"

    path = workbook(
        register.folder / "register.xlsx",
        ["一机一档"],
        ["设备编码", "设备名称", "IP地址", "端口", "启用日期"],
        ["C1", "东门", "10.0.0.1", 80.0, date(2025, 1, 2)],
        [4.4010600001310001e19, "=门", "10.0.0.2", 80, start],
        ["C3", "南门", "10.0.0.3"],
        ["C4", None, "10.0.0.4"],
        change=merge,
    )
    result = register.load_file(path, skip_bad=True)
    assert done(result) == (1, 0, 0, 3)
    book = load_workbook(register.folder / "register.refused.xlsx")
    header, *rows = book.worksheets[0].iter_rows()
    assert header[0].value == "未导入原因"
    assert [row[1].value for row in rows] == [4.4010600001310001e19, "C3", "C4"]
    assert [cell.value for cell in rows[0][2:6]] == ["=门", "10.0.0.2", 80, start]
    assert rows[0][2].data_type == "s"
    assert "format the column as text" in str(rows[0][0].value)
    assert "B5:B6 are merged" in str(rows[1][0].value)

    sheet = book.worksheets[0]
    sheet["B2"], sheet["F2"], sheet["C4"] = "C2", None, "北门"
    book.save(register.folder / "register.refused.xlsx")
    again = register.load_file(register.folder / "register.refused.xlsx")
    assert done(again) == (3, 0, 0, 0)
    assert register.devices()["C2"].record.name == "=门"
