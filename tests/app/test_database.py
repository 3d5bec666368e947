"""One schema on both databases, made by the migrations; transactions that hold what they say."""

import threading
import warnings
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from pydantic import SecretStr
from sqlalchemy import func, select

import migrations
from app.config import Settings
from app.database import Base, Database, open_database
from app.errors import ConfigurationError, Refused
from app.evidence.tables import EvidenceDay
from app.fleet.tables import Station


def test_migrations_make_the_tables(database: Database) -> None:
    with database.engine.connect() as connection, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "autogenerate skipping metadata-specified expression")
        warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression-based")
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_newest_version_is_named() -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert scripts.get_current_head() == migrations.HEAD


def test_a_failed_write_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.write() as session:
            session.add(Station(code="S", name="S"))
            session.flush()
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        fail()
    with database.read() as session:
        assert session.scalars(select(func.count(Station.id))).one() == 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_a_write_reads_still_holds_when_it_writes(database: Database) -> None:
    """Two threads count and add under one name each time; no two may see the same count.

    On PostgreSQL writers take row locks where they need them.
    """

    def add_ten() -> None:
        for _ in range(10):
            with database.write() as session:
                number = session.scalars(select(func.count(Station.id))).one()
                session.add(Station(code=str(number), name="counted"))

    threads = [threading.Thread(target=add_ten) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert session.scalars(select(func.count(Station.id))).one() == 20


def test_sqlite_is_made_where_it_is_needed(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new" / "folder")
    for _ in range(2):
        database = open_database(settings)
        with database.read() as session:
            assert session.scalars(select(EvidenceDay)).all() == []
        database.close()


def test_two_processes_may_make_it_at_once(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    failures: list[BaseException] = []

    def begin() -> None:
        try:
            open_database(settings).close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=begin) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_postgresql_wants_its_upgrade(postgres_url: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url=SecretStr(postgres_url))
    with pytest.raises(Refused, match="intact db upgrade"):
        open_database(settings)
    database = Database(settings.sqlalchemy_url)
    database.upgrade()
    database.close()
    open_database(settings).close()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "intact.db").write_text("once upon a time, " * 100)
    with pytest.raises(ConfigurationError, match="not a database"):
        open_database(Settings(data_dir=tmp_path))


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    url = SecretStr("postgresql://someone:secret@127.0.0.1:1/intact")
    with pytest.raises(ConfigurationError, match="cannot be opened") as refused:
        open_database(Settings(data_dir=tmp_path, database_url=url))
    assert "secret" not in str(refused.value)
