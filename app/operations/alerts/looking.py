"""What the rules are given to decide by: the sweeps, the month, rooms, incidents, the disk."""

import shutil
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sqlalchemy.orm import Session

from app.accounts.reach import EVERYTHING
from app.availability.instant import STALE_SLOTS, devices_now
from app.availability.rooms import Condition, condition
from app.config import Settings
from app.operations.alerts import queries
from app.operations.alerts.burning import Outlooks, burn_readings, outlooks
from app.operations.alerts.deciding import WINDOW, Reading, reading_of
from app.operations.alerts.queries import Place
from app.operations.alerts.rules import Rule, RuleBook
from app.operations.alerts.tables import Metric, Period, Scope
from app.operations.alerts.window import FLEET, MOST_SWEEPS, SweepView, SweepWindow
from app.operations.faults.list_queries import IncidentRow, open_incidents
from kpi.calendar import local_day
from kpi.policy import DEFAULT_POLICY
from kpi.rates import Amounts, reaches
from kpi.status import SlotClass

MONTH_EVERY_S = 300
MIN_COVERAGE = DEFAULT_POLICY.min_coverage
RATES = (Metric.INTACT_RATE, Metric.ONLINE_RATE, Metric.SUSPENDED_RATE, Metric.COVERAGE)
Readings = Iterable[Reading]


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes of the file system that the data lies on."""

    path: str
    free: int
    total: int


@dataclass(frozen=True, slots=True)
class Sight:
    """All that a look at `now` (UTC seconds) has seen; what no rule looks at is left empty.

    `stale`: the newest sweep says nothing of now. `expected`: there is something to be polled.
    """

    now: int
    interval_s: int
    stale: bool
    expected: bool
    window: SweepWindow
    month: Mapping[Place, Amounts]
    rooms: Mapping[Place, Readings]
    incidents: Mapping[Place, IncidentRow]
    disk: Disk | None
    outlooks: Outlooks

    def readings(self, rule: Rule) -> Iterator[tuple[Place, Readings]]:
        """The places that a rule looks at, each with its readings, the newest first."""
        if rule.metric is Metric.DISK_LOW:
            if self.disk is not None:
                yield FLEET, [Reading(self.now, self.disk.free, self.disk.total)]
        elif rule.metric is Metric.INCIDENT:
            for place in self.incidents:
                if _is_chosen(rule, place):
                    yield place, [Reading(self.now, 1, 1)]
        elif rule.metric is Metric.ROOM_DOWN:
            for place, of in self.rooms.items():
                if _is_chosen(rule, place) and not self._is_explained(place):
                    yield place, of
        elif rule.metric is Metric.MONTH_WILL_MISS:
            for place, of in self.outlooks.readings(self.now):
                if _is_of(rule, place):
                    yield place, of
        elif rule.period is Period.MONTH:
            for place, amounts in self.month.items():
                if _is_of(rule, place):
                    yield place, [reading_of(rule.metric, self.now, amounts, MIN_COVERAGE)]
        elif not self.stale:
            yield from self._of_sweeps(rule)

    def _is_explained(self, room: Place) -> bool:
        """Whether an incident of the same room tells of it already."""
        return any(room[:2] == place[:2] for place in self.incidents)

    def _of_sweeps(self, rule: Rule) -> Iterator[tuple[Place, Readings]]:
        newest = self.window.newest
        if newest is None:
            return
        if rule.scope is Scope.FLEET:
            yield FLEET, self._by_sweep(rule, FLEET)
            return
        places = newest.places.get(rule.scope, {})
        chosen = places.values() if rule.scope_code is None else [places.get(rule.scope_code)]
        for place in chosen:
            if place is not None:
                yield place, self._by_sweep(rule, place)

    def _by_sweep(self, rule: Rule, place: Place) -> Iterator[Reading]:
        """A reading for each sweep, made when it is asked for: nearly always one is enough."""
        if rule.metric is Metric.BUDGET_BURN:
            yield from burn_readings(self.window, place, WINDOW * rule.limits.for_slots)
            return
        for sweep in islice(self.window, WINDOW * rule.limits.for_slots):
            amounts = sweep.cameras.get(place, _NO_CAMERAS)
            if rule.metric is Metric.CLOCK_WRONG:
                seen = reaches(amounts.assessed, amounts.to_be_assessed, MIN_COVERAGE, "at_least")
                yield Reading(sweep.tick, sweep.clocks_wrong, amounts.assessed, bool(seen))
            else:
                yield reading_of(rule.metric, sweep.tick, amounts, MIN_COVERAGE)


_NO_CAMERAS = Amounts()


def _is_of(rule: Rule, place: Place) -> bool:
    return place.scope is rule.scope and rule.scope_code in (None, place.code)


def _is_chosen(rule: Rule, place: Place) -> bool:
    """A rule of the fleet takes every room and every incident."""
    return rule.scope is Scope.FLEET or _is_of(rule, place)


class Lookout:
    """Looks, and remembers what it need not read again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._window = SweepWindow()
        self._rooms: dict[Place, deque[Reading]] = defaultdict(lambda: deque(maxlen=MOST_SWEEPS))
        self._room_of: dict[int, Place | None] = {}
        self._month: Mapping[Place, Amounts] = {}
        self._outlooks = Outlooks({})
        self._month_read_at = 0

    def look(self, session: Session, book: RuleBook, now: int) -> Sight:
        is_new = self._window.refresh(session, book.sweeps)
        newest = self._window.newest
        interval_s = self._settings.poll_interval if newest is None else newest.interval_s
        limit_s = STALE_SLOTS * interval_s
        stale = newest is None or now - newest.finished_at > limit_s
        if book.look_at(Metric.ROOM_DOWN) and is_new:
            self._look_at_rooms(session, now, newest)
        self._look_at_month(session, book, now)
        return Sight(
            now=now,
            interval_s=interval_s,
            stale=stale,
            expected=not stale
            or queries.any_in_service(session, local_day(now, self._settings.zone)),
            window=self._window,
            month=self._month,
            rooms=self._rooms if not stale else {},
            incidents=_incidents(session) if book.look_at(Metric.INCIDENT) else {},
            disk=_free(self._settings.data_dir) if book.look_at(Metric.DISK_LOW) else None,
            outlooks=self._outlooks,
        )

    def _look_at_rooms(self, session: Session, now: int, newest: SweepView | None) -> None:
        """Where all equipment answers, no room can be down, and none is asked about."""
        tick = now if newest is None else newest.tick
        if newest is not None and not newest.doubtful:
            for readings in self._rooms.values():
                readings.appendleft(Reading(tick, 0, 1))
            return
        critical: dict[Place, list[SlotClass]] = defaultdict(list)
        for device in devices_now(session, self._settings, now, critical_only=True):
            if device.cohort_id not in self._room_of:
                self._room_of = queries.rooms_of_equipment(session)
            room = self._room_of.get(device.cohort_id)
            if room is not None:
                critical[room].append(device.slot_class)
        for room, classes in critical.items():
            state = condition(classes)
            known = state is not Condition.UNKNOWN
            is_down = state is Condition.DOWN
            self._rooms[room].appendleft(Reading(tick, int(is_down), 1, known))

    def _look_at_month(self, session: Session, book: RuleBook, now: int) -> None:
        """Every few minutes: it changes slowly."""
        if abs(now - self._month_read_at) < MONTH_EVERY_S:
            return
        today = local_day(now, self._settings.zone)
        first = today.replace(day=1)
        if any(book.look_at(metric, Period.MONTH) for metric in RATES):
            self._month = queries.month_by_place(session, FLEET, first, today)
        if book.look_at(Metric.MONTH_WILL_MISS):
            self._outlooks = outlooks(session, self._settings, now)
        self._month_read_at = now


def _free(folder: Path) -> Disk | None:
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None  # the folder is made with the first file
    return Disk(str(folder), usage.free, usage.total)


def _incidents(session: Session) -> dict[Place, IncidentRow]:
    return {
        Place(Scope(row.scope.value), row.code, row.name): row
        for row in open_incidents(session, EVERYTHING)
    }
