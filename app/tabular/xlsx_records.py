"""XLSX, read row by row: the sheet that has the header, else the first.

What a workbook unpacks to is bounded before anything is unpacked; no entity and no DTD is read
(openpyxl uses defusedxml). What would be read wrongly without a word, merged cells and formulas
without a value, is refused by row.
"""

import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice, repeat
from pathlib import Path
from typing import Any, BinaryIO

import openpyxl

from app.errors import BadParameter
from app.tabular.columns import HEADER_WITHIN, Columns
from app.tabular.records import CannotRead, Cell, Record, Unreadable
from app.tabular.xlsx_cells import read_cell

MAX_UNPACKED = 256 << 20
MAX_PARTS = 4_096
MAX_WIDTH = 1_000
_LAST_ROW = 1_048_576
_BLOCK = 1 << 20
_OVERLAP = 512
_FORMULA = re.compile(rb"<(?:\w+:)?f[ >/]")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=\"([A-Z]+([0-9]+):[A-Z]+([0-9]+))\"")
_SAVE_AGAIN = "open it in Excel and save it anew as an Excel workbook (.xlsx)"
_NO_VALUE = "is a formula without a value; open and save the file in Excel, or type the value"


class XlsxRecords:
    """The rows of one sheet."""

    exact = False

    def __init__(self, book: Any, formulas: Any, sheet: Any) -> None:
        self._row = 0
        self._rows = _rows(sheet)
        content = _scan(book._archive, sheet._worksheet_path)
        self._formulas = _rows(formulas()[sheet.title]) if content.has_formulas else repeat(())
        self._merged = content.merged
        self._area, self._merged_to = "", 0

    def __iter__(self) -> Iterator[Record]:
        while True:
            try:
                record = self._next()
            except Exception as error:  # whatever openpyxl makes of a broken sheet
                raise CannotRead(self._row + 1, f"cannot be read; {_SAVE_AGAIN}") from error
            if record is None:
                return
            yield record

    def _next(self) -> Record | None:
        cells = next(self._rows, None)
        if cells is None:
            return None
        formulas = next(self._formulas, ())
        self._row += 1
        if len(cells) > MAX_WIDTH:
            fault = f"has more than {MAX_WIDTH} cells; take out those without a header"
            return Record(self._row, ["…"], cells, fault)
        read: list[Cell] = [read_cell(cell) for cell in cells]
        for place, formula in enumerate(formulas):
            if formula.data_type == "f" and cells[place].value is None:
                read[place] = Unreadable("", _NO_VALUE)
        while read and not read[-1]:
            read.pop()
        return Record(self._row, read, cells, self._fault())

    def _fault(self) -> str:
        """Only the first cell of a merged area has a value: the others would read as empty."""
        last, area = self._merged.get(self._row, (0, ""))
        if last > self._merged_to:
            self._merged_to, self._area = last, area
        if self._row > self._merged_to:
            return ""
        return f"cells {self._area} are merged; unmerge them and fill in each"

    def progress(self) -> tuple[int, int]:
        return self._row, self._row  # how many there are is known at the end


@contextmanager
def open_workbook(source: BinaryIO, path: Path, columns: Columns) -> Iterator[XlsxRecords]:
    """Open the sheet with the header.

    Raises `BadParameter` for what is no workbook, unpacks to too much or has several such sheets.
    """
    opened = []

    def load(*, data_only: bool) -> Any:
        book = openpyxl.load_workbook(source, read_only=True, data_only=data_only, keep_links=False)
        opened.append(book)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # other programs write wrong ones
        return book

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl tells of what it leaves out: validations, styles
        try:
            try:
                _bound(source)
                book = load(data_only=True)
                sheet = _choose(book.worksheets, columns)
                records = XlsxRecords(book, lambda: load(data_only=False), sheet)
            except BadParameter as error:
                raise BadParameter("FILE", f"{path} {error.problem}") from None
            except Exception as error:  # whatever openpyxl makes of a broken file
                reason = f"{path} is no readable workbook; {_SAVE_AGAIN}"
                raise BadParameter("FILE", reason) from error
            yield records
        finally:
            for book in opened:
                book.close()


def _bound(source: BinaryIO) -> None:
    """A part never unpacks to more than its entry in the directory says."""
    parts = zipfile.ZipFile(source).infolist()
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        limit = MAX_UNPACKED >> 20
        reason = f"unpacks to more than {limit} MiB; save the table alone as a workbook or as CSV"
        raise BadParameter("FILE", reason)
    if "xl/workbook.xml" not in {part.filename for part in parts}:
        raise BadParameter("FILE", f"is no Excel workbook (.xlsx); {_SAVE_AGAIN}")


def _choose(sheets: Sequence[Any], columns: Columns) -> Any:
    visible = [sheet for sheet in sheets if sheet.sheet_state == "visible"]
    if not visible:
        raise BadParameter("FILE", "shows no sheet; put the table into a visible one")
    fitting = [sheet for sheet in visible if _has_header(sheet, columns)]
    if len(fitting) > 1:
        names = ", ".join(sheet.title for sheet in fitting)
        raise BadParameter("FILE", f"has several such tables ({names}); keep one sheet a file")
    return (fitting or visible)[0]


def _has_header(sheet: Any, columns: Columns) -> bool:
    for cells in islice(_rows(sheet), HEADER_WITHIN):
        read = [read_cell(cell) for cell in cells[:MAX_WIDTH]]
        if columns.is_header([cell for cell in read if isinstance(cell, str)]):
            return True
    return False


def _rows(sheet: Any) -> Iterator[Sequence[Any]]:
    rows: Iterator[Sequence[Any]] = sheet.iter_rows(max_row=_LAST_ROW)
    return rows


@dataclass(frozen=True, slots=True)
class _Content:
    """What a sheet holds beside values: first row of merged areas → last row and the area."""

    merged: Mapping[int, tuple[int, str]]
    has_formulas: bool


def _scan(archive: zipfile.ZipFile, part: str) -> _Content:
    """Look through the sheet's XML for what stands behind its rows, or is not told of them."""
    merged: dict[int, tuple[int, str]] = {}
    has_formulas = False
    with archive.open(part) as source:
        kept = b""
        while block := source.read(_BLOCK):
            text = kept + block
            has_formulas = has_formulas or _FORMULA.search(text) is not None
            for area, first, last in _MERGED.findall(text):
                merged[int(first)] = max(
                    merged.get(int(first), (0, "")), (int(last), area.decode())
                )
            kept = text[-_OVERLAP:]
    return _Content(merged, has_formulas)
