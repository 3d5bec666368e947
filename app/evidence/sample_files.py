"""Reads files of samples, CSV or Parquet, row by row as they stand; judging is the importer's."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from app.errors import BadParameter
from app.tabular import Columns, Problems, ReportProgress, Table, open_table

FIELDS = ("device_code", "at", "status", "latency_ms")
COLUMNS = Columns(
    names={name: name for name in FIELDS}
    | {"设备编码": "device_code", "时间": "at", "状态": "status", "延迟": "latency_ms"},
    required=frozenset(FIELDS[:3]),
)
PARQUET = (".parquet", ".pq")
PARQUET_BATCH = 50_000


class RawSample(NamedTuple):
    """One row: `at` is text, or UTC seconds where the file's column is an instant already."""

    row: int
    device_code: str
    at: str | float
    status: str
    latency_ms: str


@contextmanager
def open_samples(
    path: Path, report: ReportProgress
) -> Iterator[tuple[Iterator[RawSample], Problems]]:
    """The rows of a file in their order, and where to note what is wrong with them.

    The ending tells CSV from Parquet; progress is in bytes or in rows. Raises `BadParameter` where
    the file cannot be opened, `ImportRefused` where it has not the columns of samples.
    """
    if path.suffix.lower() in PARQUET:
        yield _parquet_rows(path, report), Problems(path.name)
        return
    with open_table(path, COLUMNS) as table:
        yield _csv_rows(table, report), table.problems


def _csv_rows(table: Table, report: ReportProgress) -> Iterator[RawSample]:
    for row, cells in table.rows(report):
        latency = cells.get("latency_ms", "")
        yield RawSample(row, cells["device_code"], cells["at"], cells["status"], latency)


def _parquet_rows(path: Path, report: ReportProgress) -> Iterator[RawSample]:
    import pyarrow.parquet as pq  # a heavy library, for this kind of file only
    from pyarrow.lib import ArrowException

    try:
        file = pq.ParquetFile(path)
    except (OSError, ArrowException) as error:
        raise BadParameter("FILE", f"{path} is no readable Parquet file") from error
    _require_columns(path, file.schema_arrow.names)
    present = [name for name in FIELDS if name in file.schema_arrow.names]
    row = 1
    for batch in file.iter_batches(PARQUET_BATCH, columns=present):
        report("reading", row - 1, file.metadata.num_rows)
        yield from _batch_rows(batch, row)
        row += batch.num_rows
    report("reading", file.metadata.num_rows, file.metadata.num_rows)


def _require_columns(path: Path, names: list[str]) -> None:
    problems = Problems(path.name)
    for name in sorted(COLUMNS.required.difference(names)):
        problems.add(1, name, "", "this column is missing; add it")
    problems.refuse()


def _batch_rows(batch: Any, before: int) -> Iterator[RawSample]:
    codes = _texts(batch.column("device_code"))
    statuses = _texts(batch.column("status"))
    named = "latency_ms" in batch.schema.names
    latencies = _texts(batch.column("latency_ms")) if named else [""] * batch.num_rows
    numbers = range(before + 1, before + 1 + batch.num_rows)
    columns = (numbers, codes, _instants(batch.column("at")), statuses, latencies)
    return map(RawSample._make, zip(*columns, strict=True))


def _texts(column: Any) -> list[str]:
    return [_text(value) for value in column.to_pylist()]


def _text(value: object) -> str:
    """A value as a CSV would have it: whole floats (codes beside empty cells) without a point."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def _instants(column: Any) -> list[str] | list[float]:
    """UTC seconds of an instant column; a column without a zone stays text, and is refused."""
    import pyarrow as pa

    kind = column.type
    if not pa.types.is_timestamp(kind) or kind.tz is None:
        return _texts(column)
    microseconds = column.cast(pa.timestamp("us", tz=kind.tz), safe=False).cast(pa.int64())
    return ["" if at is None else at / 1e6 for at in microseconds.to_pylist()]
