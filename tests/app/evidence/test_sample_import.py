"""History from another monitor: nothing half-done, order and repetition change nothing."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.config import Settings
from app.database import Database
from app.errors import BadParameter, ImportRefused
from app.evidence.sample_import import SampleImport, import_samples
from app.evidence.store import Stored
from app.evidence.tables import EvidenceDay, Sample
from app.fleet.tables import Device, DeviceKind, ProbeChoice
from kpi.calendar import day_start

DAY = date(2026, 3, 2)
NOW = int(datetime(2026, 3, 3, 12, tzinfo=UTC).timestamp())
HEADER = "device_code,at,status,latency_ms"
Load = Callable[..., SampleImport]


@pytest.fixture
def load(database: Database, settings: Settings, tmp_path: Path) -> Load:
    """Imports lines of CSV (or a file) into a register of the cameras A and B."""
    with database.write() as session:
        for code in "AB":
            session.add(
                Device(
                    code=code,
                    name=code,
                    kind=DeviceKind.CAMERA,
                    probe=ProbeChoice.ONVIF,
                    registered_on=DAY,
                )
            )

    def run(source: Sequence[str] | Path, interval_s: int | None = None) -> SampleImport:
        path = tmp_path / "samples.csv"
        if isinstance(source, Path):
            path = source
        else:
            path.write_text("\n".join([HEADER, *source]) + "\n", encoding="utf-8")
        return import_samples(database, settings, path, now=NOW, interval_s=interval_s)

    return run


def stored(database: Database) -> list[tuple[int, int, int, int | None]]:
    with database.read() as session:
        rows = session.execute(
            select(Sample.tick, Sample.device_id, Sample.status, Sample.latency_ms).order_by(
                Sample.tick, Sample.device_id
            )
        )
        return [(row[0], row[1], row[2], row[3]) for row in rows]


def test_a_file_is_stored_once(load: Load, database: Database, settings: Settings) -> None:
    lines = [
        "A,2026-03-02T08:00:05+08:00,0,12.6",
        "A,2026-03-02T00:01:10Z,TIMEOUT,",
        "B,2026-03-02T08:00:59.9+08:00,clock_wrong,3",
        "B,2026-03-02T08:02:00+08:00,255,",
    ]
    done = load(lines)
    assert done == SampleImport(4, unknown=1, same_slot=0, stored=Stored(inserted=3))
    eight = day_start(DAY, settings.zone) + 8 * 3600
    assert stored(database) == [
        (eight, 1, 0, 13),
        (eight, 2, 1, 3),
        (eight + 60, 1, 20, None),
    ]
    again = load(list(reversed(lines)))
    assert again.stored == Stored(duplicates=3)


def test_earliest_of_a_slot_wins_then_the_lower_code(load: Load, database: Database) -> None:
    done = load(
        [
            "A,2026-03-02T08:00:30+08:00,0,1",
            "A,2026-03-02T08:00:10+08:00,21,",
            "A,2026-03-02T08:00:10+08:00,20,",
        ]
    )
    assert done == SampleImport(3, unknown=0, same_slot=2, stored=Stored(inserted=1))
    assert [row[2] for row in stored(database)] == [20]


def test_what_is_stored_stays_and_the_other_is_a_conflict(load: Load, database: Database) -> None:
    load(["A,2026-03-02T08:00:30+08:00,0,5"])
    done = load(["A,2026-03-02T08:00:00+08:00,20,", "B,2026-03-02T08:00:00+08:00,20,"])
    assert done.stored == Stored(inserted=1, conflicts=1)
    assert [row[2] for row in stored(database)] == [0, 20]


@pytest.mark.parametrize(
    ("line", "column", "said"),
    [
        ("X,2026-03-02T08:00:00Z,0,", "device_code", "not in the register"),
        ("A,2026-03-02T08:00:00,0,", "at", "no offset"),
        ("A,yesterday,0,", "at", "is no time"),
        ("A,2026-03-03T12:00:01Z,0,", "at", "in the future"),
        ("A,0001-01-01T00:00:00+08:00,0,", "at", "before 1970"),
        ("A,2026-03-02T08:00:00Z,2,", "status", "is no status"),
        ("A,2026-03-02T08:00:00Z,0,fast", "latency_ms", "milliseconds"),
        ("A,2026-03-02T08:00:00Z,0,-1", "latency_ms", "milliseconds"),
        ("A,2026-03-02T08:00:00Z,0,nan", "latency_ms", "milliseconds"),
        ("A,2026-03-02T08:00:00Z,0", "whole row", "3 cells"),
    ],
)
def test_a_bad_row_is_named_and_nothing_written(
    line: str, column: str, said: str, load: Load, database: Database, tmp_path: Path
) -> None:
    with pytest.raises(ImportRefused) as refused:
        load(["A,2026-03-02T08:00:00Z,0,1", line])
    (problem,) = refused.value.problems
    assert (problem.row, problem.column) == (3, column)
    assert said in problem.remedy
    assert stored(database) == []
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []


def test_every_bad_row_is_named_in_one_run(load: Load) -> None:
    with pytest.raises(ImportRefused) as refused:
        load(["A,2026-03-02T08:00:00Z,0", "X,2026-03-02T08:00:00Z,0,", "A,never,0,"])
    assert [problem.row for problem in refused.value.problems] == [2, 3, 4]


def test_the_first_hundred_mistakes_are_shown(load: Load) -> None:
    with pytest.raises(ImportRefused) as refused:
        load(["X,2026-03-02T08:00:00Z,0,"] * 150)
    assert (len(refused.value.problems), refused.value.total) == (100, 150)
    assert "and 50 more" in str(refused.value)


def test_interval_is_of_days_without_evidence(load: Load, database: Database) -> None:
    load(["A,2026-03-02T08:07:00+08:00,0,1"], interval_s=300)
    with database.read() as session:
        assert session.scalars(select(EvidenceDay.interval_s)).all() == [300]
    load(["B,2026-03-02T08:09:00+08:00,0,1"])  # the day's own slots, not the poll interval's
    assert stored(database)[0][0] == stored(database)[1][0]
    with pytest.raises(ImportRefused, match="use --interval 300"):
        load(["A,2026-03-02T09:00:00+08:00,0,1"], interval_s=60)
    with pytest.raises(BadParameter, match="does not divide 900"):
        load([], interval_s=7)


def test_parquet_says_the_same_as_csv(load: Load, database: Database, tmp_path: Path) -> None:
    load(["A,2026-03-02T08:00:05+08:00,0,12", "B,2026-03-02T08:01:05+08:00,TIMEOUT,"])
    first = datetime(2026, 3, 2, 0, 0, 5, tzinfo=UTC)
    table = pa.table(
        {
            "device_code": ["A", "B"],
            "at": pa.array([first, first + timedelta(minutes=1)], pa.timestamp("ms", tz="UTC")),
            "status": pa.array([0.0, 20.0]),  # as pandas writes codes beside empty cells
            "latency_ms": pa.array([12.0, None]),
        }
    )
    pq.write_table(table, tmp_path / "samples.parquet")
    assert load(tmp_path / "samples.parquet").stored == Stored(duplicates=2)
    naive = table.set_column(1, "at", table["at"].cast(pa.timestamp("ms")))
    pq.write_table(naive, tmp_path / "naive.parquet")
    with pytest.raises(ImportRefused, match="has no offset"):
        load(tmp_path / "naive.parquet")
    pq.write_table(table.drop_columns(["status"]), tmp_path / "less.parquet")
    with pytest.raises(ImportRefused, match="status: this column is missing"):
        load(tmp_path / "less.parquet")


def test_no_such_file(load: Load, tmp_path: Path) -> None:
    for name in ("none.csv", "none.parquet"):
        with pytest.raises(BadParameter, match=name):
            load(tmp_path / name)


ROWS = st.lists(
    st.tuples(st.sampled_from("AB"), st.integers(0, 5 * 60), st.sampled_from([0, 1, 11, 20])),
    max_size=12,
)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None
)
@given(rows=ROWS, shuffled=st.randoms())
def test_order_and_repetition_change_nothing(
    load: Load, database: Database, rows: list[tuple[str, int, int]], shuffled: object
) -> None:
    def lines(some: list[tuple[str, int, int]]) -> list[str]:
        begin = datetime(2026, 3, 2, tzinfo=UTC)
        return [
            f"{code},{(begin + timedelta(seconds=at)).isoformat()},{status},"
            for code, at, status in some
        ]

    def result_of(some: list[tuple[str, int, int]]) -> list[tuple[int, int, int, int | None]]:
        with database.write() as session:
            session.query(Sample).delete()
        load(lines(some))
        return stored(database)

    expected = result_of(rows)
    again = rows * 2
    shuffled.shuffle(again)  # type: ignore[attr-defined]  # a Random
    assert result_of(again) == expected
