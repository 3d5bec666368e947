"""What offices do to workbooks: read as it is shown, or refused by row, never read as another."""

import zipfile
from contextlib import suppress
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.formula import ArrayFormula

from app.errors import BadParameter, ImportRefused, RowProblem
from app.tabular import Columns, open_table, xlsx_records
from tests.app.tabular.workbooks import SHEET, STYLES, patched, workbook

COLUMNS = Columns(
    names={"code": "code", "编码": "code", "name": "name", "名称": "name", "from": "from"},
    required=frozenset({"code", "name"}),
    key="code",
)
HEADER = ["编码", "名称"]
Rows = list[tuple[int, dict[str, str]]]


def wall(*parts: int) -> datetime:
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - a cell has no zone


def read(path: Path) -> Rows:
    with open_table(path, COLUMNS) as table:
        rows = list(table.rows())
        table.problems.refuse()
    return rows


def refused(path: Path) -> list[RowProblem]:
    with pytest.raises(ImportRefused) as caught:
        read(path)
    return caught.value.problems


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "table.xlsx"


def one(path: Path, value: Any, number_format: str | None = None) -> Path:
    """A workbook whose cell B2 holds the value."""

    def form(sheet: Any) -> None:
        if number_format:
            sheet["B2"].number_format = number_format

    return workbook(path, HEADER, ["C1", value], change=form)


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        ("  城东门\u3000", None, "城东门"),
        ("'=1+1", None, "=1+1"),
        (80.0, None, "80"),
        (80, "General", "80"),
        (-23.18, None, "-23.18"),
        (113.2643851, None, "113.2643851"),
        (0.1, "0%", "10%"),
        (123456789012345, None, "123456789012345"),
        (42, "00000", "00042"),
        (0.9741, "0.00%", "97.41%"),
        (1, "0%", "100%"),
        (0.07, '0.00"%"', "0.07"),
        (True, None, "true"),
        (False, None, "false"),
        (date(2026, 2, 1), None, "2026-02-01"),
        (wall(2026, 2, 1), "yyyy/m/d", "2026-02-01"),
        (wall(2026, 2, 1), 'yyyy"年"m"月"d"日"', "2026-02-01"),
        (wall(2026, 2, 1), "[$-zh-CN]yyyy\\h", "2026-02-01"),
        (wall(2026, 2, 1), "yyyy-mm-dd hh:mm", "2026-02-01 00:00:00"),
        (wall(2026, 2, 1, 8, 30), "yyyy-mm-dd", "2026-02-01 08:30:00"),
        (wall(2026, 2, 1, 7, 59, 59, 999_700), "yyyy-mm-dd", "2026-02-01 08:00:00"),
        (time(8, 30), None, "08:30:00"),
        (CellRichText("城", TextBlock(InlineFont(b=True), "东")), None, "城东"),
        (None, None, ""),
    ],
)
def test_reads_what_is_shown(path: Path, value: Any, number_format: str | None, text: str) -> None:
    assert read(one(path, value, number_format)) == [(2, {"code": "C1", "name": text})]


@pytest.mark.parametrize(
    ("number", "value", "text"),
    [
        (31, 46054, "2026-02-01"),
        (57, 46054, "2026-02-01"),
        (33, 46054, "2026-02-01 00:00:00"),
        (32, 0.5, "12:00:00"),
        (31, 46054.25, "2026-02-01 06:00:00"),
    ],
)
def test_reads_the_dates_of_chinese_excel(path: Path, number: int, value: float, text: str) -> None:
    """Their formats have a number and no text, so a library without them sees a bare number."""
    patched(one(path, value, "0.00%"), STYLES, ('numFmtId="10"', f'numFmtId="{number}"'))
    assert read(path)[0][1]["name"] == text


def test_both_calendars(path: Path) -> None:
    def mac(sheet: Any) -> None:
        sheet.parent.epoch = CALENDAR_MAC_1904

    workbook(path, HEADER, ["C1", date(2026, 2, 1)], change=mac)
    assert ">44592<" in zipfile.ZipFile(path).read(SHEET).decode()
    assert read(path)[0][1]["name"] == "2026-02-01"


