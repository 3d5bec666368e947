"""`intact faults`, as from a shell: listing, and deriving anew what was changed by hand."""

import json
from datetime import date
from pathlib import Path

from sqlalchemy import delete, select

from app.config import Settings
from app.database import open_database
from app.operations.faults.tables import Fault, FaultStep
from kpi.calendar import local_day
from tests.app.operations.faults.test_keeping import District
from tests.app.shell import Run


def test_faults_are_listed_and_derived_anew(intact: Run, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    district = District(open_database(settings), settings)
    camera, *_ = district.register("R1", 3)
    for slot in range(8):
        district.sweep(slot, [camera] if slot >= 2 else [])
    before = district.state()
    with district.database.write() as session:
        session.execute(delete(FaultStep))
        session.execute(delete(Fault))

    assert json.loads(intact("faults", "list", "--format", "json").stdout) == []
    ran = intact("faults", "rebuild", "--from", "2026-03-01")
    assert ran.returncode == 0, ran.stderr
    listed = json.loads(intact("faults", "list", "--format", "json").stdout)
    assert [(row["device"], row["onset"]) for row in listed] == [
        ("R1-0", "2026-03-02T00:02:00+08:00")
    ]
    with district.database.read() as session:
        (fault,) = session.scalars(select(Fault)).all()
        assert local_day(fault.onset, settings.zone) == fault.day == date(2026, 3, 2)
    assert district.state() == before
    wrong = intact("faults", "list", "--state", "broken")
    assert wrong.returncode == 1
    assert "--state" in wrong.stderr
    district.database.close()
