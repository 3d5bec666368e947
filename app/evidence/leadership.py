"""One collector at a time: a lock that its process holds while it lives.

On SQLite the lock is a file beside the database, on PostgreSQL an advisory lock of a connection.
Both are let go by the system when the process dies.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from app.database import Database

ADVISORY_KEY = 2023_0098_01


@contextmanager
def leadership(database: Database) -> Iterator[bool]:
    """Whether this process is the collector; held until the end of the block."""
    held = _file_lock(database) if database.is_sqlite else _advisory_lock(database)
    with held as leader:
        yield leader


@contextmanager
def _file_lock(database: Database) -> Iterator[bool]:
    path = Path(f"{database.engine.url.database}.collector")
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


@contextmanager
def _advisory_lock(database: Database) -> Iterator[bool]:
    with database.engine.connect() as connection:
        own = connection.execution_options(isolation_level="AUTOCOMMIT")
        key = {"key": ADVISORY_KEY}
        leader = bool(own.scalar(text("SELECT pg_try_advisory_lock(:key)"), key))
        try:
            yield leader
        finally:
            if leader:
                own.execute(text("SELECT pg_advisory_unlock(:key)"), key)
