"""A table to be read, printed and reckoned with: a title, facts, typed columns, a total.

A workbook has the facts below its title; CSV, which is all table, in further columns of each row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

from app.tabular.values import harmless
from app.tabular.writing import write_rows

Value = str | float | None


class Form(StrEnum):
    """What a column holds; the value is its number format in a workbook."""

    TEXT = "@"
    COUNT = "#,##0"
    HOURS = "#,##0.0"
    PERCENT = "0.00%"
    """Fractions of 1, of at most four decimals."""


@dataclass(frozen=True, slots=True)
class ReportColumn:
    title: str
    form: Form = Form.TEXT


@dataclass(frozen=True, slots=True)
class Report:
    """`name` is the sheet's; `facts` are (label, value) of what holds of all rows.

    A cell without a value is empty.
    """

    name: str
    title: str
    facts: Sequence[tuple[str, str]]
    columns: Sequence[ReportColumn]
    rows: Sequence[Sequence[Value]]
    total: Sequence[Value]


def write_report(target: BinaryIO, report: Report, *, as_workbook: bool) -> None:
    """Write it as XLSX, or as CSV in UTF-8 with BOM."""
    if as_workbook:
        from app.tabular.xlsx_report import write_sheet  # openpyxl is heavy

        write_sheet(target, report)
        return
    header = [*(column.title for column in report.columns), *(label for label, _ in report.facts)]
    same = [harmless(value) for _, value in report.facts]
    rows = ([*_plain(report, row), *same] for row in (*report.rows, report.total))
    write_rows(target, [header, *rows], as_workbook=False)


def _plain(report: Report, row: Sequence[Value]) -> list[str | float]:
    return [_cell(value, column) for value, column in zip(row, report.columns, strict=True)]


def _cell(value: Value, column: ReportColumn) -> str | float:
    if value is None:
        return ""
    if isinstance(value, str):
        return harmless(value)
    return f"{value:.2%}" if column.form is Form.PERCENT else value
