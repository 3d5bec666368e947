"""Reports written as a workbook and as CSV."""

import csv
import io
from typing import Any

import openpyxl
import pytest

from app.tabular.report import Form, Report, ReportColumn, write_report

REPORT = Report(
    name="2026-03",
    title="=A title",
    facts=[("Month", "2026-03"), ("Written", "today")],
    columns=[
        ReportColumn("派出所名称"),
        ReportColumn("Devices", Form.COUNT),
        ReportColumn("Rate", Form.PERCENT),
        ReportColumn("Hours", Form.HOURS),
    ],
    rows=[["+North", 1234, 0.9799, 12.3333], ["水榭派出所", 0, None, 0.0]],
    total=["Total", 1234, 0.98, 12.3333],
)


def sheet_of(report: Report) -> Any:
    target = io.BytesIO()
    write_report(target, report, as_workbook=True)
    target.seek(0)
    (sheet,) = openpyxl.load_workbook(target).worksheets
    return sheet


def test_a_workbook_has_title_facts_header_rows_and_total() -> None:
    values = list(sheet_of(REPORT).iter_rows(values_only=True))
    assert [row[:2] for row in values[:4]] == [
        ("=A title", None),
        ("Month", "2026-03"),
        ("Written", "today"),
        (None, None),
    ]
    assert values[4:] == [
        ("派出所名称", "Devices", "Rate", "Hours"),
        ("+North", 1234, 0.9799, 12.3333),
        ("水榭派出所", 0, None, 0),
        ("Total", 1234, 0.98, 12.3333),
    ]


def test_cells_have_the_formats_of_their_columns() -> None:
    sheet = sheet_of(REPORT)
    for row in sheet.iter_rows(min_row=6):
        assert [cell.number_format for cell in row] == ["@", "#,##0", "0.00%", "#,##0.0"]
    assert {sheet[name].data_type for name in ("A1", "A6", "A8")} == {"s"}, "no formulas"
    assert {sheet[name].data_type for name in ("B6", "C6", "D7")} == {"n"}
    assert sheet["A8"].font.bold
    assert sheet["B5"].alignment.horizontal == "right"


def test_columns_are_wide_enough_for_chinese() -> None:
    widths = sheet_of(REPORT).column_dimensions
    assert widths["A"].width >= 2 * len("水榭派出所")
    assert widths["D"].width >= len("1,234,567.8")
    long_name = Report("x", "x", [], [ReportColumn("N")], [["长" * 99]], ["Total"])
    assert sheet_of(long_name).column_dimensions["A"].width <= 40


def test_csv_has_the_facts_in_each_row() -> None:
    target = io.BytesIO()
    write_report(target, REPORT, as_workbook=False)
    assert list(csv.reader(io.StringIO(target.getvalue().decode("utf-8-sig")))) == [
        ["派出所名称", "Devices", "Rate", "Hours", "Month", "Written"],
        ["'+North", "1234", "97.99%", "12.3333", "2026-03", "today"],
        ["水榭派出所", "0", "", "0.0", "2026-03", "today"],
        ["Total", "1234", "98.00%", "12.3333", "2026-03", "today"],
    ]


@pytest.mark.parametrize("as_workbook", [True, False])
def test_a_row_has_a_cell_for_each_column(as_workbook: bool) -> None:
    short = Report("x", "x", [("a", "b")], REPORT.columns, [["alone"]], REPORT.total)
    with pytest.raises(ValueError, match="zip"):
        write_report(io.BytesIO(), short, as_workbook=as_workbook)
