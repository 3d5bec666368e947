"""What the browser looks at: a small district with a past, served on loopback.

Devices come from the simulator's register, their past from the demonstration's history; sweeps are
recorded as the collector does, so that a test may let a camera fail while a page is open.
"""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from app.accounts.audit import Actor
from app.accounts.permissions import Role
from app.config import Settings
from app.database import Database
from app.demo.history import write_history
from app.evidence.ledger import bring_up_to_date, mark_touched
from app.evidence.recording import FinishedSweep, Recorder
from app.fleet.importing import import_devices
from app.fleet.queries import Selection, read_devices
from app.fleet.record import Record
from app.fleet.roster import device_ids_by_code, roster
from app.fleet.tables import DeviceKind
from app.main import create_app
from app.operations.city.importing import import_city_figures
from app.serving import PageServer
from collectors.probe import Observation
from collectors.simulator.fleet import build_fleet
from collectors.simulator.register import write_register
from collectors.simulator.running import free_port
from collectors.sweep import SweepResult
from kpi.calendar import Month, days_between, floor_to_slot, local_day
from kpi.status import Status
from tests.app.accounts.people import session_of

CAMERAS = 60
ROOMS = 6
DAYS = 3
PATIENCE_S = 60


@dataclass
class District:
    """The served district. Times are real: pages show what is now."""

    database: Database
    settings: Settings
    address: str
    swept: int = 0
    sessions: dict[Role, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    serving: ExitStack = field(default_factory=ExitStack)

    def serve(self) -> None:
        """Serve (again), at the same address."""
        self.serving.enter_context(_serving(self))

    def stop(self) -> None:
        """Stop serving, as an upgrade does; `serve` goes on."""
        self.serving.close()

    def session_of(self, role: Role) -> str:
        """What the cookie of somebody in this role holds."""
        if role not in self.sessions:
            self.sessions[role] = session_of(self.database, role)
        return self.sessions[role]

    def cameras(self) -> list[Record]:
        """The cameras of the register, by code."""
        with self.database.read() as session:
            found = read_devices(session, Selection(kind=DeviceKind.CAMERA))
            return [stored.record for stored in found]

    def sweep(self, failing: Mapping[str, Status] | None = None) -> None:
        """Record a sweep of the present slot; all are intact but the codes that are named.

        A slot keeps its first sweep: what a second one saw becomes visible by the states alone.
        """
        now = int(time.time())
        tick = floor_to_slot(now, self.settings.poll_interval)
        with self.database.read() as session:
            members = roster(session, local_day(tick, self.settings.zone))
            codes = device_ids_by_code(session)
        failing_ids = {codes[code]: status for code, status in (failing or {}).items()}
        seen = {
            device_id: Observation(failing_ids.get(device_id, Status.INTACT), 12.0)
            for device_id in members
        }
        result = SweepResult(seen, wall_s=1.0, cpu_s=0.1)
        whole = None if tick == self.swept else members
        Recorder(self.database, self.settings).record(
            FinishedSweep(tick, self.settings.poll_interval, now, result, whole)
        )
        self.swept = tick


@contextmanager
def served_district(folder: Path, days: int = DAYS, poll_interval: int = 60) -> Iterator[District]:
    """The district on a free port of loopback, its past written, its present just swept."""
    settings = Settings(data_dir=folder, port=free_port(), poll_interval=poll_interval)
    database = Database(f"sqlite:///{folder / 'intact.db'}", settings.archive_folder)
    database.upgrade()
    _write_past(database, settings, folder, days)
    district = District(database, settings, f"http://127.0.0.1:{settings.port}")
    district.sweep()
    district.serve()
    yield district
    district.stop()
    database.close()


def _write_past(database: Database, settings: Settings, folder: Path, days: int) -> None:
    now = int(time.time())
    today = local_day(now, settings.zone)
    first = today - timedelta(days=days)
    register = folder / "register.csv"
    write_register(register, build_fleet(CAMERAS, ROOMS, free_port()).devices, first)
    import_devices(
        database, settings, register, today=today, on_touched=mark_touched, effective=first
    )
    with database.read() as session:
        device_ids = list(roster(session, today))
    write_history(
        database, settings, device_ids, days_between(first, today), now, lambda *_report: None
    )
    bring_up_to_date(database, settings, first, today, now)
    _tell_city_figures(database, settings, folder, now)


def _tell_city_figures(database: Database, settings: Settings, folder: Path, now: int) -> None:
    """What the bureau says of the present month: of each camera something else."""
    with database.read() as session:
        codes = sorted(device_ids_by_code(session))
    lines = [f"{code},{90 + number % 10}.{number % 100:02d}" for number, code in enumerate(codes)]
    file = folder / "city.csv"
    file.write_text("\n".join(["device_code,intact_rate", *lines]), encoding="utf-8")
    month = Month.of(local_day(now, settings.zone))
    import_city_figures(database, settings, file, month, now=now, actor=Actor("office"))


def _noting(application: FastAPI, asked: list[str]) -> ASGIApp:
    """The application, and a note of what a log could hold of each request."""

    async def ask(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            referrer = dict(scope["headers"]).get(b"referer", b"")
            asked.append(f"{scope['path']}?{scope['query_string']!r} from {referrer!r}")
        await application(scope, receive, send)

    return ask


@contextmanager
def _serving(district: District) -> Iterator[None]:
    settings = district.settings
    application = create_app(settings, district.database)
    configuration = uvicorn.Config(
        _noting(application, district.asked),
        host="127.0.0.1",
        port=settings.port,
        log_level="warning",
    )
    server = PageServer(configuration, application.state.events)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + PATIENCE_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the pages could not be served")
        time.sleep(0.02)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)
