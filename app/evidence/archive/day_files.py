"""A day's samples as a Parquet file: sorted by device and tick, zstd, a group of rows for so many
devices. In memory they are a grid, which is small and needs no sorting. Source: DESIGN §2.

Columns: `device_id` int32, `tick` int64 (UTC seconds), `status` uint8, `latency_ms` int16 (null: no
answer). The file says of itself which slots it is cut into.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.errors import IntactError
from kpi.calendar import Slots
from kpi.status import Status

DEVICES_A_GROUP = 64
LEVEL = 3
NO_LATENCY = -1
NO_SAMPLE = int(Status.UNKNOWN)
COLUMNS = ("device_id", "tick", "status", "latency_ms")
Ints = npt.NDArray[np.int64]


class DamagedFile(IntactError):
    """An archive file that is missing or cannot be read."""

    title = "The archive is damaged"

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}; put it back from a backup, then `intact archive verify`.")


@dataclass(frozen=True, slots=True, eq=False)
class DayGrid:
    """The samples of some devices over a run of slots.

    `device_ids` ascending, shape (n,); `statuses` uint8 and `latencies` int16 (milliseconds, −1:
    none), shape (n, slots). Without a sample the status is 255.
    """

    device_ids: Ints
    slots: Slots
    statuses: npt.NDArray[np.uint8]
    latencies: npt.NDArray[np.int16]

    @classmethod
    def empty(cls, device_ids: Ints, slots: Slots) -> "DayGrid":
        shape = (len(device_ids), slots.count)
        return cls(
            device_ids,
            slots,
            np.full(shape, NO_SAMPLE, dtype=np.uint8),
            np.full(shape, NO_LATENCY, dtype=np.int16),
        )

    @property
    def samples(self) -> int:
        return int(np.count_nonzero(self.statuses != NO_SAMPLE))

    def fill(self, device_ids: Ints, ticks: Ints, statuses: Ints, latencies: Ints) -> None:
        """Put samples in, each where there is none yet; other devices and slots are left out."""
        if not len(device_ids) or not len(self.device_ids):
            return
        rows = np.minimum(np.searchsorted(self.device_ids, device_ids), len(self.device_ids) - 1)
        columns, beside = np.divmod(ticks - self.slots.start, self.slots.interval_s)
        fits = (self.device_ids[rows] == device_ids) & (beside == 0)
        fits &= (columns >= 0) & (columns < self.slots.count)
        rows, columns = rows[fits], columns[fits]
        free = self.statuses[rows, columns] == NO_SAMPLE
        rows, columns = rows[free], columns[free]
        self.statuses[rows, columns] = statuses[fits][free]
        self.latencies[rows, columns] = latencies[fits][free]

    def equals(self, other: "DayGrid") -> bool:
        """Whether both hold the same samples of the same devices."""
        return (
            self.slots == other.slots
            and np.array_equal(self.device_ids, other.device_ids)
            and np.array_equal(self.statuses, other.statuses)
            and np.array_equal(self.latencies, other.latencies)
        )


def write_file(path: Path, grid: DayGrid) -> None:
    """Write the samples of a whole day, and have them on the disk before this returns."""
    pyarrow, parquet = _pyarrow()
    schema = pyarrow.schema(
        [("device_id", "int32"), ("tick", "int64"), ("status", "uint8"), ("latency_ms", "int16")],
        metadata=_described(grid.slots),
    )
    with (
        path.open("wb") as file,
        parquet.ParquetWriter(
            file,
            schema,
            compression="zstd",
            compression_level=LEVEL,
            use_dictionary=["device_id", "status", "latency_ms"],
            column_encoding={"tick": "DELTA_BINARY_PACKED"},
        ) as writer,
    ):
        for columns, without_latency in _groups(grid):
            arrays = [pyarrow.array(column) for column in columns[:3]]
            arrays.append(pyarrow.array(columns[3], mask=without_latency))
            arrays = [each.cast(f.type) for each, f in zip(arrays, schema, strict=True)]
            table = pyarrow.Table.from_arrays(arrays, schema=schema)
            writer.write_table(table, row_group_size=max(1, table.num_rows))
    with path.open("rb") as written:
        os.fsync(written.fileno())


def _groups(grid: DayGrid) -> Iterator[tuple[list[Any], npt.NDArray[np.bool_]]]:
    """The columns of each group of rows, and which rows have no latency."""
    ticks = grid.slots.start + np.arange(grid.slots.count, dtype=np.int64) * grid.slots.interval_s
    for first in range(0, len(grid.device_ids), DEVICES_A_GROUP):
        part = slice(first, first + DEVICES_A_GROUP)
        row, column = np.nonzero(grid.statuses[part] != NO_SAMPLE)
        if len(row):
            latencies = grid.latencies[part][row, column]
            statuses = grid.statuses[part][row, column]
            devices = grid.device_ids[part][row].astype(np.int32)
            yield [devices, ticks[column], statuses, latencies], latencies == NO_LATENCY


def read_file(path: Path, device_ids: Ints | None = None, within: Slots | None = None) -> DayGrid:
    """The samples of these devices (ascending), or of all that the file knows.

    `within`: only those of its slots, which are as long as the day's own.

    Raises `DamagedFile`.
    """
    with _opened(path) as file:
        slots = _slots_of(path, file) if within is None else within
        if device_ids is None:
            parts = [np.unique(device) for (device,) in _columns(file, COLUMNS[:1], None)]
            device_ids = np.unique(np.concatenate(parts)) if parts else np.empty(0, dtype=np.int64)
        grid = DayGrid.empty(device_ids, slots)
        for columns in _columns(file, COLUMNS, device_ids):
            grid.fill(*columns)
    return grid


def read_failing(path: Path, device_ids: Ints | None) -> tuple[Ints, Ints, Ints]:
    """(device, tick, status) of the samples that are not plainly intact, in that order.

    Raises `DamagedFile`.
    """
    with _opened(path) as file:
        parts = []
        for table in _tables(file, COLUMNS[:3], device_ids):
            raw = [column.to_numpy() for column in table.columns]
            failing = np.flatnonzero(raw[2] > Status.INTACT)
            device, tick, status = (column[failing].astype(np.int64) for column in raw)
            chosen = slice(None) if device_ids is None else np.isin(device, device_ids)
            parts.append((device[chosen], tick[chosen], status[chosen]))
    if not parts:
        return tuple(np.empty((3, 0), dtype=np.int64))  # type: ignore[return-value]
    device, tick, status = (np.concatenate(column) for column in zip(*parts, strict=True))
    return device, tick, status


def sha256_of(path: Path) -> str:
    """The file's hash in hexadecimal digits. Raises `DamagedFile` where there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DamagedFile(path, error.strerror or str(error)) from error


