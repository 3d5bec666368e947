"""One consistent view of the database as a file, and the way back.

SQLite: its own online backup, one read transaction; writers go on meanwhile. PostgreSQL: pg_dump of
an exported snapshot, so that what we read of the archive belongs to what is dumped; pg_restore in
one transaction. Both tools are PostgreSQL's own and know its versions and types better than we do.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from app.database import Database
from app.errors import Refused

Reader = Callable[[Session], None]
REMEDY = "install PostgreSQL's client programs (Debian: postgresql-client)"


class ToolFailed(Refused):
    """pg_dump or pg_restore is not there, or did not do it."""

    title = "Database not saved"


def dump(database: Database, target: Path, read: Reader) -> None:
    """Write the database to `target`; `read` sees exactly what is written. Raises `ToolFailed`."""
    (_dump_sqlite if database.is_sqlite else _dump_postgres)(database, target, read)


def _dump_sqlite(database: Database, target: Path, read: Reader) -> None:
    source = f"file:{database.engine.url.database}?mode=ro"
    with (
        closing(sqlite3.connect(source, uri=True)) as present,
        closing(sqlite3.connect(target)) as copy,
    ):
        present.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
    engine = create_engine(f"sqlite:///file:{target}?mode=ro&uri=true")
    try:
        with Session(engine) as session:
            read(session)
    finally:
        engine.dispose()


def _dump_postgres(database: Database, target: Path, read: Reader) -> None:
    engine = database.engine.execution_options(isolation_level="REPEATABLE READ")
    with Session(engine) as session:
        snapshot = session.scalar(text("SELECT pg_export_snapshot()"))
        read(session)
        options = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
        with _environment(database.engine.url) as (environment, where):
            _run(["pg_dump", *options, f"--file={target}", where], environment)


def load_postgres(database: Database, source: Path, *, replace: bool) -> None:
    """Fill the database, in one transaction. Raises `ToolFailed`."""
    options = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
    if replace:
        options += ["--clean", "--if-exists"]
    with _environment(database.engine.url) as (environment, where):
        _run(["pg_restore", *options, f"--dbname={where}", str(source)], environment)


@contextmanager
def _environment(url: URL) -> Iterator[tuple[dict[str, str], str]]:
    """The password goes by the environment, where no list of processes shows it."""
    bare = url.set(drivername="postgresql", password=None)
    given = {} if url.password is None else {"PGPASSWORD": str(url.password)}
    yield os.environ | given, bare.render_as_string(hide_password=False)


def _run(command: list[str], environment: dict[str, str]) -> None:
    program = shutil.which(command[0])
    if program is None:
        raise ToolFailed(f"{command[0]} is not installed: {REMEDY}.")
    done = subprocess.run(  # noqa: S603 - a program of PostgreSQL, arguments of ours
        [program, *command[1:]], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ToolFailed(f"{command[0]} failed: {done.stderr.strip()[-1_000:]}")
