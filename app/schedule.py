"""The collector's process: when its work is due. What the work is stands in `app.evidence`.

APScheduler keeps the times: a job that is still running is not started again, and after a pause
each job runs once, however many times it was due.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated

import structlog
import typer
import uvloop
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from app.config import Settings
from app.console import errors_for_people, opened
from app.database import Database, put_off_while_away
from app.evidence.backlog import Backlog
from app.evidence.child_command import ChildCommand
from app.evidence.collecting import Collecting
from app.evidence.heartbeat import HEARTBEAT_S, beat, begin_run, end_run
from app.evidence.host_clock import SYSTEM_CLOCKS, ClockWatch
from app.evidence.job_log import JobLog
from app.evidence.leadership import Claim, leadership
from app.evidence.ledger import follow_evidence
from app.evidence.recording import FinishedSweep
from app.evidence.store import Stored, refuse_other_zone
from app.evidence.upkeep import prepare_days, tend
from app.evidence.video_checking import ROUND_S, VideoChecking
from app.fleet.password_memory import PasswordMemory
from app.memory import GIVE_BACK_EVERY_S, give_back, keep_lean
from app.operations.faults.keeping import keep_faults
from app.triggers import At, Every
from collectors.limits import raise_file_limit
from collectors.registry import open_probers

log = structlog.get_logger()
FILES_BESIDE_PROBES = 256
STOP_WITHIN_S = 4.0
CLOCK_LOOK_S = 1.0
SLOT_JOBS = ("sweep", "ledger")
FAULTS_WITHIN_S = 30.0
"""After so long the faults leave the rest to the next sweep: they may be days behind."""
INSPECTED_EVERY_S = 300
INSPECTED_FIRST_AFTER_S = 90
"""The first sweep of a new collector has then told who answers."""
PARENT = 0
"""Standard input: a socket to the parent (see `app.serving`). It closes when the parent dies."""
RETRY_S = 1.0


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
    keep_lean()
    refuse_other_zone(database, settings)
    raise_file_limit(settings.probe_concurrency + FILES_BESIDE_PROBES)
    uvloop.run(_collect(database, settings, with_parent))


async def _collect(database: Database, settings: Settings, with_parent: bool) -> None:
    """Lead where nobody does, until it is time to stop; wait for that where somebody does."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if with_parent:
        loop.add_reader(PARENT, _end_with_parent, stop)
        beating = asyncio.create_task(_tell_parent())
    passwords = PasswordMemory(database, settings)
    with leadership(database) as claim:
        while not stop.is_set():
            with put_off_while_away("lead"):
                if await asyncio.to_thread(claim.renew):
                    await _lead(database, settings, claim, passwords, stop)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RETRY_S)
    if with_parent:
        beating.cancel()


def _end_with_parent(stop: asyncio.Event) -> None:
    """Standard input was closed by the parent, or reset as it was killed."""
    with contextlib.suppress(OSError):
        if os.read(PARENT, 1024):
            return
    asyncio.get_running_loop().remove_reader(PARENT)
    stop.set()


async def _tell_parent() -> None:
    """Show the parent that this process is alive, whatever the database is doing."""
    while True:
        with contextlib.suppress(OSError):  # it has ended
            os.write(PARENT, b".")
        await asyncio.sleep(HEARTBEAT_S)


async def _lead(
    database: Database,
    settings: Settings,
    claim: Claim,
    passwords: PasswordMemory,
    stop: asyncio.Event,
) -> None:
    """Collect until it is time to stop, or until another process collects."""
    run_id = begin_run(database, _now())
    log.info("collector started", pid=os.getpid())
    await asyncio.to_thread(passwords.exchange)
    with open_probers(settings.clock_tolerance, passwords.memory) as probers:
        collecting = Collecting(database, settings, probers)
        jobs = _Jobs(database, settings, collecting, run_id, claim)
        jobs.start()
        jobs.share(passwords)
        if settings.video_check_interval:
            jobs.check_video(VideoChecking(database, settings, passwords.memory))
        await _first_of(stop, jobs.deposed)
        await jobs.stop()
    await asyncio.to_thread(passwords.exchange)
    end_run(database, run_id, _now())
    log.info("collector stopped")


