"""Tables as spreadsheets hand them over: comma-separated UTF-8, a header, one record a row.

Rows are counted as a spreadsheet counts them: the header is row 1, blank rows count and are
skipped. Cells are stripped of blanks around them. What a spreadsheet would take for a formula is
written with an apostrophe before it (`harmless`) and read without it (`restored`).
"""

import csv
import difflib
import io
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO

from app.errors import BadParameter, ImportRefused, RowProblem

WHOLE_ROW = "whole row"
SAVE_AS = "save it as “CSV UTF-8 (comma delimited)” / “CSV UTF-8(逗号分隔)”"
EARLIEST_YEAR, LATEST_YEAR = 1970, 2199

ReportProgress = Callable[[str, int, int], None]
"""(what is being done, how much of it is done, how much there is)"""

_REPORT_EVERY = 1_000
_SHOWN_LENGTH = 80
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_DAY = re.compile(r"([0-9]{4})([-/])([0-9]{1,2})\2([0-9]{1,2})")


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did, or with `--dry-run` would do, in rows."""

    inserted: int
    updated: int
    unchanged: int


def unreported(_stage: str, _done: int, _total: int) -> None:
    """Report progress to nobody."""


def harmless(text: str) -> str:
    """The text so that no spreadsheet takes it for a formula.

    Text that begins with `= + - @`, tab or carriage return gets an apostrophe before it; so does
    text that has apostrophes there already, for `restored` to give back exactly this text.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def restored(text: str) -> str:
    """The text that `harmless` was given."""
    return text[1:] if text[:1] == "'" and _FORMULA.match(text) else text


def read_day(text: str) -> date:
    """Read `YYYY-MM-DD` or `YYYY/M/D`. Raises `ValueError` with the remedy."""
    match = _DAY.fullmatch(text)
    if not match:
        raise ValueError("is not a date; write it as YYYY-MM-DD")
    year, month, day = (int(match[n]) for n in (1, 3, 4))
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        raise ValueError(f"must be a year from {EARLIEST_YEAR} to {LATEST_YEAR}")
    try:
        return date(year, month, day)
    except ValueError:
        raise ValueError("is no day of the calendar; correct it") from None


