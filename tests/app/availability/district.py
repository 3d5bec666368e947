"""A small district with two days of evidence, made by the importers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from app.config import Settings
from app.database import Database
from app.evidence.ledger import mark_touched
from app.evidence.sample_queries import SampleRow
from app.evidence.store import claim_day, store_samples
from app.evidence.suspensions import import_suspensions
from app.evidence.tables import DayOrigin
from app.fleet.importing import import_devices
from app.fleet.roster import device_ids_by_code
from kpi.calendar import day_bounds, day_start

REGISTER = """\
code,name,kind,project,station,room,contractor,address,port,probe,critical,commissioned_on
C1,Gate,camera,HD,North,N-room,Alpha,127.9.0.1,80,onvif,,2026-03-01
C2,Yard,camera,HD,North,N-room,Alpha,127.9.0.2,80,onvif,,2026-03-01
C3,Lane,camera,Smart,South,S-room,Beta,127.9.0.3,80,onvif,,2026-03-02
C4,Roof,camera,Smart,,,Beta,127.9.0.4,80,onvif,,2026-03-01
E1,Switch,room_equipment,,North,N-room,,127.9.1.1,22,tcp,true,2026-03-01
E2,Decoder,room_equipment,,South,S-room,,127.9.1.2,22,tcp,true,2026-03-01
V1,Car,vehicle,,North,,,,,none,,2026-03-01
"""
SLOT_S = 900


@dataclass
class District:
    """Imports into one database; its poll interval is 900 s, so that a day has 96 slots."""

    database: Database
    settings: Settings
    folder: Path

    def register(self, text: str, effective: date | None = None) -> None:
        path = self.folder / "register.csv"
        path.write_text(text, encoding="utf-8")
        import_devices(
            self.database,
            self.settings,
            path,
            today=date(2026, 3, 10),
            on_touched=mark_touched,
            effective=effective,
        )

    def suspend(self, *lines: str) -> None:
        path = self.folder / "suspensions.csv"
        path.write_text("device_code,from,to,reason,approved_by\n" + "\n".join(lines))
        import_suspensions(self.database, self.settings, path, now=0, on_touched=mark_touched)

    def observe(self, code: str, day: date, status_of: Callable[[int], int | None]) -> None:
        """Store a day of samples; `status_of` gives the status of each of the day's slots."""
        start, end = day_bounds(day, self.settings.zone)
        with self.database.write() as session:
            device = device_ids_by_code(session)[code]
            claim_day(session, day, self.settings.timezone, SLOT_S, DayOrigin.IMPORT)
            rows: list[SampleRow] = []
            for number, tick in enumerate(range(start, end, SLOT_S)):
                status = status_of(number)
                if status is not None:
                    rows.append((tick, device, status, 10))
            store_samples(session, self.settings.zone, rows)

    def at(self, text: str) -> int:
        """UTC seconds of a local time."""
        return int(datetime.fromisoformat(text).replace(tzinfo=self.settings.zone).timestamp())

    def end_of(self, day: date) -> int:
        """When all slots of a day exist."""
        return day_start(day + timedelta(days=1), self.settings.zone) + SLOT_S