def _pyarrow() -> tuple[Any, Any]:
    """40 MB that a process does without until it reads the archive."""
    import pyarrow
    from pyarrow import parquet

    return pyarrow, parquet


def _described(slots: Slots) -> dict[str, str]:
    return {
        "intact.start": str(slots.start),
        "intact.interval_s": str(slots.interval_s),
        "intact.slots": str(slots.count),
    }


class _opened:  # noqa: N801 - used like a function
    """The Parquet file, open; what is wrong with it comes out as `DamagedFile`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: Any = None

    def __enter__(self) -> Any:
        _, parquet = _pyarrow()
        try:
            self._file = parquet.ParquetFile(self._path)
        except Exception as error:
            raise DamagedFile(self._path, str(error)) from error
        return self._file

    def __exit__(self, kind: Any, error: Any, _trace: Any) -> None:
        self._file.close()
        if error is not None and not isinstance(error, DamagedFile):
            raise DamagedFile(self._path, str(error)) from error


def _slots_of(path: Path, file: Any) -> Slots:
    told = file.schema_arrow.metadata or {}
    try:
        names = (b"intact.start", b"intact.interval_s", b"intact.slots")
        start, interval_s, count = (int(told[name]) for name in names)
    except (KeyError, ValueError):
        raise DamagedFile(path, "it is no file of this archive") from None
    return Slots(start, interval_s, count)


def _columns(
    file: Any, names: Sequence[str], device_ids: Ints | None
) -> Iterator[tuple[Ints, ...]]:
    """The columns of each group of rows that may hold one of the devices."""
    for table in _tables(file, names, device_ids):
        yield tuple(_numbers(table.column(name)) for name in names)


def _tables(file: Any, names: Sequence[str], device_ids: Ints | None) -> Iterator[Any]:
    for number in range(file.metadata.num_row_groups):
        if device_ids is None or _may_hold(file.metadata.row_group(number), device_ids):
            yield file.read_row_group(number, columns=list(names))


def _numbers(column: Any) -> Ints:
    filled = column.fill_null(NO_LATENCY) if column.null_count else column
    return np.asarray(filled.to_numpy(), dtype=np.int64)


def _may_hold(group: Any, device_ids: Ints) -> bool:
    told = group.column(0).statistics
    if told is None or not told.has_min_max:
        return True
    first = int(np.searchsorted(device_ids, told.min))
    return first < len(device_ids) and bool(device_ids[first] <= told.max)
