"""One collector at a time: a lock that its process holds while it lives.

On SQLite the lock is a file beside the database, on PostgreSQL an advisory lock of a connection.
Both are let go by the system when the process dies; the second one also when the server restarts
or cannot be reached any more, so that whoever holds it asks again before each sweep is recorded.
"""

import fcntl
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from app.database import Database

ADVISORY_KEY = 2023_0098_01
NOTICE_DEATH = (
    "SET tcp_keepalives_idle = 5",
    "SET tcp_keepalives_interval = 2",
    "SET tcp_keepalives_count = 3",
)
"""The server lets go of a lock whose holder has not been heard of for some 11 s (TCP keepalive)."""


class Claim(Protocol):
    """The claim of one process to be the collector."""

    def renew(self) -> bool:
        """Whether this process is the collector: still, or from now on.

        Raises one of `app.database.DATABASE_AWAY` where nobody can tell.
        """

    def close(self) -> None:
        """Let another process be the collector."""


@contextmanager
def leadership(database: Database) -> Iterator[Claim]:
    """A claim, not yet made; given up at the end of the block."""
    with closing(_FileClaim(database) if database.is_sqlite else _AdvisoryClaim(database)) as claim:
        yield claim


class _FileClaim:
    def __init__(self, database: Database) -> None:
        self._file = Path(f"{database.engine.url.database}.collector").open("a")  # noqa: SIM115 - closed by `close`

    def renew(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        self._file.close()


class _AdvisoryClaim:
    def __init__(self, database: Database) -> None:
        self._engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._connection: Connection | None = None
        self._held = False

    def renew(self) -> bool:
        try:
            if self._connection is None:
                self._connection = self._connected()
            if self._held:
                self._connection.execute(text("SELECT 1"))  # the lock lives as long as this answers
            else:
                locking = text("SELECT pg_try_advisory_lock(:key)")
                self._held = bool(self._connection.scalar(locking, {"key": ADVISORY_KEY}))
        except DBAPIError:
            self._drop()
            raise
        return self._held

    def close(self) -> None:
        self._drop()

    def _connected(self) -> Connection:
        connection = self._engine.connect()
        for setting in NOTICE_DEATH:
            connection.execute(text(setting))
        return connection

    def _drop(self) -> None:
        """End the connection, and the lock with it: in the pool it would be held on."""
        connection, self._connection, self._held = self._connection, None, False
        if connection is not None:
            with suppress(DBAPIError):
                connection.invalidate()
            connection.close()