@pytest.mark.parametrize(
    ("value", "remedy"),
    [
        (4.4010600001310001e19, "format the column as text"),
        (44010600001310000001, "format the column as text"),
        (1_000_000_000_000_000, "format the column as text"),
        (-1e300, "format the column as text"),
        ("#N/A", "is an error of the spreadsheet"),
        ("#REF!", "is an error of the spreadsheet"),
        ("=A2", "is a formula without a value"),
        (ArrayFormula("B2:B2", "=A2"), "is a formula without a value"),
    ],
)
def test_refuses_what_is_lost(path: Path, value: Any, remedy: str) -> None:
    (problem,) = refused(one(path, value))
    assert (problem.row, problem.column) == (2, "名称")
    assert remedy in problem.remedy


@pytest.mark.parametrize(
    ("result", "text"), [(80, "80"), ("城东", "城东"), (True, "true"), (46054.5, "46054.5")]
)
def test_reads_what_a_formula_gave(path: Path, result: Any, text: str) -> None:
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEADER)
    sheet.write_string(1, 0, "C1")
    sheet.write_formula(1, 1, "=A2", None, result)
    book.close()
    assert read(path)[0][1]["name"] == text


def test_an_impossible_date_of_chinese_excel(path: Path) -> None:
    patched(one(path, 9e9, "0.00%"), STYLES, ('numFmtId="10"', 'numFmtId="31"'))
    assert "is no date" in refused(path)[0].remedy


def test_titles_gaps_and_short_rows(path: Path) -> None:
    def shape(sheet: Any) -> None:
        sheet.merge_cells("A1:B1")
        sheet["B9"] = "last"
        sheet["A9"] = "C9"
        sheet["F12"].number_format = "@"  # a cell without a value

    workbook(path, ["某某分局一机一档"], ["序号", *HEADER], [1, "C1"], [], change=shape)
    with open_table(path, COLUMNS) as table:
        assert next(table.rows()) == (3, {"code": "C1", "name": ""})
    assert table.header.row == 2


def test_row_numbers_are_those_of_excel(path: Path) -> None:
    def place(sheet: Any) -> None:
        sheet["A7"], sheet["B7"] = "C7", "a"

    assert read(workbook(path, HEADER, change=place)) == [(7, {"code": "C7", "name": "a"})]


def test_a_cell_beside_the_table_is_named(path: Path) -> None:
    (problem,) = refused(workbook(path, HEADER, ["C1", "a", None, "note"]))
    assert (problem.row, problem.column) == (2, "whole row")
    assert "has 4 cells where the header has 2" in problem.remedy


def test_merged_cells_are_refused_in_each_of_their_rows(path: Path) -> None:
    def merge(sheet: Any) -> None:
        sheet.merge_cells("B2:B3")
        sheet.merge_cells("A5:B5")

    rows = [["C1", "a"], ["C2"], ["C3", "c"], ["C4"]]
    problems = refused(workbook(path, HEADER, *rows, change=merge))
    assert [(each.row, "unmerge them" in each.remedy) for each in problems] == [
        (2, True),
        (3, True),
        (5, True),
    ]
    assert "cells B2:B3 are merged" in problems[0].remedy


def test_the_sheet_with_the_header_is_found(path: Path) -> None:
    book = xlsxwriter.Workbook(str(path))
    book.add_worksheet("封面").write_row(0, 0, ["一机一档", 2026])
    hidden = book.add_worksheet("旧")
    hidden.write_row(0, 0, HEADER)
    hidden.hide()
    chart = book.add_chart({"type": "line"})
    chart.add_series({"values": "=封面!$B$1:$B$1"})
    book.add_chartsheet("图").set_chart(chart)
    table = book.add_worksheet("表")
    table.write_row(0, 0, HEADER)
    table.write_row(1, 0, ["C1", "a"])
    book.close()
    assert read(path) == [(2, {"code": "C1", "name": "a"})]


def test_several_tables_are_refused(path: Path) -> None:
    book = Workbook()
    for name in ("甲", "乙"):
        book.create_sheet(name).append(HEADER)
    book.save(path)
    with pytest.raises(BadParameter, match="several such tables \\(甲, 乙\\); keep one"):
        read(path)