async def _first_of(*events: asyncio.Event) -> None:
    """Wait until one of the events is set."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()


class _Jobs:
    """The jobs of one run: sweep, ledger and faults each slot, heartbeat, inspections, upkeep."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        collecting: Collecting,
        run_id: int,
        claim: Claim,
    ) -> None:
        self._database = database
        self._settings = settings
        self._collecting = collecting
        self._run_id = run_id
        self._interval_s = collecting.interval_at(time.time())
        self._claim = claim
        self._backlog = Backlog(self._record)
        self._loop = asyncio.get_running_loop()
        self.deposed = asyncio.Event()
        self._inspections = ChildCommand("inspect", "--due")
        self._archive = ChildCommand("archive", "run")
        self._log = JobLog()
        self._scheduler = AsyncIOScheduler(
            timezone=settings.zone, job_defaults={"coalesce": True, "max_instances": 1}
        )

    def start(self) -> None:
        each_slot = {"trigger": self._slots(), "misfire_grace_time": max(1, self._interval_s // 4)}
        self._scheduler.add_job(self._sweep, id="first sweep")  # now, for the slot under way
        self._scheduler.add_job(self._sweep, id="sweep", **each_slot)
        self._scheduler.add_job(self._ledger, id="ledger", **each_slot)
        self._scheduler.add_job(self._prepare, id="days ahead")
        self._follow_sweep()
        self._scheduler.add_job(self._beat, Every(HEARTBEAT_S))
        self._scheduler.add_job(_in_thread, Every(GIVE_BACK_EVERY_S), [give_back], id="memory")
        zone = {"timezone": self._settings.zone}
        soon = datetime.now(UTC) + timedelta(seconds=INSPECTED_FIRST_AFTER_S)
        self._scheduler.add_job(
            self._inspect,
            Every(INSPECTED_EVERY_S),
            id="inspections",
            next_run_time=soon,
        )
        self._scheduler.add_job(
            self._file_days, At(minute=40, **zone), id="archive", misfire_grace_time=1800
        )
        self._scheduler.add_job(
            self._night, At(hour=0, minute=20, **zone), id="night", misfire_grace_time=3600
        )
        self._scheduler.start()
        self._recording = asyncio.create_task(self._backlog.keep_recording())
        self._watching = asyncio.create_task(self._watch_clock())

    def share(self, passwords: PasswordMemory) -> None:
        """Exchange with other processes what cameras said of their passwords."""
        exchange = partial(_in_thread, passwords.exchange)
        self._scheduler.add_job(exchange, Every(HEARTBEAT_S), id="passwords")

    def check_video(self, checking: VideoChecking) -> None:
        """Check the cameras' video too, in rounds."""
        round_s = min(ROUND_S, self._settings.video_check_interval)
        self._scheduler.add_job(self._video, Every(round_s), args=[checking], id="video")

    async def stop(self) -> None:
        """Record what is finished, give up a sweep under way, begin nothing more."""
        self._watching.cancel()
        self._scheduler.pause()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._backlog.record_all(), STOP_WITHIN_S)
        self._recording.cancel()
        if self._backlog:
            log.error("sweeps lost: the database was away to the end", sweeps=len(self._backlog))
        self._scheduler.shutdown(wait=False)
        await asyncio.gather(self._inspections.stop(), self._archive.stop())

    def _slots(self) -> Every:
        """Fires at the start of every slot."""
        following = (time.time() // self._interval_s + 1) * self._interval_s
        return Every(self._interval_s, datetime.fromtimestamp(following, UTC))

    async def _sweep(self) -> None:
        with self._log.noted("sweep"):
            try:
                finished = await self._collecting.sweep_slot()
            except asyncio.CancelledError:
                log.info("sweep given up: the collector stops")
                return
            if finished is not None:
                self._backlog.add(finished)
            await self._follow_interval()

    def _record(self, sweep: FinishedSweep) -> Stored:
        """Record a sweep. Whoever has lost the lead still hands in what nobody else has swept."""
        if not self._claim.renew():
            self._loop.call_soon_threadsafe(self.deposed.set)
        stored = self._collecting.record(sweep)
        log.info(
            "sweep",
            devices=len(sweep.result.observations),
            stored=stored.inserted,
            wall_s=round(sweep.result.wall_s, 2),
            cpu_s=round(sweep.result.cpu_s, 2),
        )
        self._loop.call_soon_threadsafe(self._follow_sweep)
        return stored

    def _follow_sweep(self) -> None:
        """The faults follow at once; where they are at it still, they go on with the next sweep."""
        self._scheduler.add_job(self._faults, id="faults", replace_existing=True)

    async def _faults(self) -> None:
        with self._log.noted("faults"):
            await asyncio.to_thread(
                keep_faults, self._database, self._settings, _now(), FAULTS_WITHIN_S
            )

    async def _follow_interval(self) -> None:
        """A change of the poll interval takes effect with the first slot of another day."""
        next_tick = (time.time() // self._interval_s + 1) * self._interval_s
        interval_s = await asyncio.to_thread(self._collecting.interval_at, next_tick)
        if interval_s != self._interval_s:
            self._interval_s = interval_s
            for job in SLOT_JOBS:
                self._scheduler.reschedule_job(job, trigger=self._slots())

    async def _watch_clock(self) -> None:
        """APScheduler waits for times of day: once the clock is set, it would wait for old ones."""
        watch = ClockWatch(SYSTEM_CLOCKS)
        while True:
            await asyncio.sleep(CLOCK_LOOK_S)
            jumped_s = watch.jumped()
            if abs(jumped_s) > self._interval_s:
                self._due_anew()
                await _in_thread(self._collecting.note_jump, jumped_s)

    def _due_anew(self) -> None:
        """Each job is due as if it had been made now, those of the slots at the next slot."""
        for job in self._scheduler.get_jobs():
            trigger = job.trigger
            if job.id in SLOT_JOBS:
                trigger = self._slots()
            elif isinstance(trigger, Every):
                trigger = Every(trigger.interval_length)
            self._scheduler.reschedule_job(job.id, trigger=trigger)

    async def _prepare(self) -> None:
        with self._log.noted("days ahead"):
            await asyncio.to_thread(prepare_days, self._database, self._settings, _now())

    async def _ledger(self) -> None:
        with self._log.noted("ledger"):
            await asyncio.to_thread(follow_evidence, self._database, self._settings, _now())

    async def _beat(self) -> None:
        await _in_thread(beat, self._database, self._run_id, _now())
        await _in_thread(self._log.write, self._database, self._due())

    async def _night(self) -> None:
        with self._log.noted("night"):
            await asyncio.to_thread(tend, self._database, self._settings, _now())

    async def _inspect(self) -> None:
        with self._log.noted("inspections"):
            await self._inspections.run()

    async def _file_days(self) -> None:
        with self._log.noted("archive"):
            await self._archive.run()

    async def _video(self, checking: VideoChecking) -> None:
        with contextlib.suppress(asyncio.CancelledError), self._log.noted("video"):
            done = await checking.round()
            if done.checked:
                log.info("video check", **asdict(done))

    def _due(self) -> dict[str, int | None]:
        """When each job is due next; the scheduler knows no time for one that is paused."""
        return {
            job.id: int(job.next_run_time.timestamp()) if job.next_run_time else None
            for job in self._scheduler.get_jobs()
        }


async def _in_thread(work: Callable[..., object], *arguments: object) -> None:
    with put_off_while_away(work.__name__):
        await asyncio.to_thread(work, *arguments)


def _now() -> int:
    return int(time.time())
