"""The outages behind a month's figure, at any size of the fleet.

The ledger says which devices lost how much on which day. Where all the day was lost, or where the
failing samples of a day lie as close as the loss is long, that day has one outage and the database
need only tell from when to when; single samples are read of the others alone. What is kept is a
span per outage, and no more than `MOST` of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from sqlalchemy.orm import Session

from app.availability.month_queries import lost_on
from app.availability.months import MonthAsked
from app.availability.outages import OutageLine, outage_lines
from app.availability.periods import require_begun
from app.availability.selection import Selection
from app.config import Settings
from app.database import Database
from app.evidence.failing import failing_extents, failing_samples, statuses_within
from app.evidence.ledger import bring_up_to_date
from app.evidence.queries import ledger_days, suspension_covers
from app.evidence.tables import Sample
from app.fleet.queries import chunks
from app.fleet.roster import GroupName
from app.web.listing import Listing
from app.web.words import class_name
from kpi.calendar import day_bounds
from kpi.ledger import Cover
from kpi.outages import FAILING_CLASSES, Ints, Outage, Spans, joined_spans, spans
from kpi.policy import DEFAULT_POLICY
from kpi.status import SlotClass

MOST = 200_000
"""Outages of which the longest are listed where a month has more."""
DEVICES_READ_AT_ONCE = 100
TABLE = DEFAULT_POLICY.class_table()


@dataclass(frozen=True, slots=True)
class Found:
    """The spans that are listed, how many there are in all, of how many devices, their seconds."""

    spans: Spans
    count: int
    devices: int
    lost_s: int


@dataclass(frozen=True, slots=True)
class MonthOutages:
    """A page of the outages behind a figure; `group` None: of all together.

    `ends_at`: where the month ends; what ends there may have gone on.
    """

    group: GroupName | None
    found: Found
    lines: Sequence[OutageLine]
    list: Listing
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class _Day:
    """A day of the ledger: `[start, through)` in slots of `interval_s` seconds."""

    start: int
    through: int
    interval_s: int


def month_outages(
    database: Database,
    settings: Settings,
    asked: MonthAsked,
    only: SlotClass | None,
    wanted: Listing,
    now: int,
) -> MonthOutages:
    """The outages of a month; `only`: those of one class, such as offline.

    Raises `BadParameter` for a month that has not begun, `NotFound` for a group that the register
    does not hold.
    """
    require_begun(settings, asked.month, now)
    classes = FAILING_CLASSES if only is None else (only,)
    first, last = asked.month.first, asked.month.last
    bring_up_to_date(database, settings, first, last, now)
    with database.read() as session:
        selection = asked.selected(session)
        found = find_outages(session, settings, selection, first, last, classes)
        wanted = wanted.of(len(found.spans.device))
        shown = _with_statuses(session, _page_of(found.spans, wanted), classes)
        return MonthOutages(
            asked.group_name(session),
            found,
            outage_lines(session, settings, shown, first, now),
            wanted,
            datetime.fromtimestamp(day_bounds(last, settings.zone)[1], settings.zone),
        )


def find_outages(
    session: Session,
    settings: Settings,
    selection: Selection,
    first: date,
    last: date,
    classes: Sequence[SlotClass] = FAILING_CLASSES,
    most: int = MOST,
) -> Found:
    """The outages of the days `first` to `last`, as far as their ledger has come.

    Their seconds are those of the ledger, and so of the figure.
    """
    parts: list[Spans] = []
    devices: set[int] = set()
    kept = dropped = lost_s = 0
    names = [class_name(each) for each in classes]
    for day, (interval_s, through) in sorted(ledger_days(session, first, last).items()):
        lost = dict(lost_on(session, day, selection.cohorts.keys(), names))
        devices |= lost.keys()
        lost_s += sum(lost.values())
        of_day = _Day(day_bounds(day, settings.zone)[0], through, interval_s)
        parts.extend(_outages_of_day(session, of_day, lost, classes))
        kept = sum(len(part.device) for part in parts)
        if kept > 2 * most:
            joined = joined_spans(parts)
            parts = [_longest(joined, most, through)]
            dropped += len(joined.device) - len(parts[0].device)
    joined = joined_spans(parts)
    listed = _longest(joined, most)
    return Found(listed, dropped + len(joined.device), len(devices), lost_s)


def _outages_of_day(
    session: Session, day: _Day, lost: Mapping[int, int], classes: Sequence[SlotClass]
) -> Iterator[Spans]:
    """The outages of the devices that lost so many seconds on this day."""
    whole = [device for device, seconds in lost.items() if seconds == day.through - day.start]
    yield _as_spans([(device, day.start, day.through) for device in whole])
    together: list[tuple[int, int, int]] = []
    torn: list[int] = []
    codes = _codes_of(classes)
    for some in chunks(sorted(lost.keys() - set(whole))):
        for each in failing_extents(session, some, day.start, day.through, codes):
            end = each.last + day.interval_s
            if each.samples * day.interval_s == end - each.first == lost[each.device]:
                together.append((each.device, each.first, end))
            else:
                torn.append(each.device)
    yield _as_spans(together)
    for place in range(0, len(torn), DEVICES_READ_AT_ONCE):
        yield _read(session, day, torn[place : place + DEVICES_READ_AT_ONCE], classes)


def _read(
    session: Session, day: _Day, device_ids: list[int], classes: Sequence[SlotClass]
) -> Spans:
    """The outages of these devices, sample by sample."""
    condition = Sample.device_id.in_(device_ids)
    samples = failing_samples(session, condition, day.start, day.through, day.interval_s)
    covers = [
        Cover(device_ids[cover.row], cover.start, cover.end)
        for cover in suspension_covers(session, device_ids, day.start, day.through)
    ]
    return spans(samples, TABLE, covers, classes)


def _as_spans(rows: Sequence[tuple[int, int, int]]) -> Spans:
    return Spans(*np.array(rows, dtype=np.int64).reshape(-1, 3).T)


def _codes_of(classes: Sequence[SlotClass]) -> list[int]:
    return [int(code) for code in np.flatnonzero(np.isin(TABLE, list(classes)))]


def _longest(found: Spans, most: int, open_at: int | None = None) -> Spans:
    """The longest, and those that end at `open_at` and may go on there."""
    if len(found.device) <= most:
        return found
    keep = np.zeros(len(found.device), dtype=bool)
    keep[np.argpartition(found.seconds, -most)[-most:]] = True
    if open_at is not None:
        keep |= found.end == open_at
    return found.take(np.flatnonzero(keep))


def _page_of(found: Spans, wanted: Listing) -> Spans:
    """The outages that the list shows."""
    keys: Mapping[str, Ints] = {"start": found.start, "seconds": found.seconds}
    order = np.lexsort((found.device, found.start, keys[wanted.sort]))
    ordered = order[::-1] if wanted.descending else order
    return found.take(ordered[wanted.skip : wanted.skip + wanted.rows])


def _with_statuses(session: Session, shown: Spans, classes: Sequence[SlotClass]) -> list[Outage]:
    """Those outages with what was seen in them, the longest first."""
    codes = _codes_of(classes)
    rows = zip(*(column.tolist() for column in shown), strict=True)
    return [
        Outage(device, start, end, tuple(statuses_within(session, device, start, end, codes)))
        for device, start, end in rows
    ]