def test_without_a_header_the_first_sheet_is_blamed(path: Path) -> None:
    (problem,) = refused(workbook(path, ["编码", "colour"], ["C1", "red"]))[:1]
    assert (problem.row, problem.column) == (1, "colour")
    (problem,) = refused(workbook(path))
    assert "there is no header" in problem.remedy


def test_a_bomb_is_not_unpacked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workbook(path, HEADER, ["C1", "a" * 3_000])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/media/zeros", b"\0" * 2_000_000)
    monkeypatch.setattr(xlsx_records, "MAX_UNPACKED", 1 << 20)
    with pytest.raises(BadParameter, match="unpacks to more than 1 MiB"):
        read(path)


def test_an_entry_that_lies_about_its_size_unpacks_to_no_more(path: Path) -> None:
    workbook(path, HEADER, *(["C1", "a" * 100] for _ in range(200)))
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as parts:
        entry = parts.getinfo(SHEET)
    size = entry.file_size.to_bytes(4, "little")
    at = content.rindex(size)  # in the directory, which zipfile goes by
    content[at : at + 4] = (1_000).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises((BadParameter, ImportRefused), match="save it anew"):
        read(path)


STRINGS, BOOK = "xl/sharedStrings.xml", "xl/workbook.xml"


@pytest.mark.parametrize("entity", ['"bb"', 'SYSTEM "file:///etc/hostname"'])
@pytest.mark.parametrize(
    ("part", "root"),
    [(SHEET, "<worksheet"), (STRINGS, "<sst"), (BOOK, "<workbook "), (STYLES, "<styleSheet")],
)
def test_no_entity_is_read(path: Path, entity: str, part: str, root: str) -> None:
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("sheet")
    sheet.write_row(0, 0, HEADER)
    sheet.write_row(1, 0, ["C1", "text"])
    book.close()
    changes = [(root, f"<!DOCTYPE x [<!ENTITY a {entity}>]>{root}")]
    if part == STRINGS:
        changes.append(("text", "&a;"))
    patched(path, part, *changes)
    with suppress(BadParameter, ImportRefused):
        assert read(path)[0][1]["name"] in ("", "text")


@pytest.mark.parametrize("width", [1_001, 18_000])
def test_a_row_that_never_ends_is_refused(path: Path, width: int) -> None:
    def far(sheet: Any) -> None:
        sheet.cell(3, width, "x")

    (problem,) = refused(workbook(path, HEADER, ["C1", "a"], ["C2"], change=far))
    assert problem.row == 3
    assert "more than 1000 cells" in problem.remedy


def test_a_row_far_below_is_not_walked_to(path: Path) -> None:
    workbook(path, HEADER, ["C1", "a"])
    patched(path, SHEET, ('<row r="2"', '<row r="2000000000"'), ("A2", "A2000000000"))
    assert read(path) == []


@pytest.mark.parametrize(
    "content",
    [b"PK\x03\x04", b"PK\x03\x04" + b"\0" * 100],
)
def test_broken_files_are_named(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(
        BadParameter, match=r"table\.xlsx is no readable workbook; open it in Excel"
    ):
        read(path)


def test_other_packages_are_named(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as parts:
        parts.writestr("word/document.xml", "<document/>")
    with pytest.raises(BadParameter, match="is no Excel workbook"):
        read(path)


def test_a_file_cut_off_is_refused(path: Path) -> None:
    workbook(path, HEADER, *([f"C{n}", "a"] for n in range(500)))
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(BadParameter, match="no readable workbook"):
        read(path)


def test_a_sheet_broken_in_the_middle_is_refused_there(path: Path) -> None:
    workbook(path, HEADER, *([f"C{n}", n] for n in range(5)))
    patched(path, SHEET, ("<v>3</v>", "<v>3</w>"))
    (problem,) = refused(path)
    assert problem.column == "whole row"
    assert "save it anew" in problem.remedy


def test_what_a_secret_cell_says_is_not_shown(path: Path) -> None:
    secret = Columns(COLUMNS.names, COLUMNS.required, secret=frozenset({"name"}))
    with open_table(one(path, 4.4010600001310001e19), secret) as table:
        assert list(table.rows()) == []
        with pytest.raises(ImportRefused) as refusal:
            table.problems.refuse()
    assert [problem.value for problem in refusal.value.problems] == [""]
    assert "4401" not in str(refusal.value)
