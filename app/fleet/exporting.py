"""Export of the register: a file that the import reads back and a spreadsheet opens safely."""

import codecs
import csv
from collections.abc import Iterator, Sequence
from datetime import date
from typing import BinaryIO

from app.database import Database
from app.fleet.queries import Selection, count_devices, read_devices
from app.fleet.record import COLUMNS, RECORD_FIELDS, Record
from app.tabular import ReportProgress, harmless, unreported

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

        def rows() -> Iterator[Sequence[str | float | date]]:
            yield [COLUMNS[name].chinese[0] if chinese else name for name in RECORD_FIELDS]
            for done, stored in enumerate(read_devices(session, selection)):
                if done % _REPORT_EVERY == 0:
                    progress("writing", done, total)
                yield _cells(stored.record)

        if as_workbook:
            from app.tabular.xlsx_writing import write_cells  # openpyxl is heavy

            write_cells(target, rows())
        else:
            target.write(codecs.BOM_UTF8)
            writer = csv.writer(codecs.getwriter("utf-8")(target), lineterminator="\r\n")
            writer.writerows(rows())
    progress("writing", total, total)
    return total


def _cells(record: Record) -> list[str | float | date]:
    return [_cell(getattr(record, name)) for name in RECORD_FIELDS]


def _cell(value: str | float | bool | date | None) -> str | float | date:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):  # enumerations too
        return harmless(str(value))
    return value
