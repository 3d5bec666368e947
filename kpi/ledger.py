"""From status codes to seconds per device in each class.

A slot takes the first that applies: suspended, exempted, class of its status. Slots out of service
are not handed in: service begins and ends at local midnights, so a device-day is in it or out of
it. The result is additive over runs of slots: a day may be summed hour by hour. Source: DESIGN §4.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kpi.calendar import Slots
from kpi.status import SlotClass

Statuses = npt.NDArray[np.uint8]
"""Shape (devices, slots): status codes, 255 where there is no sample."""

Seconds = npt.NDArray[np.int64]
"""Shape (devices, n): seconds, the first six columns by `SlotClass`."""


class Cover(NamedTuple):
    """A dated fact over one device: it covers the slots with `start ≤ slot start < end`.

    `row` is the device's row in the matrix; `end` None is open.
    """

    row: int
    start: int
    end: int | None


def classify(
    statuses: Statuses,
    slots: Slots,
    class_table: npt.NDArray[np.uint8],
    suspended: Iterable[Cover] = (),
    exempted: Iterable[Cover] = (),
) -> npt.NDArray[np.uint8]:
    """Class of every slot, shape (devices, slots)."""
    classes = class_table[statuses]
    for covers, slot_class in ((exempted, SlotClass.EXEMPTED), (suspended, SlotClass.SUSPENDED)):
        for row, start, end in covers:
            last = slots.count if end is None else slots.index_from(end)
            classes[row, slots.index_from(start) : last] = slot_class
    return classes


def intact_by_video(
    classes: npt.NDArray[np.uint8], slots: Slots, checked: Iterable[Cover]
) -> npt.NDArray[np.int64]:
    """Seconds of each device that are intact while a good video check was valid.

    `checked` are the spans of such checks; they may overlap. A part of the intact seconds, and
    none of the classes that add up.
    """
    valid = np.zeros(classes.shape, dtype=bool)
    for row, start, end in checked:
        last = slots.count if end is None else slots.index_from(end)
        valid[row, slots.index_from(start) : last] = True
    slots_intact = np.count_nonzero(valid & (classes == SlotClass.INTACT), axis=1)
    return np.asarray(slots_intact, dtype=np.int64) * slots.interval_s


def seconds_by_class(classes: npt.NDArray[np.uint8], interval_s: int) -> Seconds:
    """Seconds of each device in each class."""
    columns = [np.count_nonzero(classes == slot_class, axis=1) for slot_class in SlotClass]
    return np.stack(columns, axis=1).astype(np.int64) * interval_s
