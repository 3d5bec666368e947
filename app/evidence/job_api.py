"""REST: the collector's jobs."""

from datetime import datetime

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from app.accounts.guard import Allowed
from app.accounts.permissions import Permission
from app.config import Settings
from app.database import Database
from app.evidence.job_log import JobOutcome, job_states
from app.web.requests import DatabaseDep, SettingsDep

router = APIRouter(tags=["evidence"], dependencies=[Depends(Allowed(Permission.READ_SWEEPS))])


class JobItem(BaseModel):
    """A job's last run; `ended_at` is null while it runs, `next_at` where it is due no more."""

    job: str
    started_at: datetime
    ended_at: datetime | None
    outcome: JobOutcome
    detail: str
    next_at: datetime | None


class JobList(BaseModel):
    """All jobs that ever ran, by name."""

    timezone: str
    jobs: list[JobItem]


@router.get("/jobs")
def list_jobs(database: DatabaseDep, settings: SettingsDep) -> JobList:
    """When the collector's jobs last ran, how that ended, and when they are due next."""
    return JobList(timezone=settings.timezone, jobs=job_items(database, settings))


def job_items(database: Database, settings: Settings) -> list[JobItem]:
    """The jobs, their times local."""

    def local(instant: int | None) -> datetime | None:
        return None if instant is None else datetime.fromtimestamp(instant, settings.zone)

    with database.read() as session:
        found = job_states(session)
    return [
        JobItem(
            job=each.job,
            started_at=datetime.fromtimestamp(each.started_at, settings.zone),
            ended_at=local(each.ended_at),
            outcome=JobOutcome(each.outcome),
            detail=each.detail,
            next_at=local(each.next_at),
        )
        for each in found
    ]
