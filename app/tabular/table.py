"""An open file, whatever its kind: its header, its rows by field, what is wrong with them."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

from app.errors import BadParameter, Remedy
from app.tabular.columns import HEADER_WITHIN, Columns, read_header
from app.tabular.csv_records import CsvRecords
from app.tabular.problems import WHOLE_ROW, Problems
from app.tabular.progress import ReportProgress, unreported
from app.tabular.records import CannotRead, Record, Records, Unreadable

EXAMPLE = "示例"
"""A row whose key cell begins so is an example of the template, and left out."""

_REPORT_EVERY = 1_000
_ZIP = b"PK\x03\x04"
_SEARCHED = 64 << 20
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


class Table:
    """An open file: its `fields` in their order, its rows once, the `problems` found in them."""

    def __init__(
        self, records: Records, file: str, columns: Columns, *, skip_bad: bool = False
    ) -> None:
        self.problems = Problems(file)
        self._source = records
        self._key = columns.key
        self._secret = columns.secret
        self._records = self._read(records)
        header = self._header_record(columns)
        self.header = read_header(header.row, header.texts, file, columns)
        self.fields = tuple(self.header.places)
        self.examples = 0
        self.problems = Problems(file, self.header.titles, by_row=skip_bad)

    def rows(
        self, report: ReportProgress = unreported, stage: str = "reading"
    ) -> Iterator[tuple[int, dict[str, str]]]:
        """Row number and cells by field; rows that cannot be used are noted as problems.

        Examples are left out and counted. Raises `ImportRefused` where the rest cannot be read.
        """
        size = 1
        for record in self._records:
            if record.row % _REPORT_EVERY == 0:
                report(stage, *self._source.progress())
            if not any(record.cells) or self._is_example(record):
                continue
            cells = self._usable(record)
            if cells is not None:
                yield record.row, cells
        _, size = self._source.progress()
        report(stage, size, size)

    def _is_example(self, record: Record) -> bool:
        place = self.header.places.get(self._key or "")
        if place is None or not "".join(record.texts[place : place + 1]).startswith(EXAMPLE):
            return False
        self.examples += 1
        return True

    def _usable(self, record: Record) -> dict[str, str] | None:
        """The cells by field; None, and the problems noted, where one cannot be used."""
        cells, width = record.cells, self.header.width
        fault = record.fault
        if len(cells) > width or (self._source.exact and len(cells) < width):
            fault = Remedy(
                "has %(cells)d cells where the header has %(header)d; align it",
                cells=len(cells),
                header=width,
            )
        if fault:
            self.problems.add(record.row, WHOLE_ROW, "", fault)
            return None
        usable = {}
        for field, place in self.header.places.items():
            cell = cells[place] if place < len(cells) else ""
            if isinstance(cell, Unreadable):
                shown = "" if field in self._secret else cell.shown
                self.problems.add(record.row, field, shown, cell.remedy)
            else:
                usable[field] = cell
        return usable if len(usable) == len(self.fields) else None

    def _header_record(self, columns: Columns) -> Record:
        """The first row that is a header, else the one most like it."""
        above: list[Record] = []
        for record in islice(self._records, HEADER_WITHIN):
            if columns.is_header(record.texts):
                return record
            above.append(record)
        if not above:
            return Record(1, [], [])
        best = max(above, key=lambda each: (columns.known(each.texts), any(each.cells)))
        below = (record for record in above if record.row > best.row)
        self._records = chain(below, self._records)
        return best

    def _read(self, records: Records) -> Iterator[Record]:
        try:
            yield from records
        except CannotRead as error:
            self.problems.add(error.row, WHOLE_ROW, "", error.remedy)
            self.problems.refuse()


@contextmanager
def open_records(path: Path, columns: Columns) -> Iterator[Records]:
    """Open a file by what is in it.

    Raises `BadParameter` where it cannot be opened or is of no kind that is read.
    """
    try:
        source = path.open("rb")
    except OSError as error:
        reason = f"{path} cannot be read ({error.strerror}); check its path and rights"
        raise BadParameter("FILE", reason) from error
    with source:
        head = source.read(16)
        _refuse_other_kinds(head, source, path)
        source.seek(0)
        if head.startswith(_ZIP):
            from app.tabular.xlsx_records import open_workbook  # openpyxl is heavy

            with open_workbook(source, path, columns) as records:
                yield records
        else:
            yield CsvRecords(source, path)


@contextmanager
def open_table(path: Path, columns: Columns, *, skip_bad: bool = False) -> Iterator[Table]:
    """Open a file and read its header; with `skip_bad` the reasons of each bad row are kept.

    Raises `BadParameter` where the file cannot be opened, `ImportRefused` where the header is not
    one of these columns or the text cannot be read.
    """
    with open_records(path, columns) as records:
        yield Table(records, path.name, columns, skip_bad=skip_bad)


def _refuse_other_kinds(head: bytes, source: BinaryIO, path: Path) -> None:
    if head.startswith(_COMPOUND):
        if _ENCRYPTED in source.read(_SEARCHED):
            reason = "is locked with a password; take that off in Excel and save it again"
        else:
            reason = (
                "is an old Excel file (.xls); save it as an Excel workbook / Excel 工作簿 (.xlsx)"
            )
        raise BadParameter("FILE", f"{path} {reason}")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        reason = "is a web page or XML; open it in Excel and save it as an Excel workbook (.xlsx)"
        raise BadParameter("FILE", f"{path} {reason}")
