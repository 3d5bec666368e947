"""Daily partitions of the samples on PostgreSQL: bounds, making them, moving what was there."""

import threading
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

import migrations
from app.config import Settings
from app.database import Database
from app.errors import Refused
from app.evidence.partitions import has_partition, make_partition
from app.evidence.store import Stored, claim_day, store_samples
from app.evidence.tables import DayOrigin
from app.evidence.upkeep import DAYS_AHEAD, prepare_days
from kpi.calendar import day_bounds, day_start

BERLIN = ZoneInfo("Europe/Berlin")
SHANGHAI = ZoneInfo("Asia/Shanghai")
UNPARTITIONED = "0002"


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url)
    database.upgrade()
    yield database
    database.close()


def bounds(database: Database) -> dict[str, str]:
    """Partition → its bounds in PostgreSQL's words."""
    with database.read() as session:
        found = session.execute(
            text(
                "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i "
                "JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'sample'::regclass"
            )
        )
        return dict(found.all())


def samples(database: Database) -> list[tuple[int, ...]]:
    with database.read() as session:
        return [
            tuple(row) for row in session.execute(text("SELECT * FROM sample ORDER BY 1, 2")).all()
        ]


def said(start: int, end: int) -> str:
    return f"FOR VALUES FROM ('{start}') TO ('{end}')"


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)],
)
def test_a_partition_is_a_local_day(postgres: Database, day: date, hours: int) -> None:
    with postgres.write() as session:
        claim_day(session, day, BERLIN.key, 60, DayOrigin.IMPORT)
        start, end = day_bounds(day, BERLIN)
        rows = [(start, 1, 0, 1), (end - 60, 1, 20, None)]
        assert store_samples(session, BERLIN, rows) == Stored(inserted=2)
        assert store_samples(session, BERLIN, rows) == Stored(duplicates=2)
    assert end - start == hours * 3600
    assert bounds(postgres) == {f"sample_{day:%Y%m%d}": said(start, end)}
    assert samples(postgres) == rows


def test_the_next_days_are_made_ahead(postgres: Database, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    now = int(datetime(2026, 12, 30, 23, 59, tzinfo=SHANGHAI).timestamp())
    for _ in range(2):
        prepare_days(postgres, settings, now)
        assert sorted(bounds(postgres)) == [
            "sample_20261230",
            "sample_20261231",
            "sample_20270101",
            "sample_20270102",
        ]
    prepare_days(postgres, settings, now + 60)
    assert len(bounds(postgres)) == DAYS_AHEAD + 2
    with postgres.write() as session, pytest.raises(Refused, match="Asia/Shanghai"):
        claim_day(session, date(2026, 12, 30), BERLIN.key, 60, DayOrigin.IMPORT)


def test_many_may_make_the_same_days_at_once(postgres: Database) -> None:
    """Each claims some days in one transaction; none waits for another in a circle."""
    failures: list[BaseException] = []
    starting = threading.Barrier(4)

    def claim(first: int) -> None:
        starting.wait()
        try:
            with postgres.write() as session:
                for number in range(first, first + 4):
                    day = date(2026, 1, number)
                    claim_day(session, day, SHANGHAI.key, 60, DayOrigin.IMPORT)
                    tick = day_start(day, SHANGHAI)
                    store_samples(session, SHANGHAI, [(tick, first, 0, 1)])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=claim, args=(first,)) for first in (1, 2, 3, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(bounds(postgres)) == 6
    assert len(samples(postgres)) == 3 * 4


def test_a_partition_that_was_dropped_is_made_again(postgres: Database) -> None:
    day = date(2026, 1, 1)
    tick = day_start(day, SHANGHAI)
    for _ in range(2):
        with postgres.write() as session:
            claim_day(session, day, SHANGHAI.key, 60, DayOrigin.IMPORT)
            assert store_samples(session, SHANGHAI, [(tick, 1, 0, 1)]) == Stored(inserted=1)
        with postgres.write() as session:
            session.execute(text("DROP TABLE sample_20260101"))


def test_sweeps_pass_while_a_partition_is_made(postgres: Database) -> None:
    """Only claims of days wait for each other: samples of a day that has its place do not."""
    yesterday, today = date(2026, 1, 1), date(2026, 1, 2)
    with postgres.write() as session:
        claim_day(session, yesterday, SHANGHAI.key, 60, DayOrigin.COLLECTOR)
    with postgres.write() as making:
        make_partition(making, today, SHANGHAI)
        with postgres.write() as storing:
            storing.execute(text("SET LOCAL lock_timeout = '2s'"))
            row = (day_start(yesterday, SHANGHAI), 1, 0, 1)
            assert store_samples(storing, SHANGHAI, [row]) == Stored(inserted=1)
            assert not has_partition(storing, today)
    assert len(bounds(postgres)) == 2


def migrate(database: Database, *, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, to)


@pytest.fixture
def unpartitioned(postgres_url: str) -> Iterator[Database]:
    """A database as it was before its samples were partitioned."""
    database = Database(postgres_url)
    migrate(database, to=UNPARTITIONED)
    yield database
    database.close()


def insert(database: Database, table: str, rows: list[tuple[object, ...]]) -> None:
    marks = ", ".join(f":{n}" for n in range(len(rows[0])))
    values = [{str(n): value for n, value in enumerate(row)} for row in rows]
    with database.write() as session:
        session.execute(text(f"INSERT INTO {table} VALUES ({marks})"), values)  # noqa: S608 - our names


def test_the_migration_keeps_every_sample(unpartitioned: Database) -> None:
    """Over the days of 25 and 23 hours, and one without samples."""
    days = [date(2026, 10, 25), date(2026, 10, 26), date(2027, 3, 28), date(2027, 3, 29)]
    spans = {day: day_bounds(day, BERLIN) for day in days}
    before: list[tuple[int, ...]] = [
        (tick, device, 0, device)
        for day, (start, end) in spans.items()
        if day != days[1]
        for tick in range(start, end, 900)
        for device in (1, 2)
    ]
    assert len(before) == 2 * 4 * (25 + 23 + 24)
    insert(unpartitioned, "evidence_zone", [(1, BERLIN.key)])
    insert(unpartitioned, "evidence_day", [(day, 900, "import") for day in days])
    insert(unpartitioned, "sample", list(before))
    migrate(unpartitioned, to="head")
    assert samples(unpartitioned) == before
    assert bounds(unpartitioned) == {
        f"sample_{day:%Y%m%d}": said(*span) for day, span in spans.items()
    }


def test_the_migration_leaves_no_sample_behind(unpartitioned: Database) -> None:
    insert(unpartitioned, "sample", [(60, 1, 0, 1)])  # of a day never claimed
    with pytest.raises(RuntimeError, match="0 of 1 samples"):
        migrate(unpartitioned, to="head")
    assert samples(unpartitioned) == [(60, 1, 0, 1)]
