"""Bad rows in a file of their own beside the input, each with its reasons.

`register.xlsx` gives `register.refused.xlsx`, of the same kind and with the same columns; the
reasons stand in one more, the first, which an import leaves out: correct the rows there and import
that file. It replaces a former one, and only its owner may read it, for it may hold passwords.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from app.tabular.columns import REASON, Columns
from app.tabular.csv_records import CsvRecords
from app.tabular.drafts import whole_file
from app.tabular.problems import Problems
from app.tabular.progress import SetAside
from app.tabular.records import Record, Records
from app.tabular.table import Table, open_records
from app.tabular.values import harmless

_OWNER_ONLY = 0o600


def refuse_or_set_aside(
    path: Path, columns: Columns, table: Table, *, skip_bad: bool, dry_run: bool
) -> SetAside | None:
    """Raises `ImportRefused` where a row is bad, unless such rows are to be skipped.

    Then it writes them to a file of their own (not with `dry_run`), if there are any.
    """
    problems = table.problems
    if not skip_bad:
        problems.refuse()
    if not problems:
        return None
    file = None if dry_run else _set_aside(path, columns, table.header.row, problems)
    return SetAside(len(problems.reasons), problems.in_order(), problems.total, file)


def _set_aside(path: Path, columns: Columns, header: int, problems: Problems) -> Path:
    file = path.with_name(f"{path.stem}.refused{path.suffix}")
    with (
        open_records(path, columns) as records,
        whole_file(file, mode=_OWNER_ONLY) as target,
    ):
        rows = _bad_rows(records, header, problems.reasons)
        if isinstance(records, CsvRecords):
            _write_csv(target, rows, records.encoding)
        else:
            from app.tabular.xlsx_writing import write_cells  # openpyxl is heavy

            write_cells(target, rows)
    return file


def _bad_rows(
    records: Records, header: int, reasons: Mapping[int, Sequence[str]]
) -> Iterator[list[Any]]:
    """The header and the bad rows as they stand, behind their reasons."""
    former: int | None = None
    for record in records:
        if record.row == header:
            former = _place_of_reasons(record)
            yield [REASON, *_without(record.raw, former)]
        elif record.row in reasons:
            yield [harmless("; ".join(reasons[record.row])), *_without(record.raw, former)]


def _place_of_reasons(header: Record) -> int | None:
    """Where such a file is imported in turn, its reasons are those of a former import."""
    return header.texts.index(REASON) if REASON in header.texts else None


def _without(raw: Sequence[Any], place: int | None) -> list[Any]:
    return [cell for at, cell in enumerate(raw) if at != place]


def _write_csv(target: BinaryIO, rows: Iterator[list[str]], encoding: str) -> None:
    with io.TextIOWrapper(target, encoding=encoding, newline="") as text:
        csv.writer(text, lineterminator="\r\n").writerows(rows)
