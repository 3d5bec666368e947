"""Faults: a month of them derived anew from the evidence, and what they cost after each sweep.

The month is that of a full fleet with scattered outages and dips; its last week is in SQLite, the
days before in the archive, as after a month of service.
"""

import time
from datetime import timedelta
from itertools import islice

from sqlalchemy import func, select

from app.config import Settings
from app.database import Database
from app.demo.history import write_history
from app.evidence.recording import Recorder
from app.evidence.store import claim_day
from app.evidence.tables import DayOrigin
from app.fleet.roster import roster
from app.operations.faults.keeping import keep_faults
from app.operations.faults.tables import Fault
from app.tabular import unreported
from bench.figures import Figure, Options, Section, median
from bench.installation import installed, register_of, scratch_folder, today
from bench.invented import successive_sweeps
from collectors.simulator.fleet import build_fleet
from kpi.calendar import day_start, days_between, floor_to_slot, local_day

NAME = "faults"
HOW = (
    "A month's faults of {cameras:,} cameras derived from the evidence ({days} days, the last "
    "{hot} of them in SQLite, the others in the archive), and the faults brought up after each of "
    "{sweeps} sweeps of {many:,} cameras, half a per cent of them down."
)
DAYS, HOT_DAYS = 31, 7
SWEEPS = 20
BAR_S = 30.0


def measure(options: Options) -> Section:
    """Seconds for the month, milliseconds for a slot."""
    many = max(options.scales)
    took_s, faults = rebuild_month(options.cameras)
    slot_ms = follow(many)
    how = HOW.format(cameras=options.cameras, days=DAYS, hot=HOT_DAYS, sweeps=SWEEPS, many=many)
    return Section(
        NAME,
        how,
        (
            Figure("a month's faults from evidence", took_s, "s", bar=BAR_S),
            Figure("faults after a sweep, median", median(slot_ms), "ms"),
            Figure("faults after a sweep, slowest", max(slot_ms), "ms"),
        ),
        notes=(
            f"{faults:,} faults with every status on their way, and the incidents among them; one "
            "process, in transactions of a day each.",
        ),
    )


def rebuild_month(cameras: int) -> tuple[float, int]:
    """How long the faults of a month take, and how many there are."""
    last = today() - timedelta(days=1)
    days = days_between(last - timedelta(days=DAYS - 1), last)
    with scratch_folder() as folder, installed(folder) as installation:
        database, settings = installation.database, installation.settings
        installation.take_over([register_of(build_fleet(cameras), folder, days[0])], days[0])
        ids = _members(database, settings, int(time.time()))
        now = day_start(last + timedelta(days=1), settings.zone)
        write_history(database, settings, ids, days, now, unreported, hot_days=HOT_DAYS)
        started = time.perf_counter()
        assert keep_faults(database, settings, now)
        took_s = time.perf_counter() - started
        with database.read() as session:
            faults = session.scalar(select(func.count()).select_from(Fault)) or 0
    return took_s, faults


def follow(cameras: int) -> list[float]:
    """Milliseconds that the faults take after each sweep of so many cameras."""
    with scratch_folder() as folder, installed(folder) as installation:
        database, settings = installation.database, installation.settings
        installation.take_over([register_of(build_fleet(cameras), folder, today())], today())
        now = int(time.time())
        day = local_day(now, settings.zone)
        with database.read() as session:
            members = roster(session, day)
        with database.write() as session:
            zone, interval_s = settings.timezone, settings.poll_interval
            claim_day(session, day, zone, interval_s, DayOrigin.COLLECTOR)
        recorder = Recorder(database, settings)
        first = floor_to_slot(day_start(day, settings.zone), settings.poll_interval)
        took = []
        for sweep in islice(successive_sweeps(members, first, settings.poll_interval), SWEEPS):
            recorder.record(sweep)
            started = time.perf_counter()
            assert keep_faults(database, settings, sweep.finished_at)
            took.append((time.perf_counter() - started) * 1000)
    return took[1:]


def _members(database: Database, settings: Settings, now: int) -> list[int]:
    with database.read() as session:
        return list(roster(session, local_day(now, settings.zone)))
