"""The outages behind a month's figure, at any size of the fleet.

The ledger says which devices lost how much on which day, and so where the longest (the first, the
last) outages must be (`kpi.losses`). Samples are read of those device-days alone, until no other
one can hold an outage that the page shows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import chain
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy.orm import Session

from app.availability.month_queries import lost_on
from app.availability.months import MonthAsked
from app.availability.outages import OutageLine, outage_lines
from app.availability.periods import require_begun
from app.availability.selection import Selection
from app.config import Settings
from app.database import Database
from app.evidence.covers import by_id, figured_covers
from app.evidence.ledger import bring_up_to_date
from app.evidence.queries import ledger_days
from app.evidence.samples import failing_samples
from app.fleet.roster import GroupName
from app.web.listing import Listing
from app.web.words import class_name
from kpi.calendar import day_bounds
from kpi.losses import Losses, Stretches, in_order, stretches
from kpi.outages import (
    FAILING_CLASSES,
    Failing,
    Ints,
    Outage,
    Spans,
    joined_spans,
    outages,
    spans,
)
from kpi.policy import DEFAULT_POLICY
from kpi.status import SlotClass, Status

MOST_LISTED = 2_000
FIRST_READ, MOST_READ = 200, 2_000
"""Device-days that are read at once: at first, and at most."""
TABLE = DEFAULT_POLICY.class_table()
NOT_TOLD = ((int(Status.UNKNOWN), 0),)
"""Where the ledger knows of an outage whose samples are gone."""


@dataclass(frozen=True, slots=True)
class MonthLosses:
    """What a month lost, by the ledger; start of each day → length of its slots, and where its
    ledger ends."""

    zone: ZoneInfo
    losses: Losses
    intervals: Mapping[int, int]
    ends: Mapping[int, int]
    classes: Sequence[SlotClass]

    @property
    def devices(self) -> int:
        return len(np.unique(self.losses.device))

    @property
    def seconds(self) -> int:
        return int(self.losses.lost.sum())


@dataclass(frozen=True, slots=True)
class MonthOutages:
    """A page of the outages behind a figure; `group` None: of all together.

    `seconds` were lost by so many `devices`: as many as the figure says. `cut_off`: there are more
    than may be listed. `ends_at`: where the month ends; what ends there may have gone on.
    """

    group: GroupName | None
    devices: int
    seconds: int
    lines: Sequence[OutageLine]
    list: Listing
    cut_off: bool
    ends_at: datetime


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
        lost = month_losses(session, settings, asked.selected(session), first, last, classes)
        wanted = replace(wanted, page=min(wanted.page, MOST_LISTED // wanted.rows))
        if wanted.sort == "seconds":  # the shortest first would have to look at all of them
            wanted = replace(wanted, descending=True)
        found, is_all = foremost(session, lost, wanted, wanted.skip + wanted.rows + 1)
        count = len(found.device)
        wanted = wanted.of(min(count, MOST_LISTED), and_more=not is_all)
        shown = found.take(np.arange(wanted.skip, min(count, wanted.skip + wanted.rows)))
        return MonthOutages(
            asked.group_name(session),
            lost.devices,
            lost.seconds,
            outage_lines(session, settings, _seen(session, lost, shown), first, now),
            wanted,
            count > MOST_LISTED or (not is_all and wanted.last == MOST_LISTED),
            datetime.fromtimestamp(day_bounds(last, settings.zone)[1], settings.zone),
        )


def month_losses(
    session: Session,
    settings: Settings,
    selection: Selection,
    first: date,
    last: date,
    classes: Sequence[SlotClass] = FAILING_CLASSES,
) -> MonthLosses:
    """What the days `first` to `last` lost in these classes, as far as their ledger has come."""
    names = [class_name(each) for each in classes]
    rows = [np.empty((0, 4), dtype=np.int64)]
    intervals, ends = {}, {}
    for day, (interval_s, through) in sorted(ledger_days(session, first, last).items()):
        start, _end = day_bounds(day, settings.zone)
        intervals[start], ends[start] = interval_s, through
        lost = np.array(lost_on(session, day, selection.cohorts.keys(), names), dtype=np.int64)
        device, seconds = lost.reshape(-1, 2).T
        rows.append(
            np.stack([device, *np.full((2, len(device)), [[start], [through]]), seconds], 1)
        )
    found = in_order(Losses(*np.concatenate(rows).T))
    return MonthLosses(settings.zone, found, intervals, ends, classes)


def foremost(
    session: Session, lost: MonthLosses, wanted: Listing, count: int
) -> tuple[Spans, bool]:
    """The first `count` outages in the order of the list (fewer where there are no more; maybe a
    few more, up to `MOST_LISTED` + 1), and whether these are all.

    Stretches without a torn day need no samples; the others are read, the most promising first.
    """
    runs = stretches(lost.losses)
    torn_days = np.append(0, np.cumsum(~lost.losses.whole, dtype=np.int64))
    torn = torn_days[runs.last] - torn_days[runs.first]
    best = _best_keys(lost.losses, runs, wanted)
    found = _first_of(_read(session, lost, runs, np.flatnonzero(torn == 0)), wanted)
    order = np.flatnonzero(torn)
    order = order[np.argsort(best[order], kind="stable")]
    read_before = np.cumsum(torn[order]) - torn[order]
    dropped, done, step = False, 0, FIRST_READ
    while done < len(order):
        sure = int(np.searchsorted(_keys(found, wanted), best[order[done]]))
        if sure >= count:
            return found.take(np.arange(sure)), False
        ahead = int(np.searchsorted(read_before, read_before[done] + step))
        more = _read(session, lost, runs, order[done:ahead])
        dropped |= len(found.device) + len(more.device) > MOST_LISTED + 1
        found = _first_of(joined_spans([found, more]), wanted)
        done, step = ahead, min(2 * step, MOST_READ)
    return found, not dropped


def _first_of(found: Spans, wanted: Listing) -> Spans:
    """In the order of the list, no more than are listed and one."""
    order = np.lexsort((found.start, found.device, _keys(found, wanted)))
    return found.take(order[: MOST_LISTED + 1])


def _keys(found: Spans, wanted: Listing) -> Ints:
    """By what the outages are ordered, the least first."""
    keys = found.seconds if wanted.sort == "seconds" else found.start
    return -keys if wanted.descending else keys


def _best_keys(losses: Losses, runs: Stretches, wanted: Listing) -> Ints:
    """The least key that an outage of each stretch can have."""
    if wanted.sort == "seconds":
        return -runs.longest
    return -losses.end[runs.last - 1] if wanted.descending else losses.start[runs.first]


def _read(session: Session, lost: MonthLosses, runs: Stretches, chosen: Ints) -> Spans:
    """The outages of these stretches."""
    lengths = runs.last[chosen] - runs.first[chosen]
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    losses = Losses(*(col[np.repeat(runs.first[chosen], lengths) + within] for col in lost.losses))
    whole = losses.whole
    known = Spans(losses.device[whole], losses.start[whole], losses.end[whole])
    torn = Losses(*(column[~whole] for column in losses))
    return joined_spans([known, *_of_torn_days(session, lost, torn)])


def _of_torn_days(session: Session, lost: MonthLosses, torn: Losses) -> Iterator[Spans]:
    """What the samples of these device-days tell, day by day."""
    for start in np.unique(torn.start).tolist():
        of_day = torn.start == start
        device_ids = np.sort(torn.device[of_day]).tolist()
        end, interval_s = int(torn.end[of_day][0]), lost.intervals[start]
        samples = failing_samples(session, device_ids, start, end, interval_s)
        covers = chain(*figured_covers(session, lost.zone, device_ids, start, end))
        yield spans(samples, TABLE, by_id(covers, device_ids), lost.classes)


def _seen(session: Session, lost: MonthLosses, shown: Spans) -> list[Outage]:
    """Those outages with the statuses of their first day."""
    starts = np.array(sorted(lost.intervals), dtype=np.int64)
    first_days = np.searchsorted(starts, shown.start, side="right") - 1
    statuses: dict[tuple[int, int], tuple[tuple[int, int], ...]] = {}
    for place in np.unique(first_days).tolist():
        of_day = shown.take(np.flatnonzero(first_days == place))
        day_ends = lost.ends[int(starts[place])]
        interval_s = lost.intervals[int(starts[place])]
        device_ids = np.unique(of_day.device).tolist()
        samples = failing_samples(session, device_ids, int(starts[place]), day_ends, interval_s)
        for device, start, end in _rows(of_day):
            within = (samples.device == device) & (samples.tick >= start) & (samples.tick < end)
            of_one = Failing(*(column[within] for column in samples))
            told = outages(of_one, TABLE, failing=lost.classes)
            statuses[device, start] = told[0].statuses if told else NOT_TOLD
    return [Outage(*row, statuses[row[0], row[1]]) for row in _rows(shown)]


def _rows(found: Spans) -> list[tuple[int, int, int]]:
    """(device id, start, end) of each."""
    return list(zip(*(column.tolist() for column in found), strict=True))
