"""Rows written as a workbook."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, BinaryIO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

TEXT_FORMAT = "@"
"""Excel makes no number of what is typed into such a cell."""


def write_cells(target: BinaryIO, rows: Iterable[Sequence[Any]]) -> None:
    """Write a header and rows: plain values, or read-only cells of another workbook."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.freeze_panes = "A2"
    for row in rows:
        sheet.append([_copy(sheet, cell) for cell in row])
    book.save(target)


def text_cell(sheet: Any, text: str | None) -> Any:
    """A cell that stays text, whatever it begins with, also where it is filled in later."""
    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"  # no formula, no error
    cell.number_format = TEXT_FORMAT
    return cell


def _copy(sheet: Any, cell: Any) -> Any:
    if isinstance(cell, str):
        return text_cell(sheet, cell)
    if cell is None or isinstance(cell, int | float | date):
        return cell
    if cell.value is None or isinstance(cell.value, str):
        return text_cell(sheet, cell.value)
    copied = WriteOnlyCell(sheet, cell.value)
    copied.number_format = cell.number_format
    return copied
