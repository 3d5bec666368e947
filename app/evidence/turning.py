"""The samples at which a device may turn from good to failing and back, without all the others.

They are the failing samples of a run of slots, and after each run of them the first good ones.
Failing samples are found by their own index, the good ones by naming their keys: the slots after a
failing one are asked for, a few at first and more where there is no evidence. So the cost is that
of what failed. Of a day that is filed (`app.evidence.archive`) the file is read, once.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.evidence import sample_queries
from app.evidence.archive.queries import filed_days
from app.evidence.samples import read_statuses
from app.fleet.tables import Device
from kpi.calendar import Slots
from kpi.status import SlotClass, Status

Ints = npt.NDArray[np.int64]
FEW_SLOTS = 15
"""Of so many slots all samples are scanned: the index of the failing ones holds whole days."""
DEVICES_AT_ONCE = 500
GROWTH = 4

_NONE = np.empty((3, 0), dtype=np.int64)


def turning_samples(
    session: Session,
    slots: Slots,
    device_ids: Ints,
    watched: Ints,
    enough: int,
    class_table: npt.NDArray[np.uint8],
) -> Ints:
    """Columns device id, tick, status, shape (3, n), in order of device and tick.

    `device_ids` (ascending) are asked about, `watched` those of them that may be failing when the
    slots begin: their first good samples are found too. `enough` good ones in a row are wanted;
    there may be more of them.
    """
    if not slots.count or not len(device_ids):
        return _NONE
    if filed_days(session, slots.start, slots.end):
        return _of_matrix(session, slots, device_ids, watched, class_table)
    failing = _failing(session, slots, device_ids, class_table)
    good = _good_after(session, slots, failing, watched, enough, class_table)
    both = np.concatenate([failing, *good], axis=1)
    return both[:, np.lexsort((both[1], both[0]))]


def _fails(statuses: Ints, class_table: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    return np.isin(class_table[statuses], (SlotClass.IMPAIRED, SlotClass.OFFLINE))


def _failing(
    session: Session, slots: Slots, device_ids: Ints, class_table: npt.NDArray[np.uint8]
) -> Ints:
    """The failing samples, in order of device and tick."""
    if len(device_ids) <= sample_queries.FEW_DEVICES:
        found = sample_queries.hot_failing(session, device_ids.tolist(), slots.start, slots.end)
    elif slots.count <= FEW_SLOTS:
        found = sample_queries.hot_failing_of_all(session, slots.start, slots.end)
    else:
        found = sample_queries.hot_failing(session, select(Device.id), slots.start, slots.end)
    found = found[:, np.isin(found[0], device_ids)]
    found = found[:, _fails(found[2], class_table)]
    return found[:, np.lexsort((found[1], found[0]))]


def _good_after(
    session: Session,
    slots: Slots,
    failing: Ints,
    watched: Ints,
    enough: int,
    class_table: npt.NDArray[np.uint8],
) -> Iterator[Ints]:
    """Samples in the gaps between failing ones, of each gap until enough are good."""
    device, at, end = _gaps(slots, failing, watched)
    missing = np.full(len(device), enough)
    step = enough
    while len(device):
        places = at[:, None] + np.arange(step) * slots.interval_s
        asked = places < end[:, None]
        row = np.nonzero(asked)[0]
        found = sample_queries.hot_statuses_at(session, device[row], places[asked])
        yield found
        missing = missing - _good_by_gap(found, device, at, class_table)
        at = at + step * slots.interval_s
        left = (missing > 0) & (at < end)
        device, at, end, missing = device[left], at[left], end[left], missing[left]
        step *= GROWTH


def _gaps(slots: Slots, failing: Ints, watched: Ints) -> tuple[Ints, Ints, Ints]:
    """(device, first slot, end) of the stretches without a failing sample that follow one."""
    first = np.full(len(watched), slots.start, dtype=np.int64)
    device = np.concatenate([watched, failing[0]])
    begin = np.concatenate([first, failing[1] + slots.interval_s])
    order = np.lexsort((begin, device))
    device, begin = device[order], begin[order]
    end = np.full(len(device), slots.end, dtype=np.int64)
    same = device[1:] == device[:-1]
    end[:-1][same] = begin[1:][same] - slots.interval_s
    is_gap = begin < end
    return device[is_gap], begin[is_gap], end[is_gap]


def _good_by_gap(found: Ints, device: Ints, at: Ints, class_table: npt.NDArray[np.uint8]) -> Ints:
    """How many good samples were found of each gap; the gaps are in order of device and time."""
    good = found[:, class_table[found[2]] == SlotClass.INTACT]
    keys = (device << 36) + at
    gap = np.searchsorted(keys, (good[0] << 36) + good[1], side="right") - 1
    return np.bincount(gap, minlength=len(device)).astype(np.int64)


def _of_matrix(
    session: Session,
    slots: Slots,
    device_ids: Ints,
    watched: Ints,
    class_table: npt.NDArray[np.uint8],
) -> Ints:
    """All samples of the devices that fail or are watched."""
    parts = [_NONE]
    for first in range(0, len(device_ids), DEVICES_AT_ONCE):
        some = device_ids[first : first + DEVICES_AT_ONCE]
        statuses = read_statuses(session, some, slots)
        turns = _fails(statuses.astype(np.int64), class_table).any(axis=1) | np.isin(some, watched)
        row, column = np.nonzero((statuses != Status.UNKNOWN) & turns[:, None])
        told = statuses[row, column].astype(np.int64)
        parts.append(np.stack([some[row], slots.start + column * slots.interval_s, told]))
    return np.concatenate(parts, axis=1)
