"""Pages of what collects: the collectors, their sweeps, what happened to their host, their jobs."""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from app.accounts.guard import Allowed
from app.accounts.permissions import Permission
from app.evidence import host_api
from app.evidence.heartbeat import HEARTBEAT_S
from app.evidence.job_api import job_items
from app.evidence.job_log import JobOutcome
from app.evidence.progress_queries import inspection_progress, video_progress
from app.evidence.queries import last_sweeps
from app.evidence.tables import HostEventKind
from app.web.language import message
from app.web.requests import DatabaseDep, SettingsDep
from app.web.shell import render
from kpi.calendar import day_start, local_day

router = APIRouter(include_in_schema=False, dependencies=[Depends(Allowed(Permission.READ_SWEEPS))])

RUNS, SWEEPS, EVENTS = 8, 20, 20
SILENT_AFTER = timedelta(seconds=6 * HEARTBEAT_S)
EVENT_WORDS: Mapping[str, str] = {
    HostEventKind.CLOCK_JUMP: message("clock jumped"),
    HostEventKind.CLOCK_SUSPECTED: message("own clock in doubt"),
    HostEventKind.PAUSED: message("process was paused"),
    HostEventKind.CUT_OFF: message("no canary answered"),
}
JOB_WORDS: Mapping[str, str] = {
    "sweep": message("Sweep of the fleet"),
    "ledger": message("Ledger of the day"),
    "faults": message("Faults and incidents"),
    "night": message("Night's upkeep"),
    "archive": message("Archive of the closed days"),
    "inspections": message("Inspections"),
    "video": message("Video check"),
    "days ahead": message("Days ahead"),
}
OUTCOME_WORDS: Mapping[JobOutcome, str] = {
    JobOutcome.RUNNING: message("running"),
    JobOutcome.DONE: message("done"),
    JobOutcome.FAILED: message("failed"),
    JobOutcome.PUT_OFF: message("put off: the database was away"),
}
OUTCOME_CLASSES: Mapping[JobOutcome, str] = {
    JobOutcome.RUNNING: "unknown",
    JobOutcome.DONE: "up",
    JobOutcome.FAILED: "down",
    JobOutcome.PUT_OFF: "degraded",
}
"""Outcome → the look of a state."""


@router.get("/collectors", response_class=HTMLResponse)
def show_collectors(request: Request, database: DatabaseDep, settings: SettingsDep) -> HTMLResponse:
    """Who collects, how the last sweeps went, what kept us from measuring."""
    now = int(time.time())
    today = day_start(local_day(now, settings.zone), settings.zone)
    with database.read() as session:
        sweeps = last_sweeps(session, SWEEPS)
        video = video_progress(session, now - settings.video_check_interval, now)
        inspections = inspection_progress(session, today)
    return render(
        request,
        "register/collectors.html",
        runs=host_api.list_collectors(database, settings, RUNS).collectors,
        events=host_api.list_host_events(database, settings, EVENTS).events,
        event_words=EVENT_WORDS,
        sweeps=[(each, datetime.fromtimestamp(each.tick, settings.zone)) for each in sweeps],
        checks_video=settings.video_check_interval > 0,
        video=video,
        inspections=inspections,
        silent_before=datetime.now(settings.zone) - SILENT_AFTER,
    )


@router.get("/jobs", response_class=HTMLResponse)
def show_jobs(request: Request, database: DatabaseDep, settings: SettingsDep) -> HTMLResponse:
    """What the collector does by itself: when it ran last, how that ended, when it is due."""
    return render(
        request,
        "register/jobs.html",
        jobs=job_items(database, settings),
        words=JOB_WORDS,
        outcomes=OUTCOME_WORDS,
        classes=OUTCOME_CLASSES,
        now=datetime.now(settings.zone),
    )