class Problems:
    """The mistakes of one file: the first hundred are kept, all are counted."""

    def __init__(self, file: str, titles: Mapping[str, str] | None = None) -> None:
        """`titles` gives each field's header as the file spells it."""
        self.file = file
        self.total = 0
        self._titles = titles or {}
        self._kept: list[RowProblem] = []

    def __bool__(self) -> bool:
        return self.total > 0

    def add(self, row: int, field: str, value: str, remedy: str) -> None:
        """Note a mistake; `field` is the field's name, `value` what the cell says."""
        self.total += 1
        if len(self._kept) < ImportRefused.shown:
            shown = value if len(value) <= _SHOWN_LENGTH else value[:_SHOWN_LENGTH] + "…"
            self._kept.append(RowProblem(row, self._titles.get(field, field), shown, remedy))

    def refuse(self) -> None:
        """Raises `ImportRefused` where there is any mistake."""
        if self:
            in_order = sorted(self._kept, key=lambda problem: problem.row)
            raise ImportRefused(self.file, in_order, self.total)


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns a file may have: header → field, and the fields it must have."""

    names: Mapping[str, str]
    required: frozenset[str]

    def field(self, header: str) -> str | None:
        """The field a header stands for; case and blanks do not matter."""
        wanted = _folded(header)
        return next((name for known, name in self.names.items() if _folded(known) == wanted), None)

    def resembling(self, header: str) -> str:
        """Known headers to put in place of an unknown one."""
        near = difflib.get_close_matches(header, self.names, n=3)
        return " or ".join(near) if near else ", ".join(dict.fromkeys(self.names.values()))


class Table:
    """An open file: its `fields` in their order, its rows once, the `problems` found in them."""

    def __init__(self, source: BinaryIO, path: Path, columns: Columns, size: int) -> None:
        self._source = source
        self._path = path
        self._size = size
        text = io.TextIOWrapper(source, encoding="utf-8-sig", newline="")
        self._records = csv.reader(text, strict=True)
        self._row = 0
        self.problems = Problems(path.name)
        header = [cell.strip() for cell in next(self._read(), [])]
        self.fields = _fields(header, path.name, columns)
        self.problems = Problems(path.name, dict(zip(self.fields, header, strict=True)))

    def rows(
        self, report: ReportProgress = unreported, stage: str = "reading"
    ) -> Iterator[tuple[int, dict[str, str]]]:
        """Row number and cells by field; rows that cannot be used are noted as problems.

        Progress is in bytes of the file. Raises `ImportRefused` where the rest cannot be read.
        """
        for cells in self._read():
            if self._row % _REPORT_EVERY == 0:
                report(stage, self._source.tell(), self._size)
            cleaned = [_clean(cell) for cell in cells]
            if not any(cleaned):
                continue
            fault = self._fault(cells)
            if fault:
                self.problems.add(self._row, WHOLE_ROW, "", fault)
            else:
                yield self._row, dict(zip(self.fields, cleaned, strict=True))
        report(stage, self._size, self._size)

    def _fault(self, cells: list[str]) -> str | None:
        if len(cells) != len(self.fields):
            return f"has {len(cells)} cells where the header has {len(self.fields)}; align it"
        if "\x00" in "".join(cells):  # no database stores it
            return f"holds a zero character; {SAVE_AS}"
        return None

    def _read(self) -> Iterator[list[str]]:
        try:
            for cells in self._records:
                self._row += 1
                yield cells
        except UnicodeDecodeError:
            self._stop(_undecodable_row(self._path), f"the file is not UTF-8; {SAVE_AS}")
        except csv.Error as error:
            self._stop(self._row + 1, f"cannot be read ({error}); check the quotation marks")

    def _stop(self, row: int, remedy: str) -> None:
        self.problems.add(row, WHOLE_ROW, "", remedy)
        self.problems.refuse()


@contextmanager
def open_table(path: Path, columns: Columns) -> Iterator[Table]:
    """Open a file and read its header.

    Raises `BadParameter` where the file cannot be opened, `ImportRefused` where the header is not
    one of these columns or the text is not UTF-8.
    """
    try:
        source = path.open("rb")
    except OSError as error:
        reason = f"{path} cannot be read ({error.strerror}); check its path and rights"
        raise BadParameter("FILE", reason) from error
    with source:
        yield Table(source, path, columns, max(1, path.stat().st_size))


def _folded(header: str) -> str:
    return "".join(header.split()).casefold()


def _clean(cell: str) -> str:
    stripped = cell.strip()
    return restored(stripped).strip() if stripped[:1] == "'" else stripped


def _fields(header: list[str], file: str, columns: Columns) -> tuple[str, ...]:
    """The header's fields. Raises `ImportRefused` naming what is unknown, twice or missing."""
    problems = Problems(file)
    if not any(header):
        problems.add(1, WHOLE_ROW, "", "there is no header; put the columns' names into row 1")
    elif len(header) == 1 and re.search("[;\t，]", header[0]):
        problems.add(1, WHOLE_ROW, "", f"the file is not separated by commas; {SAVE_AS}")
    problems.refuse()
    places: dict[str, str] = {}
    for number, title in enumerate(header, 1):
        field = columns.field(title)
        if not title:
            problems.add(1, f"column {number}", "", "has no header; name it or take it out")
        elif field is None:
            likely = columns.resembling(title)
            problems.add(1, title, "", f"unknown header; take it out or use {likely}")
        elif field in places:
            problems.add(1, title, "", f"is the same column as {places[field]}; keep one of them")
        else:
            places[field] = title
    for field in sorted(columns.required - places.keys()):
        problems.add(1, field, "", "this column is missing; add it")
    problems.refuse()
    return tuple(places)


def _undecodable_row(path: Path) -> int:
    """The first row with bytes that are not UTF-8 (found anew: decoding runs ahead of the rows)."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
        row = 0
        try:
            for row, cells in enumerate(csv.reader(text), 1):
                if any("\udc80" <= char <= "\udcff" for cell in cells for char in cell):
                    return row
        except (csv.Error, UnicodeDecodeError):
            pass
        return row + 1
