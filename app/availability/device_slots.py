"""The slots of single devices as strips: of a local day, and of the last 24 hours.

Samples are read by naming devices and ticks: meant for one page of rows, never for a fleet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import gcd

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from app.accounts.reach import EVERYTHING, Reach
from app.config import Settings
from app.evidence.covers import covers_of
from app.evidence.samples import read_statuses
from app.evidence.store import slot_length
from app.fleet.roster import days_within
from app.web.bars import NOTHING, Strip, strip
from app.web.words import CLASS_WORDS, class_name
from kpi.calendar import Slots, day_bounds, existing_end, local_day
from kpi.ledger import classify
from kpi.policy import DEFAULT_POLICY
from kpi.status import SlotClass

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class DaySlots:
    """A local day of some devices: `statuses` of the slots that exist, `classes` of the whole day.

    Both are of shape (devices, slots); a class is `NOTHING` where its slot does not exist yet.
    """

    slots: Slots
    statuses: npt.NDArray[np.uint8]
    classes: npt.NDArray[np.uint8]


def day_slots(
    session: Session, settings: Settings, device_ids: Sequence[int], day: date, now: int
) -> DaySlots:
    """The day of these devices (ids ascending) as far as it has come at `now`."""
    interval_s = slot_length(session, day, settings.poll_interval)
    start, end = day_bounds(day, settings.zone)
    whole = Slots.between(start, end, interval_s)
    reached = max(start, min(end, existing_end(now, interval_s)))
    slots = Slots.between(start, reached, interval_s)
    statuses = read_statuses(session, np.array(device_ids, dtype=np.int64), slots)
    classes = np.full((len(device_ids), whole.count), NOTHING, dtype=np.uint8)
    covers = covers_of(session, settings.zone, device_ids, start, end)
    classes[:, : slots.count] = classify(statuses, slots, DEFAULT_POLICY.class_table(), *covers)
    return DaySlots(slots, statuses, classes)


@dataclass(frozen=True, slots=True)
class Hours:
    """The last 24 hours of a device: its strip, and (word, seconds) of each class that occurs."""

    strip: Strip
    seconds: list[tuple[str, int]]


def last_24_hours(
    session: Session,
    settings: Settings,
    device_ids: Sequence[int],
    now: int,
    reach: Reach = EVERYTHING,
) -> dict[int, Hours]:
    """Device id → the 24 hours up to the newest slot; days out of reach are blank."""
    ids = sorted(device_ids)
    if not ids:
        return {}
    today = local_day(now, settings.zone)
    days = [today - timedelta(days=1), today]
    found = [day_slots(session, settings, ids, day, now) for day in days]
    if reach.limited:
        for row, device_id in enumerate(ids):
            theirs = days_within(session, device_id, reach)
            for day, part in zip(days, found, strict=True):
                if not theirs.hold(day):
                    part.classes[row] = NOTHING
    step_s = gcd(*(part.slots.interval_s for part in found))
    parts = [
        np.repeat(part.classes[:, : part.slots.count], part.slots.interval_s // step_s, axis=1)
        for part in found
    ]
    both = np.concatenate(parts, axis=1)[:, -DAY_S // step_s :]
    return {
        device_id: Hours(strip(both[row]), spoken(both[row], step_s))
        for row, device_id in enumerate(ids)
    }


def spoken(classes: npt.NDArray[np.uint8], interval_s: int) -> list[tuple[str, int]]:
    """(word, seconds) of each class that occurs in a row of slots, for those who see no strip."""
    found = ((each, int(np.count_nonzero(classes == each))) for each in SlotClass)
    return [(CLASS_WORDS[class_name(each)], count * interval_s) for each, count in found if count]
