"""`intact archive`, as from a shell: run, list, verify; the exit code tells of a damaged file."""

import json
from datetime import date
from pathlib import Path

from app.config import Settings
from app.database import open_database
from app.evidence.archive.queries import day_path
from app.evidence.store import claim_day, store_samples
from app.evidence.tables import DayOrigin
from kpi.calendar import day_start
from tests.app.evidence.test_ledger_refresh import add_devices
from tests.app.shell import Run

DAY = date(2026, 3, 2)


def test_a_month_of_the_archive(intact: Run, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    database = open_database(settings)
    with database.write() as session:
        claim_day(session, DAY, settings.timezone, 60, DayOrigin.IMPORT)
        (device,) = add_devices(session, "A")
        start = day_start(DAY, settings.zone)
        store_samples(session, settings.zone, [(start + 60 * n, device, 0, n) for n in range(9)])
    database.close()

    ran = intact("archive", "run")
    assert ran.returncode == 0, ran.stderr
    assert "1 day(s) written, hot samples of 1 day(s) released" in ran.stderr
    listed = json.loads(intact("archive", "list", "--format", "json").stdout)
    file = day_path(settings.archive_folder, DAY)
    assert [(row["day"], row["state"], row["samples"]) for row in listed] == [
        ("2026-03-02", "filed", 9)
    ]
    assert listed[0]["size_bytes"] == file.stat().st_size
    assert intact("archive", "verify", "--month", "2026-03").returncode == 0
    assert (
        json.loads(intact("archive", "verify", "--month", "2026-04", "--format", "json").stdout)
        == []
    )

    file.write_bytes(file.read_bytes()[:-1] + b"?")
    verified = intact("archive", "verify", "--format", "json")
    assert verified.returncode == 1
    assert str(file) in json.loads(verified.stdout)[0]["problem"]
    wrong = intact("archive", "verify", "--month", "March")
    assert wrong.returncode == 1
    assert "--month" in wrong.stderr
