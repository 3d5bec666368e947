"""One database, SQLite or PostgreSQL, reached through `read()` and `write()`.

A write transaction on SQLite begins IMMEDIATE, so that what it reads still holds when it writes.
Instants are stored as BIGINT of UTC seconds, days as DATE of the local calendar.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import (
    BigInteger,
    Connection,
    Engine,
    MetaData,
    create_engine,
    event,
    inspect,
    text,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    DatabaseError,
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as NoConnectionFreeError
from sqlalchemy.orm import DeclarativeBase, Session

import migrations
from app.config import Settings
from app.errors import ConfigurationError, Refused

log = structlog.get_logger()
BUSY_TIMEOUT_MS = 30_000
NOTICE_LOSS = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 11_000,
}
"""Seconds (the last: milliseconds) until a server that does not answer at all is given up."""
DATABASE_AWAY = (OperationalError, InterfaceError, InternalError, NoConnectionFreeError)
"""What is raised while the database is stopped, out of reach, busy, full or read-only: worth trying
again, unlike what it refuses."""
Instant = BigInteger


class Base(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Database:
    """The engine and its two kinds of transaction.

    `archive` is the folder of the files that the oldest evidence lies in; each session carries it
    in its `info`.
    """

    def __init__(self, url: str, archive: Path | None = None) -> None:
        self.engine = _engine(url)
        self._beside = {"archive": archive}
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._writing = self.engine.execution_options(write=True)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session over one consistent view; nothing in it is kept."""
        with Session(self.engine, expire_on_commit=False, info=self._beside) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are committed together at the end, or not at all."""
        opened = Session(self._writing, expire_on_commit=False, info=self._beside)
        with opened as session, session.begin():
            yield session

    def upgrade(self) -> None:
        """Bring the schema to the newest version."""
        from alembic import command  # 11 MB that a running server does without
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        with self._writing.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def version(self) -> str | None:
        """The schema's version; None where there is no schema yet."""
        with self.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            version = connection.scalar(text("SELECT version_num FROM alembic_version"))
            return None if version is None else str(version)

    def close(self) -> None:
        self.engine.dispose()


def open_database(settings: Settings, *, upgrade: bool = False) -> Database:
    """Open the configured database; on SQLite, and with `upgrade`, migrate it where needed.

    Raises `ConfigurationError` where it cannot be reached, `Refused` where PostgreSQL has not been
    upgraded.
    """
    url = make_url(settings.sqlalchemy_url)
    database = Database(settings.sqlalchemy_url, settings.archive_folder)
    try:
        _prepare(database, upgrade=upgrade or database.is_sqlite)
    except (DatabaseError, OSError) as error:
        database.close()
        reason = str(error.orig if isinstance(error, DatabaseError) else error).strip()
        shown = url.render_as_string(hide_password=True)
        raise ConfigurationError(
            [f"database_url: {shown} cannot be opened ({reason}); check address and rights"]
        ) from error
    except Refused:
        database.close()
        raise
    return database


@contextmanager
def straight_to_driver(connection: Connection) -> Iterator[Any]:
    """The driver's own connection, for what SQLAlchemy would copy row by row; errors as its own."""
    base: Any = connection.dialect.loaded_dbapi
    try:
        yield connection.connection.driver_connection
    except base.Error as error:
        raise DBAPIError.instance(None, None, error, base.Error) from error


def in_short(error: Exception) -> str:
    """What the database says, without the statement that it says it of."""
    return str(error).partition("\n")[0]


@contextmanager
def put_off_while_away(work: str) -> Iterator[None]:
    """For what is due again soon anyway: one line in the log says that the database is away."""
    try:
        yield
    except DATABASE_AWAY as error:
        log.warning("put off: the database is away", work=work, reason=in_short(error))


def _prepare(database: Database, *, upgrade: bool) -> None:
    if database.is_sqlite and database.engine.url.database:
        Path(database.engine.url.database).parent.mkdir(parents=True, exist_ok=True)
    present = database.version()
    if present == migrations.HEAD:
        return
    if not upgrade:
        raise Refused(
            f"The database is at version {present or 'none'}, this program needs "
            f"{migrations.HEAD}. Run `intact db upgrade`."
        )
    database.upgrade()


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, connect_args=_noticing_loss(make_url(url)))
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _noticing_loss(url: URL) -> dict[str, int]:
    """Options of a connection that the URL does not set itself."""
    return {name: value for name, value in NOTICE_LOSS.items() if name not in url.query}


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin_sqlite`, not the driver
    _switch_to_wal(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")


def _switch_to_wal(connection: Any) -> None:
    """Where several begin at once, SQLite refuses this without waiting for its time-out."""
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
