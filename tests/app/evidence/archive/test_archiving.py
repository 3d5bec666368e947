"""Days on their way into the archive: what is read stays the same, whatever happens on the way."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select

from app.config import Settings
from app.database import Database
from app.evidence.archive import archiving, day_files, queries
from app.evidence.archive.archiving import archive_closed_days
from app.evidence.archive.day_files import DamagedFile
from app.evidence.archive.queries import day_path, known_days
from app.evidence.archive.tables import ArchiveDay, ArchiveState
from app.evidence.archive.verifying import verify_days
from app.evidence.ledger import bring_up_to_date
from app.evidence.queries import mark_dirty
from app.evidence.sample_queries import SampleRow
from app.evidence.samples import device_samples, failing_samples, read_statuses
from app.evidence.store import Stored, claim_day, store_samples
from app.evidence.tables import DayOrigin, Ledger, Sample
from kpi.calendar import Slots, day_start
from tests.app.evidence.test_ledger_refresh import add_devices

DAY = date(2026, 3, 2)
INTERVAL_S = 900
SLOTS = 96
DEVICES = 5
SEED = 11


class Killed(Exception):
    """The process ends here."""


@dataclass
class Evidence:
    """A day of samples with gaps, and what may be read of it."""

    database: Database
    settings: Settings
    device_ids: list[int]
    rows: list[SampleRow]

    @property
    def start(self) -> int:
        return day_start(DAY, self.settings.zone)

    @property
    def slots(self) -> Slots:
        return Slots(self.start, INTERVAL_S, SLOTS)

    def now(self, days_later: int) -> int:
        return day_start(DAY + timedelta(days=days_later), self.settings.zone) + 7200

    def store(self, rows: list[SampleRow]) -> Stored:
        with self.database.write() as session:
            claim_day(session, DAY, self.settings.timezone, INTERVAL_S, DayOrigin.IMPORT)
            return store_samples(session, self.settings.zone, rows)

    def archive(self, days_later: int = 20) -> archiving.Archived:
        return archive_closed_days(self.database, self.settings, self.now(days_later))

    def hot(self) -> int:
        with self.database.read() as session:
            return session.scalar(select(func.count()).select_from(Sample)) or 0

    def day(self) -> ArchiveDay:
        with self.database.read() as session:
            (row,) = known_days(session, DAY, DAY)
            return row

    def require_same(self, rows: list[SampleRow]) -> None:
        """All that reads samples gives exactly these."""
        end = self.slots.end
        told = {(tick, device): (status, latency) for tick, device, status, latency in rows}
        with self.database.read() as session:
            ids = np.array(self.device_ids, dtype=np.int64)
            statuses = read_statuses(session, ids, self.slots)
            failing = failing_samples(session, self.device_ids, self.start, end, INTERVAL_S)
            by_query = failing_samples(
                session, select(Sample.device_id).distinct(), self.start, end, INTERVAL_S
            )
            single = {
                (tick, device): (status, latency)
                for device in self.device_ids
                for tick, status, latency in device_samples(session, device, self.slots)
            }
        assert single == told
        expected = np.full(statuses.shape, 255)
        for (tick, device), (status, _) in told.items():
            place = (tick - self.start) // INTERVAL_S
            expected[self.device_ids.index(device), place] = status
        assert np.array_equal(statuses, expected)
        down = sorted((device, tick, told[tick, device][0]) for tick, device in told)
        down = [row for row in down if row[2] > 0]
        assert list(zip(*(column.tolist() for column in failing[:3]), strict=True)) == down
        assert set(by_query.device.tolist()) <= set(self.device_ids)


@pytest.fixture
def evidence(database: Database, tmp_path: Path) -> Evidence:
    settings = Settings(data_dir=tmp_path, poll_interval=INTERVAL_S)
    with database.write() as session:
        claim_day(session, DAY, settings.timezone, INTERVAL_S, DayOrigin.IMPORT)
        devices = add_devices(session, *(f"C{number}" for number in range(DEVICES)))
    random = np.random.default_rng(SEED)
    start = day_start(DAY, settings.zone)
    rows: list[SampleRow] = []
    for slot in range(SLOTS):
        for device in devices:
            if random.random() < 0.9:
                down = random.random() < 0.2
                latency = None if down else int(random.integers(1, 300))
                rows.append((start + slot * INTERVAL_S, device, 20 if down else 0, latency))
    made = Evidence(database, settings, devices, rows)
    assert made.store(rows) == Stored(inserted=len(rows))
    return made


def test_a_day_is_written_first_and_released_when_it_is_old(evidence: Evidence) -> None:
    assert evidence.archive(days_later=1).written == (DAY,)
    assert evidence.day().state == ArchiveState.WRITTEN
    assert evidence.hot() == len(evidence.rows)
    evidence.require_same(evidence.rows)
    assert evidence.archive(days_later=7) == archiving.Archived((), ())
    assert evidence.archive(days_later=8) == archiving.Archived((), (DAY,))
    assert evidence.hot() == 0
    evidence.require_same(evidence.rows)
    row = evidence.day()
    assert (row.state, row.samples, row.is_whole) == (ArchiveState.FILED, len(evidence.rows), True)
    assert evidence.archive(days_later=9) == archiving.Archived((), ())


def test_the_day_under_way_is_left_alone(evidence: Evidence) -> None:
    assert evidence.archive(days_later=0) == archiving.Archived((), ())
    last_slots = archive_closed_days(evidence.database, evidence.settings, evidence.slots.end + 10)
    assert last_slots == archiving.Archived((), ())


def test_late_samples_are_taken_in_and_the_first_one_stays(evidence: Evidence) -> None:
    evidence.archive()
    known = {row[:2] for row in evidence.rows}
    missing: list[SampleRow] = [
        (evidence.start + slot * INTERVAL_S, device, 11, 7)
        for slot in range(SLOTS)
        for device in evidence.device_ids
        if (evidence.start + slot * INTERVAL_S, device) not in known
    ]
    tick, device, status, latency = evidence.rows[0]
    again = [evidence.rows[1], (tick, device, 22 if status != 22 else 0, latency)]
    stored = evidence.store(missing + again)
    assert stored == Stored(inserted=len(missing), duplicates=1, conflicts=1)
    all_rows = evidence.rows + missing
    evidence.require_same(all_rows)
    assert not evidence.day().is_whole
    assert evidence.store(missing) == Stored(duplicates=len(missing))
    first = day_path(evidence.settings.archive_folder, DAY).read_bytes()
    assert evidence.archive(days_later=21) == archiving.Archived((DAY,), (DAY,))
    assert day_path(evidence.settings.archive_folder, DAY).read_bytes() != first
    assert evidence.hot() == 0
    evidence.require_same(all_rows)
    assert evidence.store(missing) == Stored(duplicates=len(missing))


def test_the_ledger_of_an_archived_day_is_made_from_its_file(evidence: Evidence) -> None:
    def ledger() -> list[tuple[int, ...]]:
        bring_up_to_date(evidence.database, evidence.settings, DAY, DAY, evidence.now(20))
        with evidence.database.read() as session:
            rows = session.scalars(select(Ledger).order_by(Ledger.device_id)).all()
            return [(row.device_id, row.intact, row.offline, row.unknown) for row in rows]

    before = ledger()
    evidence.archive()
    with evidence.database.write() as session:
        mark_dirty(session, DAY, evidence.device_ids)
    assert ledger() == before
    assert sum(row[1] for row in before) == 900 * sum(row[2] == 0 for row in evidence.rows)


STEPS: list[tuple[object, str]] = [
    (archiving, "_gather"),
    (archiving, "write_file"),
    (archiving, "read_file"),
    (archiving, "_announce"),
    (archiving, "_keep_name"),
    (archiving, "_finish"),
    (archiving, "release_day"),
    (queries, "delete_hot"),
    (archiving, "_drop_partition"),
]


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(("module", "step"), STEPS, ids=[step for _, step in STEPS])
@pytest.mark.parametrize("late", [False, True], ids=["first", "merge"])
def test_killed_at_any_step_nothing_is_lost_or_doubled(
    evidence: Evidence,
    monkeypatch: pytest.MonkeyPatch,
    module: object,
    step: str,
    *,
    before: bool,
    late: bool,
) -> None:
    rows = evidence.rows
    if late:
        kept, rest = rows[: len(rows) // 2], rows[len(rows) // 2 :]
        with evidence.database.write() as session:
            session.execute(Sample.__table__.delete())  # type: ignore[attr-defined]
        evidence.store(kept)
        evidence.archive()
        evidence.store(rest)
    real: Callable[..., object] = getattr(module, step)

    def killed(*arguments: object, **named: object) -> object:
        if not before:
            real(*arguments, **named)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(module, step, killed)
        if step == "_drop_partition" and evidence.database.is_sqlite:
            evidence.archive()
        else:
            with pytest.raises(Killed):
                evidence.archive()
    evidence.require_same(rows)
    assert evidence.store(rows).inserted == 0
    evidence.archive()
    evidence.require_same(rows)
    assert evidence.hot() == 0
    assert evidence.day().samples == len(rows)
    assert [each.problem for each in verify_days(evidence.database, DAY, DAY)] == [None]
    assert list(evidence.settings.archive_folder.rglob("*.part")) == []


@pytest.mark.parametrize("damage", ["bit", "gone", "cut"])
def test_a_damaged_file_is_named_and_never_written_over(evidence: Evidence, damage: str) -> None:
    evidence.archive()
    path = day_path(evidence.settings.archive_folder, DAY)
    content = bytearray(path.read_bytes())
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    else:
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    (report,) = verify_days(evidence.database, DAY, DAY)
    assert report.problem is not None
    assert str(path) in report.problem
    with evidence.database.write() as session:
        queries.held_day(session, DAY).revision += 1
    with pytest.raises(DamagedFile, match=str(path)):
        evidence.archive()


def test_evidence_stored_while_a_file_is_written_is_not_lost(
    evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {row[:2] for row in evidence.rows}
    tick = next(
        evidence.start + slot * INTERVAL_S
        for slot in range(SLOTS)
        if (evidence.start + slot * INTERVAL_S, evidence.device_ids[0]) not in known
    )
    late: SampleRow = (tick, evidence.device_ids[0], 12, 3)
    real = day_files.write_file

    def write_and_store(*arguments: object) -> None:
        real(*arguments)  # type: ignore[arg-type]
        evidence.store([late])

    with monkeypatch.context() as patch:
        patch.setattr(archiving, "write_file", write_and_store)
        assert evidence.archive().released == ()
    evidence.require_same([*evidence.rows, late])
    assert evidence.archive() == archiving.Archived((DAY,), (DAY,))
    evidence.require_same([*evidence.rows, late])
