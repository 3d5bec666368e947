"""Faults and incidents in the database: followed, rebuilt and told late, they are the same."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, select, update

from app.accounts.audit import Actor
from app.config import Settings
from app.database import Database
from app.evidence.archive.archiving import archive_closed_days
from app.evidence.exemptions.importing import add_exemption
from app.evidence.ledger import mark_touched
from app.evidence.sample_queries import SampleRow
from app.evidence.store import claim_day, store_samples
from app.evidence.tables import DayOrigin, Follower, RevisedDevice, Suspension, Sweep
from app.fleet.tables import (
    BEGINNING,
    Assignment,
    Cohort,
    Contractor,
    Device,
    DeviceKind,
    ProbeChoice,
    Room,
)
from app.fleet.touched import DeviceDays
from app.operations.faults.keeping import keep_faults
from app.operations.faults.tables import Fault, FaultStep, FaultWatch, Incident
from kpi.calendar import day_start, local_day

DAY = date(2026, 3, 2)
GOOD, BAD, REFUSED = 0, 20, 21
SEED = 3


@dataclass
class District:
    """Cameras by room, each with its contractor and power district, and slots of evidence."""

    database: Database
    settings: Settings
    cameras: list[int] = field(default_factory=list)
    interval_s: int = 60

    @property
    def start(self) -> int:
        return day_start(DAY, self.settings.zone)

    def tick(self, slot: int) -> int:
        return self.start + slot * self.interval_s

    def register(self, room: str, count: int, contractor: str = "C", power: str = "P") -> list[int]:
        with self.database.write() as session:
            place = Room(code=room, name=f"{room} 机房")
            held = select(Contractor).where(Contractor.code == contractor)
            firm = session.scalar(held) or Contractor(code=contractor, name=contractor)
            session.add_all([place, firm])
            session.flush()
            cohort = Cohort(kind=DeviceKind.CAMERA, room_id=place.id, contractor_id=firm.id)
            devices = [
                Device(
                    code=f"{room}-{number}",
                    name="camera",
                    kind=DeviceKind.CAMERA,
                    probe=ProbeChoice.ONVIF,
                    registered_on=DAY,
                )
                for number in range(count)
            ]
            session.add_all([cohort, *devices])
            session.flush()
            session.add_all(
                Assignment(
                    device_id=device.id,
                    from_day=BEGINNING,
                    cohort_id=cohort.id,
                    power_district=power,
                )
                for device in devices
            )
            ids = [device.id for device in devices]
        self.cameras += ids
        return ids

    def store(self, rows: Sequence[SampleRow]) -> None:
        with self.database.write() as session:
            for day in sorted({local_day(row[0], self.settings.zone) for row in rows}):
                zone = self.settings.timezone
                claim_day(session, day, zone, self.interval_s, DayOrigin.COLLECTOR)
            store_samples(session, self.settings.zone, rows)

    def sweep(self, slot: int, bad: Iterable[int] = (), without: Iterable[int] = ()) -> None:
        """One slot of all cameras, with its sweep; then the faults are kept."""
        tick, down, unknown = self.tick(slot), set(bad), set(without)
        self.store(
            [
                (tick, camera, BAD if camera in down else GOOD, None)
                for camera in self.cameras
                if camera not in unknown
            ]
        )
        self.swept(slot)
        self.keep(slot)

    def swept(self, slot: int) -> None:
        with self.database.write() as session:
            session.add(
                Sweep(
                    tick=self.tick(slot),
                    interval_s=self.interval_s,
                    finished_at=self.tick(slot) + 5,
                    devices=len(self.cameras),
                    stored=0,
                    by_status={},
                    latency_ms={},
                    wall_s=1.0,
                    cpu_s=1.0,
                )
            )

    def keep(self, slot: int) -> None:
        assert keep_faults(self.database, self.settings, self.tick(slot + 1))

    def faults(self) -> list[Fault]:
        with self.database.read() as session:
            return list(session.scalars(select(Fault).order_by(Fault.onset, Fault.device_id)))

    def incidents(self) -> list[Incident]:
        with self.database.read() as session:
            return list(session.scalars(select(Incident).order_by(Incident.onset, Incident.code)))

    def slots_of(self, *instants: int | None) -> tuple[int | None, ...]:
        """Instants as numbers of slots."""
        return tuple(
            None if each is None else (each - self.start) // self.interval_s for each in instants
        )

    def state(self) -> list[object]:
        """All that is kept, without ids: two states that are equal say the same."""
        with self.database.read() as session:
            incidents = {each.id: each for each in session.scalars(select(Incident))}
            steps: dict[int, list[tuple[int, int]]] = {}
            for step in session.scalars(select(FaultStep).order_by(FaultStep.at)):
                steps.setdefault(step.fault_id, []).append((step.at, step.status))
            faults = [
                (
                    each.device_id,
                    each.onset,
                    each.opened_at,
                    each.ended_at,
                    each.closed_at,
                    each.reason,
                    each.status,
                    each.worst_status,
                    each.own_since,
                    steps[each.id],
                    each.incident_id and _told(incidents[each.incident_id]),
                )
                for each in session.scalars(select(Fault).order_by(Fault.device_id, Fault.onset))
            ]
            watches = [
                (
                    each.device_id, each.onset, each.status, each.worst, each.failing,
                    each.good, each.good_since, each.opened_at, each.seen,
                )
                for each in session.scalars(select(FaultWatch).order_by(FaultWatch.device_id))
            ]  # fmt: skip
        return [faults, watches, sorted(map(_told, incidents.values()), key=str)]

    def from_scratch(self, slot: int) -> list[object]:
        """The state that follows from the evidence alone; this one is put in its place."""
        with self.database.write() as session:
            for table in (FaultStep, FaultWatch, Fault, Incident, RevisedDevice):
                session.execute(delete(table))
            session.execute(update(Follower).values(through=0))
        self.keep(slot)
        return self.state()


def _told(incident: Incident) -> tuple[object, ...]:
    return (
        incident.scope,
        incident.code,
        incident.onset,
        incident.opened_at,
        incident.ended_at,
        incident.closed_at,
        incident.devices,
        incident.failed,
    )


@pytest.fixture
def district(database: Database, tmp_path: Path) -> District:
    return District(database, Settings(data_dir=tmp_path))


def test_a_room_of_118_is_one_incident(district: District) -> None:
    """Down for 20 slots; six cameras stay down and are faults of their own then."""
    room = district.register("R1", 118, contractor="C1", power="P1")
    district.register("R2", 60, contractor="C1", power="P2")
    for slot in range(40):
        down = room if 10 <= slot < 30 else room[:6] if slot >= 30 else []
        district.sweep(slot, down)
        if slot == 11:
            assert district.faults() == []
        if slot == 12:
            assert (len(district.faults()), len(district.incidents())) == (118, 1)
    (incident,) = district.incidents()
    assert (incident.scope, incident.code, incident.name) == ("room", "R1", "R1 机房")
    assert (incident.devices, incident.failed) == (118, 118)
    spans = (incident.onset, incident.opened_at, incident.ended_at, incident.closed_at)
    assert district.slots_of(*spans) == (10, 12, 30, 31)
    faults = district.faults()
    assert {fault.incident_id for fault in faults} == {incident.id}
    own = {fault.device_id for fault in faults if fault.own_since is not None}
    assert own == {fault.device_id for fault in faults if fault.closed_at is None} == set(room[:6])
    assert {fault.own_since for fault in faults if fault.device_id in own} == {district.tick(30)}
    assert district.state() == district.from_scratch(39)


@pytest.mark.parametrize(("failing", "is_one"), [(79, False), (80, True), (100, True), (4, False)])
def test_four_fifths_of_a_room_make_an_incident(
    district: District, failing: int, *, is_one: bool
) -> None:
    room = district.register("R1", 100, contractor="C1", power="P1")
    district.register("R2", 200, contractor="C1", power="P1")
    for slot in range(8):
        half = room[: failing // 2] if slot == 3 else room[:failing]
        district.sweep(slot, half if slot >= 3 else [])
    assert len(district.faults()) == failing
    assert len(district.incidents()) == is_one


def test_scattered_faults_have_no_common_cause(district: District) -> None:
    rooms = [district.register(f"R{number}", 100, power=f"P{number}") for number in range(10)]
    scattered = [camera for room in rooms for camera in room[:7]]
    for slot in range(8):
        district.sweep(slot, scattered if slot >= 2 else [])
    assert (len(district.faults()), district.incidents()) == (70, [])


def test_a_contractors_link_takes_its_rooms_over(district: District) -> None:
    """The first room fails a slot before the others: one incident all the same."""
    first = district.register("R1", 20, contractor="C1", power="P1")
    others = district.register("R2", 20, contractor="C1", power="P2")
    others += district.register("R3", 20, contractor="C1", power="P3")
    district.register("R4", 100, contractor="C2", power="P4")
    for slot in range(12):
        district.sweep(slot, [*(first if slot >= 2 else []), *(others if slot >= 3 else [])])
        if slot == 4:
            assert [each.code for each in district.incidents()] == ["R1"]
            (at_first,) = [each.id for each in district.incidents()]
    (incident,) = district.incidents()
    assert (incident.id, incident.scope, incident.code) == (at_first, "contractor", "C1")
    assert incident.failed == 60
    assert district.state() == district.from_scratch(11)


def test_suspension_within_a_fault_ends_it(district: District) -> None:
    (camera, *_others) = district.register("R1", 6)
    for slot in range(10):
        district.sweep(slot, [camera])
    with district.database.write() as session:
        session.add(
            Suspension(
                device_id=camera,
                start=district.tick(6),
                end=district.tick(8),
                reason="works",
                approved_by="office",
                recorded_at=district.tick(9),
            )
        )
        mark_touched(session, [DeviceDays(camera, DAY, DAY)])
    (before,) = district.faults()
    for slot in range(10, 14):
        district.sweep(slot, [camera])
    first, second = district.faults()
    assert first.id == before.id
    assert district.slots_of(first.onset, first.ended_at, second.onset, second.opened_at) == (
        0,
        6,
        8,
        10,
    )
    assert (first.reason, second.reason) == ("suspended", None)
    assert district.state() == district.from_scratch(13)


def test_an_exemption_leaves_faults_out(district: District) -> None:
    room = district.register("R1", 6)
    district.register("R2", 60, power="P2")
    for slot in range(8):
        district.sweep(slot, room if slot >= 2 else [])
    assert len(district.incidents()) == 1
    cells = {
        "scope": "room",
        "code": "R1",
        "from": "2026-03-02",
        "to": "",
        "reason": "maintenance",
        "approved_by": "office",
    }
    with district.database.write() as session:
        zone = district.settings.zone
        add_exemption(session, zone, cells, district.tick(8), Actor("office"), mark_touched)
    district.sweep(8, room)
    assert (district.faults(), district.incidents()) == ([], [])


@pytest.mark.parametrize(
    ("late", "spans"),
    [
        ({5: GOOD, 6: GOOD}, [(1, 5), (7, 11)]),
        ({5: BAD, 6: BAD}, [(1, 11)]),
        ({5: GOOD}, [(1, 11)]),
    ],
)
def test_late_samples_split_or_join_faults(
    district: District, late: dict[int, int], spans: list[tuple[int, int]]
) -> None:
    camera, other = district.register("R1", 2)
    for slot in range(16):
        district.sweep(slot, [camera] if 1 <= slot < 11 else [], [camera] if slot in (5, 6) else [])
    assert [district.slots_of(each.onset, each.ended_at) for each in district.faults()] == [(1, 11)]
    kept = district.faults()[0].id
    district.store([(district.tick(slot), camera, status, 1) for slot, status in late.items()])
    district.keep(15)
    found = [district.slots_of(each.onset, each.ended_at) for each in district.faults()]
    assert found == spans
    assert district.faults()[0].id == kept
    assert other not in {each.device_id for each in district.faults()}
    assert district.state() == district.from_scratch(15)


def test_a_fault_lasts_over_midnight_and_over_the_archive(district: District) -> None:
    """Three days of slots of a quarter of an hour; the first is archived before it is rebuilt."""
    district.interval_s = 900
    district.settings = Settings(data_dir=district.settings.data_dir, poll_interval=900)
    camera, *_ = district.register("R1", 6)
    for slot in range(2 * 96 + 20):
        district.sweep(slot, [camera] if 90 <= slot < 110 or slot in (3, 5, 7) else [])
    told = [district.slots_of(each.onset, each.ended_at) for each in district.faults()]
    assert told == [(3, 8), (90, 110)]
    followed = district.state()
    much_later = district.tick(30 * 96)
    assert archive_closed_days(district.database, district.settings, much_later).released
    assert district.from_scratch(2 * 96 + 19) == followed


@pytest.mark.parametrize("seed", range(SEED))
def test_whatever_the_order_in_which_evidence_comes(district: District, seed: int) -> None:
    """Followed with gaps that are filled late and shuffled = rebuilt from all of it."""
    random = np.random.default_rng(seed)
    for room in ("R1", "R2"):
        district.register(room, 8, power=room)
    slots, cameras = 60, len(district.cameras)
    fails = np.zeros((slots, cameras), dtype=bool)
    for _ in range(30):
        camera, begin, length = random.integers([cameras, slots, 9])
        fails[begin : begin + length, camera] = True
    for begin, length in ((10, 6), (30, 12)):
        fails[begin : begin + length, :8] = True
    missing = random.random((slots, cameras)) < 0.15
    late: list[SampleRow] = []
    for slot in range(slots):
        rows: list[SampleRow] = []
        for place, camera in enumerate(district.cameras):
            row = (district.tick(slot), camera, REFUSED if fails[slot, place] else GOOD, None)
            (late if missing[slot, place] else rows).append(row)
        district.store(rows)
        district.swept(slot)
        if slot % 7 == 0:
            picked = [late.pop(int(random.integers(len(late)))) for _ in range(min(9, len(late)))]
            if picked:
                district.store(picked)
        district.keep(slot)
    for part in np.array_split(random.permutation(len(late)), 4):
        district.store([late[place] for place in part.tolist()])
        district.keep(slots - 1)
    followed = district.state()
    assert district.faults()
    assert district.incidents()
    assert district.from_scratch(slots - 1) == followed


def test_days_without_a_sweep_are_taken_from_imports(district: District) -> None:
    (camera,) = district.register("R1", 1)
    rows: list[SampleRow] = [
        (district.tick(slot), camera, BAD if 5 <= slot < 9 else GOOD, None) for slot in range(60)
    ]
    district.store(rows)
    later = district.start + int(timedelta(days=3).total_seconds())
    assert keep_faults(district.database, district.settings, later)
    (fault,) = district.faults()
    assert district.slots_of(fault.onset, fault.ended_at) == (5, 9)
