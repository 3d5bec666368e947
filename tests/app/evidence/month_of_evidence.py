"""A month of random evidence over a small fleet, with everything that may lie over it."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from sqlalchemy.orm import Session

from app.config import Settings
from app.database import Database
from app.evidence.archive.archiving import archive_closed_days
from app.evidence.exemptions.tables import Exemption, ExemptionScope
from app.evidence.sample_queries import SampleRow
from app.evidence.store import claim_day, store_samples
from app.evidence.tables import DayOrigin, Suspension, VideoSpan
from app.fleet.tables import (
    BEGINNING,
    Assignment,
    Cohort,
    Device,
    DeviceKind,
    ProbeChoice,
    Project,
    Room,
    Station,
)
from kpi.calendar import Month, day_bounds, day_start, days_between

MONTH = Month(2026, 3)
INTERVAL_S = 900
DEVICES = 8
STATUSES = (0, 0, 0, 0, 0, 0, 1, 11, 20, 21, 200)
"""200 is no code of ours: it counts as unknown."""


@dataclass
class MonthOfEvidence:
    database: Database
    settings: Settings
    device_ids: list[int]
    random: np.random.Generator

    @property
    def start(self) -> int:
        return day_start(MONTH.first, self.settings.zone)

    @property
    def end(self) -> int:
        return day_bounds(MONTH.last, self.settings.zone)[1]

    @property
    def later(self) -> int:
        """Some weeks after the month: all its days may be archived and released."""
        return self.end + 20 * 86_400

    def instant(self) -> int:
        """Somewhere in the month, or a day before or after it; seldom the start of a slot."""
        return int(self.random.integers(self.start - 86_400, self.end + 86_400))

    def span(self) -> tuple[int, int]:
        start = self.instant()
        return start, start + int(self.random.integers(1, 5 * 86_400))

    def store(self, share: float = 0.9) -> int:
        """Samples of this share of the slots; what is there already stays."""
        stored = 0
        for day in days_between(MONTH.first, MONTH.last):
            rows = self._samples(day, share)
            with self.database.write() as session:
                claim_day(session, day, self.settings.timezone, INTERVAL_S, DayOrigin.IMPORT)
                stored += store_samples(session, self.settings.zone, rows).inserted
        return stored

    def archive(self) -> None:
        archive_closed_days(self.database, self.settings, self.later)

    def _samples(self, day: date, share: float) -> list[SampleRow]:
        start, end = day_bounds(day, self.settings.zone)
        rows: list[SampleRow] = []
        for tick in range(start, end, INTERVAL_S):
            chosen = self.random.random(len(self.device_ids)) < share
            for device_id in np.array(self.device_ids)[chosen].tolist():
                rows.append((tick, device_id, int(self.random.choice(STATUSES)), 12))
        return rows


def month_of_evidence(database: Database, settings: Settings, seed: int) -> MonthOfEvidence:
    """Devices that come, go and move; samples; suspensions, exemptions, video checks."""
    random = np.random.default_rng(seed)
    with database.write() as session:
        device_ids = _fleet(session, random)
        made = MonthOfEvidence(database, settings, device_ids, random)
        _facts(session, made)
    made.store()
    return made


def _fleet(session: Session, random: np.random.Generator) -> list[int]:
    rooms = [Room(code=f"R{number}", name=str(number)) for number in range(2)]
    projects = [Project(code=f"X{number}", name=str(number)) for number in range(2)]
    station = Station(code="S", name="S")
    session.add_all([*rooms, *projects, station])
    session.flush()
    cohorts = [
        Cohort(
            kind=DeviceKind.CAMERA, room_id=room.id, project_id=project.id, station_id=station.id
        )
        for room in rooms
        for project in projects
    ]
    cohorts.append(Cohort(kind=DeviceKind.CAMERA))
    devices = [
        Device(
            code=f"C{number}",
            name=f"C{number}",
            kind=DeviceKind.CAMERA,
            probe=ProbeChoice.NONE if number == DEVICES - 1 else ProbeChoice.ONVIF,
            registered_on=MONTH.first,
            commissioned_on=_some_day(random) if random.random() < 0.3 else None,
            decommissioned_on=_some_day(random) if random.random() < 0.2 else None,
        )
        for number in range(DEVICES)
    ]
    session.add_all([*cohorts, *devices])
    session.flush()
    for device in devices:
        moves = _some_day(random)
        for from_day, to_day in ((BEGINNING, moves), (moves, None)):
            session.add(
                Assignment(
                    device_id=device.id,
                    from_day=from_day,
                    to_day=to_day,
                    cohort_id=cohorts[int(random.integers(len(cohorts)))].id,
                    power_district=random.choice(["P0", "P1"]),
                )
            )
    return [device.id for device in devices]


def _some_day(random: np.random.Generator) -> date:
    return MONTH.first + timedelta(days=int(random.integers(1, 30)))


def _facts(session: Session, made: MonthOfEvidence) -> None:
    noted = {"reason": "works", "approved_by": "office", "recorded_at": made.start}
    for device_id in made.device_ids:
        for number in range(2):
            start, end = made.span()
            lasts = None if number and made.random.random() < 0.1 else end
            suspended = Suspension(device_id=device_id, start=start, end=lasts, **noted)
            session.add(suspended)
        begin = made.start - 40_000
        while begin < made.end:
            until = begin + int(made.random.integers(3_600, 4 * 86_400))
            status = int(made.random.choice([0, 0, 12]))
            session.add(VideoSpan(device_id=device_id, start=begin, end=until, status=status))
            begin = until + int(made.random.choice([0, 7_000]))
    for scope, code in (
        (ExemptionScope.DEVICE, "C0"),
        (ExemptionScope.ROOM, "R0"),
        (ExemptionScope.PROJECT, "X1"),
        (ExemptionScope.POWER_DISTRICT, "P1"),
    ):
        start, end = made.span()
        exempted = {"scope": scope, "code": code, "start": start, "end": end, "version": 1}
        session.add(Exemption(**exempted, **noted, recorded_by="office"))
