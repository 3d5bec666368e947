"""When the collector's jobs last ran and how that ended, written with its heartbeat.

In memory a job costs nothing to note; what has changed is written every few seconds, so that the
record lags a little, and no sweep waits for it.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import DATABASE_AWAY, Database, in_short
from app.evidence.queries import put_all
from app.evidence.tables import JobState

log = structlog.get_logger()
_DETAIL_LENGTH = 256


class JobOutcome(StrEnum):
    """How a job's last run ended; `PUT_OFF`: the database was away."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    PUT_OFF = "put_off"


class JobFailed(Exception):
    """A run that says itself that it failed, and has told the log why."""


@dataclass(frozen=True, slots=True)
class _Note:
    started_at: int
    ended_at: int | None = None
    outcome: JobOutcome = JobOutcome.RUNNING
    detail: str = ""


class JobLog:
    """The last run of each job of one collector."""

    def __init__(self) -> None:
        self._notes: dict[str, _Note] = {}
        self._written: list[dict[str, Any]] = []

    @contextmanager
    def noted(self, job: str) -> Iterator[None]:
        """Note a run. Where the database is away that is all: the job is due again soon anyway."""
        begun = self._notes[job] = _Note(int(time.time()))
        try:
            yield
        except DATABASE_AWAY as error:
            log.warning("put off: the database is away", work=job, reason=in_short(error))
            self._end(job, begun, JobOutcome.PUT_OFF)
        except JobFailed as error:
            self._end(job, begun, JobOutcome.FAILED, str(error))
        except Exception as error:
            self._end(job, begun, JobOutcome.FAILED, f"{type(error).__name__}: {error}")
            raise
        else:
            self._end(job, begun, JobOutcome.DONE)

    def write(self, database: Database, due: Mapping[str, int | None]) -> None:
        """Write the last run of every job; `due` says when it is due next (UTC seconds).

        Called from another thread than that of the jobs.
        """
        rows = [
            {
                "job": job,
                "started_at": note.started_at,
                "ended_at": note.ended_at,
                "outcome": note.outcome.value,
                "detail": note.detail,
                "next_at": due.get(job),
            }
            for job, note in sorted(dict(self._notes).items())
        ]
        if rows != self._written:
            with database.write() as session:
                put_all(session, JobState, rows)
            self._written = rows

    def _end(self, job: str, begun: _Note, outcome: JobOutcome, detail: str = "") -> None:
        ended_at = int(time.time())
        self._notes[job] = replace(
            begun, ended_at=ended_at, outcome=outcome, detail=detail[:_DETAIL_LENGTH]
        )


def job_states(session: Session) -> list[JobState]:
    """The jobs by name."""
    return list(session.scalars(select(JobState).order_by(JobState.job)))
