"""Both ways from evidence to ledger agree to the second; what does not is found."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from app.config import Settings
from app.database import Database
from app.evidence.archive.queries import archive_of, day_path
from app.evidence.auditing.auditing import AuditReport, audit_month
from app.evidence.ledger import bring_up_to_date
from app.evidence.tables import Ledger, LedgerCohort, Sample, Suspension
from kpi.calendar import day_bounds
from tests.app.evidence.month_of_evidence import (
    DEVICES,
    INTERVAL_S,
    MONTH,
    MonthOfEvidence,
    month_of_evidence,
)
from tests.app.shell import Run

ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""What PostgreSQL has no part in: the test without it runs on both."""
Tamper = Callable[[MonthOfEvidence], None]


@pytest.fixture
def made(database: Database, tmp_path: Path) -> MonthOfEvidence:
    settings = Settings(data_dir=tmp_path, poll_interval=INTERVAL_S)
    return month_of_evidence(database, settings, seed=1)


def audited(made: MonthOfEvidence) -> AuditReport:
    return audit_month(made.database, made.settings, MONTH, made.later)


def brought_up(made: MonthOfEvidence) -> None:
    bring_up_to_date(made.database, made.settings, MONTH.first, MONTH.last, made.later)


@pytest.mark.parametrize("timezone", ["Asia/Shanghai", "Europe/Berlin"])
@pytest.mark.parametrize("seed", [2, 3])
@ON_SQLITE
def test_both_ways_agree(database: Database, tmp_path: Path, seed: int, timezone: str) -> None:
    """Hot, archived, and archived with samples that came later."""
    settings = Settings(data_dir=tmp_path, poll_interval=INTERVAL_S, timezone=timezone)
    made = month_of_evidence(database, settings, seed)
    hot = audited(made)
    assert hot.differences == ()
    assert (hot.days, hot.open_days) == (31, 0)
    assert 31 * (DEVICES - 1) >= hot.device_days > 0
    made.archive()
    assert audited(made).differences == ()
    assert made.store(share=1) > 0
    assert audited(made).differences == ()


def test_they_agree_on_either_database(made: MonthOfEvidence) -> None:
    made.archive()
    made.store(share=0.95)
    assert audited(made).differences == ()


def _a_ledger_row(made: MonthOfEvidence) -> None:
    with made.database.write() as session:
        chosen = Ledger.device_id == made.device_ids[0], Ledger.day == MONTH.last
        session.execute(update(Ledger).where(*chosen).values(offline=Ledger.offline + 1))


def _a_row_too_many(made: MonthOfEvidence) -> None:
    nothing = dict.fromkeys(
        ("intact", "impaired", "offline", "unknown", "suspended", "exempted"), 0
    )
    with made.database.write() as session:
        session.add(Ledger(day=MONTH.first, device_id=999, **nothing, intact_by_video=0))


def _a_sum(made: MonthOfEvidence) -> None:
    with made.database.write() as session:
        first = update(LedgerCohort).where(LedgerCohort.day == MONTH.last)
        session.execute(first.values(intact=LedgerCohort.intact + 900))


def _a_deleted_sample(made: MonthOfEvidence) -> None:
    """One that counted, of a day whose ledger is made."""
    with made.database.write() as session:
        counted = select(Ledger.device_id, Ledger.day).where(
            Ledger.offline > 0, Ledger.exempted == 0, Ledger.suspended == 0
        )
        device_id, day = session.execute(counted).first() or (0, MONTH.first)
        start, end = day_bounds(day, made.settings.zone)
        of_day = Sample.device_id == device_id, Sample.tick >= start, Sample.tick < end
        tick = session.scalars(select(Sample.tick).where(*of_day, Sample.status == 20)).first()
        session.execute(delete(Sample).where(Sample.device_id == device_id, Sample.tick == tick))


def _a_suspension(made: MonthOfEvidence) -> None:
    """Behind the tool's back: nobody marks the days that it touches."""
    with made.database.write() as session:
        noted = {"reason": "-", "approved_by": "-", "recorded_at": made.later}
        for device_id in made.device_ids:
            session.add(
                Suspension(device_id=device_id, start=made.start + 1, end=made.end, **noted)
            )


@ON_SQLITE
@pytest.mark.parametrize(
    ("tamper", "what"),
    [
        (_a_ledger_row, "offline"),
        (_a_row_too_many, ""),
        (_a_sum, "intact"),
        (_a_deleted_sample, "offline"),
        (_a_suspension, "suspended"),
    ],
)
def test_what_was_changed_is_found(made: MonthOfEvidence, tamper: Tamper, what: str) -> None:
    with made.database.write() as session:
        forever = update(Suspension).values(end=Suspension.start + 900)
        session.execute(forever)
    brought_up(made)
    tamper(made)
    found = audited(made)
    assert not found.agrees
    assert all(what in each.what for each in found.differences)


@ON_SQLITE
def test_a_flipped_bit(made: MonthOfEvidence) -> None:
    made.archive()
    brought_up(made)
    with made.database.read() as session:
        path = day_path(archive_of(session), MONTH.first)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    found = audited(made).differences
    assert found[0].subject == path.name
    assert found[0].what == "SHA-256"
    assert {each.day for each in found} == {MONTH.first}
    path.unlink()
    assert [each.what for each in audited(made).differences] == ["file", "cannot be read"]


def test_the_command(intact: Run, tmp_path: Path) -> None:
    """Exit code 0 and nothing on standard output where all agrees; 1 where not, or by mistake."""
    intact("db", "upgrade")
    done = intact("audit", "--month", "2026-13")
    assert (done.returncode, "--month" in done.stderr) == (1, True)
    empty = intact("audit", "--month", "2026-03", "--format", "json")
    assert empty.returncode == 0
    document = json.loads(empty.stdout)
    assert document["agrees"] is True
    assert document["differences"] == []
