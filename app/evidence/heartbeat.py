"""When a collector was alive is evidence too: one row a run, its last heartbeat in it."""

import os
import socket
from importlib.metadata import version

from sqlalchemy import update

from app.database import Database
from app.evidence.tables import CollectorRun

HEARTBEAT_S = 5


def begin_run(database: Database, now: int) -> int:
    """Record the start of a collector; returns the run's id."""
    with database.write() as session:
        run = CollectorRun(
            started_at=now,
            heartbeat_at=now,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=version("intact-monitor"),
        )
        session.add(run)
        session.flush()
        return run.id


def beat(database: Database, run_id: int, now: int) -> None:
    """Record that the collector is alive."""
    with database.write() as session:
        session.execute(
            update(CollectorRun).where(CollectorRun.id == run_id).values(heartbeat_at=now)
        )


def end_run(database: Database, run_id: int, now: int) -> None:
    """Record a clean stop."""
    with database.write() as session:
        session.execute(
            update(CollectorRun)
            .where(CollectorRun.id == run_id)
            .values(heartbeat_at=now, stopped_at=now)
        )
