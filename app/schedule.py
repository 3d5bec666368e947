"""The collector's process: when its work is due. What the work is stands in `app.evidence`.

APScheduler keeps the times: a job that is still running is not started again, and after a pause
each job runs once, however many times it was due.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import structlog
import typer
import uvloop
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from app.config import Settings
from app.console import errors_for_people, opened
from app.database import Database
from app.evidence.collecting import Collecting
from app.evidence.heartbeat import HEARTBEAT_S, beat, begin_run, end_run
from app.evidence.leadership import leadership
from app.evidence.ledger import bring_up_to_date
from app.evidence.store import refuse_other_zone
from app.evidence.upkeep import tend
from app.evidence.video_checking import ROUND_S, VideoChecking
from collectors.limits import raise_file_limit
from collectors.onvif.credentials import CredentialMemory
from collectors.registry import open_probers
from kpi.calendar import local_day

log = structlog.get_logger()
FILES_BESIDE_PROBES = 256
STOP_WITHIN_S = 4.0
RETRY_LEADERSHIP_S = 1.0


def collect_command(
    with_parent: Annotated[
        bool, typer.Option("--with-parent", hidden=True, help="End when standard input closes.")
    ] = False,
) -> None:
    """Collect: a sweep each slot, the ledger beside it. `intact serve` runs this by itself."""
    with errors_for_people(), opened() as (settings, database):
        run_collector(database, settings, with_parent=with_parent)


def run_collector(database: Database, settings: Settings, *, with_parent: bool) -> None:
    """Collect until SIGTERM or SIGINT, or until the parent's end of standard input closes."""
    refuse_other_zone(database, settings)
    raise_file_limit(settings.probe_concurrency + FILES_BESIDE_PROBES)
    uvloop.run(_collect(database, settings, with_parent))


async def _collect(database: Database, settings: Settings, with_parent: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if with_parent:
        loop.add_reader(sys.stdin.fileno(), lambda: None if os.read(0, 1024) else stop.set())
    while not stop.is_set():
        with leadership(database) as leader:
            if leader:
                await _lead(database, settings, stop)
        if not leader:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RETRY_LEADERSHIP_S)


async def _lead(database: Database, settings: Settings, stop: asyncio.Event) -> None:
    run_id = begin_run(database, _now())
    log.info("collector started", pid=os.getpid())
    memory = CredentialMemory()
    with open_probers(settings.clock_tolerance, memory) as probers:
        jobs = _Jobs(database, settings, Collecting(database, settings, probers), run_id)
        jobs.start()
        if settings.video_check_interval:
            jobs.check_video(VideoChecking(database, settings, memory))
        await stop.wait()
        await jobs.stop()
    end_run(database, run_id, _now())
    log.info("collector stopped")


class _Jobs:
    """The jobs of one run: sweep and ledger each slot, heartbeat, the night's upkeep."""

    def __init__(
        self, database: Database, settings: Settings, collecting: Collecting, run_id: int
    ) -> None:
        self._database = database
        self._settings = settings
        self._collecting = collecting
        self._run_id = run_id
        self._interval_s = collecting.interval_at(time.time())
        self._recording = asyncio.Lock()
        self._scheduler = AsyncIOScheduler(
            timezone=settings.zone, job_defaults={"coalesce": True, "max_instances": 1}
        )

    def start(self) -> None:
        each_slot = {"trigger": self._slots(), "misfire_grace_time": max(1, self._interval_s // 4)}
        self._scheduler.add_job(self._sweep, id="first sweep")  # now, for the slot under way
        self._scheduler.add_job(self._sweep, id="sweep", **each_slot)
        self._scheduler.add_job(self._ledger, id="ledger", **each_slot)
        self._scheduler.add_job(self._beat, "interval", seconds=HEARTBEAT_S)
        self._scheduler.add_job(self._night, "cron", hour=0, minute=20, misfire_grace_time=3600)
        self._scheduler.start()

    def check_video(self, checking: VideoChecking) -> None:
        """Check the cameras' video too, in rounds."""
        round_s = min(ROUND_S, self._settings.video_check_interval)
        self._scheduler.add_job(_video, "interval", args=[checking], id="video", seconds=round_s)

    async def stop(self) -> None:
        """Let what is being recorded be recorded, give up a sweep under way, begin nothing more."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._recording.acquire(), STOP_WITHIN_S)
        self._scheduler.shutdown(wait=False)

    def _slots(self) -> IntervalTrigger:
        """Fires at the start of every slot."""
        following = (time.time() // self._interval_s + 1) * self._interval_s
        return IntervalTrigger(
            seconds=self._interval_s, start_date=datetime.fromtimestamp(following, UTC)
        )

    async def _sweep(self) -> None:
        try:
            finished = await self._collecting.sweep_slot()
        except asyncio.CancelledError:
            log.info("sweep given up: the collector stops")
            return
        if finished is None:
            return
        async with self._recording:
            stored = await asyncio.to_thread(self._collecting.record, finished)
        log.info(
            "sweep",
            devices=len(finished.result.observations),
            stored=stored.inserted,
            wall_s=round(finished.result.wall_s, 2),
            cpu_s=round(finished.result.cpu_s, 2),
        )
        await self._follow_interval()

    async def _follow_interval(self) -> None:
        """A change of the poll interval takes effect with the first slot of another day."""
        next_tick = (time.time() // self._interval_s + 1) * self._interval_s
        interval_s = await asyncio.to_thread(self._collecting.interval_at, next_tick)
        if interval_s != self._interval_s:
            self._interval_s = interval_s
            for job in ("sweep", "ledger"):
                self._scheduler.reschedule_job(job, trigger=self._slots())

    async def _ledger(self) -> None:
        now = _now()
        today = local_day(now, self._settings.zone)
        await _in_thread(bring_up_to_date, self._database, self._settings, today, today, now)

    async def _beat(self) -> None:
        await _in_thread(beat, self._database, self._run_id, _now())

    async def _night(self) -> None:
        await _in_thread(tend, self._database, self._settings, _now())


async def _video(checking: VideoChecking) -> None:
    with contextlib.suppress(asyncio.CancelledError):  # the collector stops
        done = await checking.round()
        if done.checked:
            log.info("video check", **asdict(done))


async def _in_thread(work: Any, *arguments: Any) -> None:
    await asyncio.to_thread(work, *arguments)


def _now() -> int:
    return int(time.time())
