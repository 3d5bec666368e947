"""Courses: evidence and what lies over it become known in any order, late, twice, in conflict.

A course is played on a database as the product would, step by step; beside it a loop keeps what
must come of it, slot by slot.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NamedTuple

from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app.config import Settings
from app.database import Database
from app.evidence.archive.archiving import archive_closed_days
from app.evidence.exemptions.tables import Exemption, ExemptionScope
from app.evidence.ledger import bring_up_to_date, mark_touched
from app.evidence.store import claim_day, store_samples
from app.evidence.tables import DayOrigin, Suspension
from app.fleet.tables import (
    BEGINNING,
    Assignment,
    Cohort,
    Device,
    DeviceKind,
    ProbeChoice,
    Room,
)
from app.fleet.touched import DeviceDays
from kpi.calendar import day_bounds, day_start, days_between, local_day
from kpi.policy import DEFAULT_POLICY
from kpi.status import SlotClass, Status

TIMEZONE = "Europe/Berlin"
FIRST, LAST = date(2026, 3, 28), date(2026, 4, 1)
"""The second of these days has 23 hours, and a month ends among them."""
INTERVAL_S = 900
SLOTS = 5 * 96 - 4
DEVICES = ("A", "B", "C")
MOVES = date(2026, 3, 30)
"""A goes from room R0 to R1; C is in service from the second day until before the last."""
SERVICE = {"C": (date(2026, 3, 29), LAST)}
TABLE = DEFAULT_POLICY.class_table()


class Arrival(NamedTuple):
    """Samples of so many slots from the slot `first` on."""

    device: str
    first: int
    slots: int
    status: int


class Fact(NamedTuple):
    """A suspension of a device, or an exemption of a device or room; seconds since the start."""

    kind: str
    code: str
    start: int
    end: int | None


class Look(NamedTuple):
    """The ledger is brought up to so many slots after the start."""

    slot: int


class Archive(NamedTuple):
    """All days go to their files, and the hot samples go."""


Step = Arrival | Fact | Look | Archive
Amounts = tuple[int, ...]

SECONDS = st.integers(-3600, SLOTS * INTERVAL_S + 3600)
ARRIVALS = st.builds(
    Arrival,
    st.sampled_from(DEVICES),
    st.integers(0, SLOTS - 1),
    st.integers(1, 200),
    st.sampled_from([0, 0, 1, 11, 12, 20, 21, 200]),
)
FACTS = st.builds(
    Fact,
    st.sampled_from(["suspension", "exemption"]),
    st.sampled_from([*DEVICES, "R0", "R1"]),
    SECONDS,
    st.none() | SECONDS,
).filter(lambda fact: fact.end is None or fact.start < fact.end)
LOOKS = st.builds(Look, st.integers(0, SLOTS + 2))


@st.composite
def courses(draw: st.DrawFn) -> list[Step]:
    """Arrivals, some of them twice, among facts, looks and runs of the archive."""
    arrivals = draw(st.lists(ARRIVALS, min_size=1, max_size=10))
    again = draw(st.lists(st.sampled_from(arrivals), max_size=3))
    facts = draw(st.lists(FACTS, max_size=4))
    looks = draw(st.lists(LOOKS, min_size=1, max_size=3))
    archives = [Archive()] * draw(st.integers(0, 2))
    return draw(st.permutations([*arrivals, *again, *facts, *looks, *archives]))


ROUGH: list[Step] = [
    Arrival("A", 0, 300, 0),
    Fact("exemption", "R0", 3600, 200_000),  # A leaves the room before that
    Look(200),
    Arrival("A", 150, 200, 20),  # half of it late, half in conflict
    Archive(),
    Arrival("B", 100, 150, 12),  # late for a day that has its file
    Arrival("A", 150, 200, 20),
    Look(SLOTS),
    Fact("suspension", "B", 100_000, None),
    Arrival("C", 0, SLOTS, 21),
    Archive(),
]
"""Late, in conflict, twice, over day files; with facts that begin and end between."""


@dataclass
class Course:
    """A small fleet, and what has become known of it so far."""

    database: Database
    settings: Settings
    ids: dict[str, int]
    samples: dict[tuple[str, int], int] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)

    @property
    def start(self) -> int:
        return day_start(FIRST, self.settings.zone)

    @property
    def later(self) -> int:
        return self.start + 60 * 86_400

    def play(self, steps: list[Step]) -> None:
        """Take all the steps, and bring the ledger up at the end."""
        for step in steps:
            self._take(step)
        bring_up_to_date(self.database, self.settings, FIRST, LAST, self.later)

    def classes_of(self, code: str, day: date) -> Iterator[tuple[int, int, SlotClass]]:
        """(tick, status, class) of a device's slots of a day on which it is in service.

        The first that applies: suspended, exempted, class of its status (DESIGN §4).
        """
        for tick in range(*day_bounds(day, self.settings.zone), INTERVAL_S):
            status = self.samples.get((code, tick), int(Status.UNKNOWN))
            yield tick, status, self._class_at(code, day, tick, status)

    def expected(self) -> dict[tuple[date, int], Amounts]:
        """Seconds by class of each device-day in service."""
        found = {}
        for day in days_between(FIRST, LAST):
            for code in DEVICES:
                if in_service(code, day):
                    classes = [each for _, _, each in self.classes_of(code, day)]
                    seconds = tuple(classes.count(each) * INTERVAL_S for each in SlotClass)
                    found[day, self.ids[code]] = seconds
        return found

    def _class_at(self, code: str, day: date, tick: int, status: int) -> SlotClass:
        for kind, slot_class in (
            ("suspension", SlotClass.SUSPENDED),
            ("exemption", SlotClass.EXEMPTED),
        ):
            for fact in self.facts:
                first, last = self._span(fact)
                if (
                    fact.kind == kind
                    and fact.code in (code, room_of(code, day))
                    and first <= tick
                    and (last is None or tick < last)
                ):
                    return slot_class
        return SlotClass(TABLE[status])

    def _take(self, step: Step) -> None:
        match step:
            case Arrival():
                self._arrive(step)
            case Fact():
                self._note(step)
            case Look(slot):
                now = self.start + slot * INTERVAL_S
                bring_up_to_date(self.database, self.settings, FIRST, LAST, now)
            case Archive():
                archive_closed_days(self.database, self.settings, self.later)

    def _arrive(self, step: Arrival) -> None:
        slots = range(step.first, min(step.first + step.slots, SLOTS))
        ticks = [self.start + slot * INTERVAL_S for slot in slots]
        device_id = self.ids[step.device]
        with self.database.write() as session:
            for day in sorted({local_day(tick, self.settings.zone) for tick in ticks}):
                claim_day(session, day, TIMEZONE, INTERVAL_S, DayOrigin.IMPORT)
            rows = [(tick, device_id, step.status, 5) for tick in ticks]
            store_samples(session, self.settings.zone, rows)
        for tick in ticks:
            self.samples.setdefault((step.device, tick), step.status)

    def _note(self, fact: Fact) -> None:
        """As far as it has no other of its start; a room is never suspended."""
        is_room = fact.code not in self.ids
        taken = {(each.kind, each.code, each.start) for each in self.facts}
        if (fact.kind == "suspension" and is_room) or fact[:3] in taken:
            return
        self.facts.append(fact)
        start, end = self._span(fact)
        noted = {"reason": "works", "approved_by": "office", "recorded_at": self.start}
        concerned = self.ids.values() if is_room else [self.ids[fact.code]]
        first = local_day(start, self.settings.zone)
        last = None if end is None else local_day(end, self.settings.zone)
        with self.database.write() as session:
            if fact.kind == "suspension":
                session.add(
                    Suspension(device_id=self.ids[fact.code], start=start, end=end, **noted)
                )
            else:
                scope = ExemptionScope.ROOM if is_room else ExemptionScope.DEVICE
                exempted = {"scope": scope, "code": fact.code, "start": start, "end": end}
                session.add(Exemption(**exempted, **noted, recorded_by="office"))
            mark_touched(session, [DeviceDays(each, first, last) for each in concerned])

    def _span(self, fact: Fact) -> tuple[int, int | None]:
        end = None if fact.end is None else self.start + fact.end
        return self.start + fact.start, end


def in_service(code: str, day: date) -> bool:
    first, end = SERVICE.get(code, (FIRST, None))
    return first <= day and (end is None or day < end)


def room_of(code: str, day: date) -> str:
    return "R0" if code == "A" and day < MOVES else "R1"


@contextmanager
def course(template: Path, folder: Path) -> Iterator[Course]:
    """A course on a fresh copy of a migrated database in SQLite."""
    folder.mkdir(exist_ok=True)
    file = folder / "intact.db"
    file.write_bytes(template.read_bytes())
    database = Database(f"sqlite:///{file}", folder / "archive")
    try:
        yield begun(database, folder)
    finally:
        database.close()


def begun(database: Database, folder: Path) -> Course:
    settings = Settings(data_dir=folder, timezone=TIMEZONE, poll_interval=INTERVAL_S, hot_days=2)
    with database.write() as session:
        return Course(database, settings, _fleet(session))


def _fleet(session: Session) -> dict[str, int]:
    rooms = {code: Room(code=code, name=code) for code in ("R0", "R1")}
    session.add_all(rooms.values())
    session.flush()
    cohorts = {
        code: Cohort(kind=DeviceKind.CAMERA, room_id=room.id) for code, room in rooms.items()
    }
    devices = {code: _device(code) for code in DEVICES}
    session.add_all([*cohorts.values(), *devices.values()])
    session.flush()
    for code, device in devices.items():
        for first, end in ((BEGINNING, MOVES), (MOVES, None)):
            cohort = cohorts[room_of(code, first)]
            belongs = {"from_day": first, "to_day": end, "cohort_id": cohort.id}
            session.add(Assignment(device_id=device.id, **belongs))
    return {code: device.id for code, device in devices.items()}


def _device(code: str) -> Device:
    first, end = SERVICE.get(code, (FIRST, None))
    return Device(
        code=code,
        name=code,
        kind=DeviceKind.CAMERA,
        probe=ProbeChoice.ONVIF,
        registered_on=FIRST,
        commissioned_on=first,
        decommissioned_on=end,
    )
