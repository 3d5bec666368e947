"""Reads samples, wherever they are: hot in SQL, or in the file of an archived day.

Of a day that is filed (`app.evidence.archive`) hot are only those samples that came later. Where
both hold one, the file's stays: it was the first. Of a sealed month the file alone counts.
"""

import numpy as np
import numpy.typing as npt
from sqlalchemy import Select
from sqlalchemy.orm import Session

from app.evidence import sample_queries
from app.evidence.archive.day_files import NO_LATENCY, NO_SAMPLE, DayGrid, read_failing, read_file
from app.evidence.archive.queries import archive_of, day_path, filed_days
from app.evidence.sample_queries import Devices
from app.evidence.sealing.queries import sealed_months
from kpi.calendar import Month, Slots
from kpi.outages import Failing
from kpi.status import Status

Ints = npt.NDArray[np.int64]


def read_statuses(session: Session, device_ids: Ints, slots: Slots) -> npt.NDArray[np.uint8]:
    """Status codes, shape (devices, slots), 255 without a sample; `device_ids` ascending."""
    matrix = np.full((len(device_ids), slots.count), Status.UNKNOWN, dtype=np.uint8)
    if not matrix.size:
        return matrix
    for tick, device_id, status in sample_queries.status_chunks(session, device_ids, slots):
        row = np.minimum(np.searchsorted(device_ids, device_id), len(device_ids) - 1)
        known = device_ids[row] == device_id
        column = (tick - slots.start) // slots.interval_s
        matrix[row[known], column[known]] = status[known]
    for grid, columns, is_sealed in _filed(session, device_ids, slots):
        is_late = (grid.statuses == NO_SAMPLE) & (not is_sealed)
        matrix[:, columns] = np.where(is_late, matrix[:, columns], grid.statuses)
    return matrix


def device_samples(
    session: Session, device_id: int, slots: Slots
) -> list[tuple[int, int, int | None]]:
    """(tick, status, latency in ms) of one device, in order."""
    found = {row[0]: row for row in sample_queries.hot_device_samples(session, device_id, slots)}
    for grid, _, is_sealed in _filed(session, np.array([device_id], dtype=np.int64), slots):
        if is_sealed:
            late = range(grid.slots.start, grid.slots.end, grid.slots.interval_s)
            found = {tick: row for tick, row in found.items() if tick not in late}
        told = zip(grid.statuses[0].tolist(), grid.latencies[0].tolist(), strict=True)
        for place, (status, latency) in enumerate(told):
            if status != NO_SAMPLE:
                tick = grid.slots.start + place * grid.slots.interval_s
                found[tick] = tick, status, None if latency == NO_LATENCY else latency
    return [found[tick] for tick in sorted(found)]


def failing_samples(
    session: Session, devices: Devices, start: int, end: int, interval_s: int
) -> Failing:
    """The samples in `[start, end)` that are not plainly intact, in order of device and tick.

    `devices` are ids, or a query of them; the slots of the stretch are `interval_s` long.
    """
    hot = sample_queries.hot_failing(session, devices, start, end)
    of_files: list[Ints] = []
    filed = filed_days(session, start, end)
    if filed:
        ids = session.scalars(devices).all() if isinstance(devices, Select) else devices
        device_ids = np.array(sorted(ids), dtype=np.int64)
        sealed = sealed_months(session)
        for row in filed:
            device, tick, status = read_failing(day_path(archive_of(session), row.day), device_ids)
            within = (tick >= start) & (tick < end)
            of_files.append(np.stack([device[within], tick[within], status[within]]))
            if Month.of(row.day) in sealed:
                hot = hot[:, (hot[1] < row.start) | (hot[1] >= row.end)]
    return _in_order(np.concatenate([*of_files, hot], axis=1), interval_s)


def _in_order(columns: Ints, interval_s: int) -> Failing:
    """By device and tick, the first of each key: the file's stands before the hot one."""
    order = np.lexsort((columns[1], columns[0]))
    device, tick, status = columns[:, order]
    first = np.ones(len(tick), dtype=np.bool_)
    first[1:] = (device[1:] != device[:-1]) | (tick[1:] != tick[:-1])
    lengths = np.full(int(np.count_nonzero(first)), interval_s, dtype=np.int64)
    return Failing(device[first], tick[first], status[first], lengths)


def joined(parts: list[Failing]) -> Failing:
    """Several stretches as one, again in order of device and tick."""
    if not parts:
        return Failing(*np.empty((4, 0), dtype=np.int64))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.lexsort((columns[1], columns[0]))
    return Failing(*(column[order] for column in columns))


def _filed(session: Session, device_ids: Ints, slots: Slots) -> list[tuple[DayGrid, slice, bool]]:
    """What the files hold of these slots: for each day a grid, its columns among them, and
    whether its month is sealed."""
    found = []
    filed = filed_days(session, slots.start, slots.end)
    sealed = sealed_months(session) if filed else set()
    for row in filed:
        begin, end = max(slots.start, row.start), min(slots.end, row.end)
        part = Slots.between(begin, end, slots.interval_s)
        first = (begin - slots.start) // slots.interval_s
        path = day_path(archive_of(session), row.day)
        columns = slice(first, first + part.count)
        grid = read_file(path, device_ids, part)
        found.append((grid, columns, Month.of(row.day) in sealed))
    return found
