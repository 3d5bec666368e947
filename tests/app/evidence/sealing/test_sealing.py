"""Sealed months stand: what comes later is kept and waits; an amendment keeps both versions."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select, text, update

from app.accounts import audit
from app.accounts.audit import Actor
from app.config import Settings
from app.database import Database
from app.errors import Refused
from app.evidence.archive.queries import archive_of, day_path, former_path
from app.evidence.auditing.auditing import audit_month
from app.evidence.ledger import bring_up_to_date, follow_evidence, mark_touched
from app.evidence.sealing import sealing
from app.evidence.sealing.manifest import sha256_of_text
from app.evidence.sealing.queries import Pending, is_sealed, pending, seals
from app.evidence.sealing.sealing import amend_month, seal_month
from app.evidence.sealing.tables import MonthSeal
from app.evidence.tables import Ledger, Sample, Suspension
from app.fleet.touched import DeviceDays
from tests.app.evidence.month_of_evidence import (
    INTERVAL_S,
    MONTH,
    MonthOfEvidence,
    month_of_evidence,
)

ACTOR = Actor("office")
DAY_S = 86_400
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""What PostgreSQL has no part in: the tests without it run on both."""


class Killed(Exception):
    """The process ends here."""


@pytest.fixture
def made(database: Database, tmp_path: Path) -> MonthOfEvidence:
    settings = Settings(data_dir=tmp_path, poll_interval=INTERVAL_S)
    return month_of_evidence(database, settings, seed=1)


def sealed(made: MonthOfEvidence) -> MonthSeal:
    why = "a tenth of the evidence is missing"
    return seal_month(made.database, made.settings, MONTH, ACTOR, made.later, forced=why)


def amended(made: MonthOfEvidence, reason: str = "late evidence") -> MonthSeal:
    return amend_month(
        made.database, made.settings, MONTH, ACTOR, made.later + DAY_S, reason, forced=True
    )


def ledger(made: MonthOfEvidence) -> list[Any]:
    bring_up_to_date(made.database, made.settings, MONTH.first, MONTH.last, made.later)
    with made.database.read() as session:
        rows = select(Ledger.__table__).order_by(Ledger.day, Ledger.device_id)
        return [tuple(row) for row in session.execute(rows)]


def found(made: MonthOfEvidence) -> list[str]:
    """Subjects of what the audit finds."""
    report = audit_month(made.database, made.settings, MONTH, made.later + DAY_S)
    return [each.subject for each in report.differences]


def suspend(made: MonthOfEvidence, *, told: bool) -> None:
    """The first device for a day that was not suspended; told: as an import does."""
    day = MONTH.first + timedelta(days=20)
    with made.database.write() as session:
        noted = {"reason": "late", "approved_by": "office", "recorded_at": made.later}
        start, device_id = made.start + 20 * DAY_S + 7, made.device_ids[0]
        session.add(Suspension(device_id=device_id, start=start, end=start + DAY_S, **noted))
        if told:
            mark_touched(session, [DeviceDays(device_id, day, day + timedelta(days=1))])


@ON_SQLITE
def test_a_month_is_sealed_once_with_all_that_it_rests_on(made: MonthOfEvidence) -> None:
    before = ledger(made)
    seal = sealed(made)
    assert (seal.version, seal.sha256) == (1, sha256_of_text(seal.manifest))
    document = json.loads(seal.manifest)
    assert len(document["days"]) == 31
    assert document["ledger"]["rows"] == len(before)
    assert document["facts"]["suspensions"]
    cameras = document["figures"]["camera"]
    assert sum(each["intact"] for each in cameras["room"].values()) == cameras["total"]["intact"]
    assert found(made) == []
    with made.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Sample)) == 0
        assert audit.verify(session).entries == 1
    with pytest.raises(Refused, match="is sealed"):
        sealed(made)


@ON_SQLITE
def test_what_is_not_ready_is_refused(made: MonthOfEvidence) -> None:
    early = made.end + INTERVAL_S - 1
    with pytest.raises(Refused, match="not over"):
        seal_month(made.database, made.settings, MONTH, ACTOR, early, forced="-")
    with pytest.raises(Refused, match="insufficient: its coverage is"):
        seal_month(made.database, made.settings, MONTH, ACTOR, made.later)
    with pytest.raises(Refused, match="not sealed"):
        amended(made)
    with made.database.read() as session:
        assert seals(session) == []


def test_what_comes_later_changes_nothing_until_an_amendment(made: MonthOfEvidence) -> None:
    first = sealed(made)
    before = ledger(made)
    assert made.store(share=1) > 0
    suspend(made, told=True)
    follow_evidence(made.database, made.settings, made.later + DAY_S)
    made.archive()
    assert ledger(made) == before
    with made.database.read() as session:
        waiting = pending(session, MONTH)
        folder = archive_of(session)
    assert waiting.device_days > 0
    assert waiting.days_with_late_samples == 31
    assert "suspensions" in found(made)

    second = amended(made)
    assert (second.version, second.reason) == (2, "late evidence")
    assert json.loads(second.manifest)["former_sha256"] == first.sha256
    assert ledger(made) != before
    assert found(made) == []
    with made.database.read() as session:
        assert pending(session, MONTH) == Pending(0, 0)
        assert [each.version for each in seals(session, MONTH)] == [1, 2]
    former_path(folder, MONTH.first, 1).write_bytes(b"")
    assert found(made) == [former_path(folder, MONTH.first, 1).name]


def _ledger_row(made: MonthOfEvidence) -> None:
    with made.database.write() as session:
        one = Ledger.device_id == made.device_ids[1], Ledger.day == MONTH.last
        session.execute(update(Ledger).where(*one).values(intact=Ledger.intact + 900))


def _flipped_bit(made: MonthOfEvidence) -> None:
    with made.database.read() as session:
        path = day_path(archive_of(session), MONTH.first)
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 4
    path.write_bytes(content)


def _suspension(made: MonthOfEvidence) -> None:
    suspend(made, told=False)


def _suspension_gone(made: MonthOfEvidence) -> None:
    with made.database.write() as session:
        session.execute(delete(Suspension))


def _manifest(made: MonthOfEvidence) -> None:
    with made.database.write() as session:
        session.execute(text("DROP TRIGGER month_seal_stays_update"))
        forged = func.replace(MonthSeal.manifest, '"version":1', '"version":1,"x":1')
        session.execute(update(MonthSeal).values(manifest=forged))


@ON_SQLITE
@pytest.mark.parametrize(
    ("tamper", "subject"),
    [
        (_ledger_row, "ledger"),
        (_flipped_bit, f"{MONTH.first}.parquet"),
        (_suspension, "suspensions"),
        (_suspension_gone, "suspensions"),
        (_manifest, "manifest, version 1"),
    ],
)
def test_what_is_changed_behind_its_back_is_found(
    made: MonthOfEvidence, tamper: Callable[[MonthOfEvidence], None], subject: str
) -> None:
    sealed(made)
    tamper(made)
    assert subject in found(made)


@pytest.mark.parametrize("step", ["_keep_former_files", "_make_ready", "_seal"])
@ON_SQLITE
def test_an_amendment_that_was_broken_off_is_gone_on_with(
    made: MonthOfEvidence, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    sealed(made)
    made.store(share=1)

    def killed(*_arguments: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(sealing, step, killed)
        with pytest.raises(Killed):
            amended(made, "the archive was late")
    with made.database.read() as session:
        assert not is_sealed(session, MONTH.first)
    assert amended(made).version == 2
    assert found(made) == []
