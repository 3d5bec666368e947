"""One consistent view of the database as a file, and the way back.

SQLite: its own online backup, one read transaction; writers go on meanwhile. PostgreSQL: pg_dump of
an exported snapshot, so that what we read of the archive belongs to what is dumped; pg_restore in
one transaction. The tools are PostgreSQL's own and know its versions and types better than we do.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryFile
from typing import IO, cast

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from app.database import Database
from app.errors import Refused

Reader = Callable[[Session], None]
REMEDY = "install PostgreSQL's client programs (Debian: postgresql-client)"
MOST_SAID = 1_000
EMPTYING = b"""
DO $$ DECLARE command text; BEGIN
  FOR command IN
    SELECT format('DROP TABLE %s CASCADE', oid::regclass) FROM pg_class
      WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
        AND NOT relispartition
    UNION ALL
    SELECT format('DROP FUNCTION %s CASCADE', oid::regprocedure) FROM pg_proc
      WHERE pronamespace = current_schema()::regnamespace AND prorettype = 'trigger'::regtype
  LOOP EXECUTE command; END LOOP;
END $$;
"""
"""Takes away what migrations make: tables with all that hangs on them, trigger functions."""


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
    """Fill the database, with `replace` instead of what is in it, in one transaction.

    Raises `ToolFailed`.

    `pg_restore --clean` trips over what is younger than the dump: its script goes through psql
    instead, behind an emptying of the schema, and is committed once it has come to its end.
    """
    script = [_found("pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(source)]
    psql = [_found("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
    with _environment(database.engine.url) as (environment, where), TemporaryFile() as errors:
        giving = Popen(script, stdout=PIPE, stderr=errors)  # noqa: S603 - as in `_run`
        taking = Popen([*psql, where], stdin=PIPE, stderr=errors, env=environment)  # noqa: S603
        with suppress(BrokenPipeError), giving, taking:
            _hand_over(giving, taking, EMPTYING if replace else b"")
        if giving.returncode or taking.returncode:
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip()
            raise ToolFailed(f"The database stays as it was: {said[-MOST_SAID:]}")


def _hand_over(giving: Popen[bytes], taking: Popen[bytes], before: bytes) -> None:
    script, into = cast(IO[bytes], giving.stdout), cast(IO[bytes], taking.stdin)
    into.write(b"BEGIN;\n" + before)
    shutil.copyfileobj(script, into)
    if giving.wait() == 0:
        into.write(b"\nCOMMIT;\n")


@contextmanager
def _environment(url: URL) -> Iterator[tuple[dict[str, str], str]]:
    """The password goes by the environment, where no list of processes shows it."""
    bare = url.set(drivername="postgresql", password=None)
    given = {} if url.password is None else {"PGPASSWORD": str(url.password)}
    yield os.environ | given, bare.render_as_string(hide_password=False)


def _run(command: list[str], environment: dict[str, str]) -> None:
    program = _found(command[0])
    done = subprocess.run(  # noqa: S603 - a program of PostgreSQL, arguments of ours
        [program, *command[1:]], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ToolFailed(f"{command[0]} failed: {done.stderr.strip()[-MOST_SAID:]}")


def _found(name: str) -> str:
    program = shutil.which(name)
    if program is None:
        raise ToolFailed(f"{name} is not installed: {REMEDY}.")
    return program
