"""Rows written as CSV or as a workbook."""

import codecs
import csv
from collections.abc import Iterable, Sequence
from datetime import date
from typing import BinaryIO

Cell = str | float | date


def write_rows(target: BinaryIO, rows: Iterable[Sequence[Cell]], *, as_workbook: bool) -> None:
    """Write a header and rows: CSV in UTF-8 with BOM, or XLSX."""
    if as_workbook:
        from app.tabular.xlsx_writing import write_cells  # openpyxl is heavy

        write_cells(target, rows)
    else:
        target.write(codecs.BOM_UTF8)
        writer = csv.writer(codecs.getwriter("utf-8")(target), lineterminator="\r\n")
        writer.writerows(rows)
