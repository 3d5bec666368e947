"""Export of the register: a file that the import reads back and a spreadsheet opens safely."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from app.database import Database
from app.fleet.queries import Selection, count_devices, read_devices
from app.fleet.record import COLUMNS, RECORD_FIELDS, Record
from app.tabular import ReportProgress, harmless, unreported
from app.tabular.writing import Cell, write_rows

_REPORT_EVERY = 1_000


def export_devices(
    database: Database,
    target: BinaryIO,
    selection: Selection | None = None,
    *,
    chinese: bool = False,
    as_workbook: bool = False,
    progress: ReportProgress = unreported,
) -> int:
    """Write devices by code as CSV (UTF-8 with BOM) or XLSX and return how many.

    Groups are those of the newest assignment. Passwords are never written: the file has no such
    column. Raises `NotFound` for a group that does not exist.
    """
    selection = selection or Selection()
    with database.read() as session:
        total = count_devices(session, selection)

        def rows() -> Iterator[Sequence[Cell]]:
            yield [COLUMNS[name].chinese[0] if chinese else name for name in RECORD_FIELDS]
            for done, stored in enumerate(read_devices(session, selection)):
                if done % _REPORT_EVERY == 0:
                    progress("writing", done, total)
                yield _cells(stored.record)

        write_rows(target, rows(), as_workbook=as_workbook)
    progress("writing", total, total)
    return total


def _cells(record: Record) -> list[Cell]:
    return [_cell(getattr(record, name)) for name in RECORD_FIELDS]


def _cell(value: Cell | bool | None) -> Cell:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):  # enumerations too
        return harmless(str(value))
    return value
