"""A backup is what was there at one moment, and comes back whole or not at all."""

import json
import shutil
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, select, text

from app.config import Settings
from app.database import Database, open_database
from app.errors import Refused
from app.evidence.archive.archiving import archive_closed_days, write_day
from app.evidence.auditing.auditing import audit_month
from app.evidence.backup import backing_up, databases, restoring
from app.evidence.backup.backing_up import back_up
from app.evidence.backup.contents import NAMES, BadBackup, read_manifest
from app.evidence.backup.databases import ToolFailed
from app.evidence.backup.restoring import restore
from app.evidence.ledger import bring_up_to_date
from app.evidence.sample_queries import SampleRow
from app.evidence.store import claim_day, store_samples
from app.evidence.tables import DayOrigin, Ledger
from app.fleet.secrets import Secrets
from tests.app.evidence.month_of_evidence import (
    INTERVAL_S,
    MONTH,
    MonthOfEvidence,
    month_of_evidence,
)
from tests.app.shell import shell

DAY_S = 86_400
SECOND = MONTH.first.replace(day=2)
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def made(database: Database, tmp_path: Path) -> MonthOfEvidence:
    url = database.engine.url.render_as_string(hide_password=False)
    settings = Settings(data_dir=tmp_path, poll_interval=INTERVAL_S, database_url=url)
    database._beside["archive"] = settings.archive_folder
    found = month_of_evidence(database, settings, seed=3)
    archive_closed_days(database, settings, found.later)
    bring_up_to_date(database, settings, MONTH.first, MONTH.last, found.later)
    return found


@pytest.fixture
def elsewhere(made: MonthOfEvidence, tmp_path: Path, request: Any) -> Settings:
    """Settings of another machine with nothing on it, and the same kind of database."""
    if made.database.is_sqlite:
        return Settings(data_dir=tmp_path / "elsewhere", poll_interval=INTERVAL_S)
    url = request.getfixturevalue("postgres_url")
    return Settings(data_dir=tmp_path / "elsewhere", poll_interval=INTERVAL_S, database_url=url)


def ledger(database: Database) -> list[Any]:
    with database.read() as session:
        rows = select(Ledger.__table__).order_by(Ledger.day, Ledger.device_id)
        return [tuple(row) for row in session.execute(rows)]


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def late_sample(made: MonthOfEvidence, number: int) -> None:
    """A sample that comes late for a day of the archive."""
    tick = made.start + DAY_S + INTERVAL_S * (number % 90)
    rows: list[SampleRow] = [(tick, made.device_ids[number % 8], 20, 5)]
    with made.database.write() as session:
        zone = made.settings.timezone
        claim_day(session, SECOND, zone, INTERVAL_S, DayOrigin.IMPORT)
        store_samples(session, made.settings.zone, rows)


def test_it_comes_back_and_the_audit_agrees(
    made: MonthOfEvidence, elsewhere: Settings, tmp_path: Path
) -> None:
    before, files = ledger(made.database), files_in(made.settings.archive_folder)
    back_up(made.database, made.settings, tmp_path / "saved", made.later)
    done = restore(elsewhere, tmp_path / "saved", made.later)
    assert (done.aside, done.key_fits) == (None, None)
    with closing(open_database(elsewhere)) as database:
        assert ledger(database) == before
        assert files_in(elsewhere.archive_folder) == files
        report = audit_month(database, elsewhere, MONTH, made.later)
    assert report.agrees
    assert report.device_days > 100


def test_what_is_written_meanwhile_is_in_it_or_not_but_never_half(
    made: MonthOfEvidence, elsewhere: Settings, tmp_path: Path
) -> None:
    """Late samples are stored and merged into day files all the while."""
    stop = threading.Event()

    def write() -> None:
        for number in range(10_000):
            if stop.is_set():
                return
            late_sample(made, number)
            write_day(made.database, made.settings, SECOND, made.later)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            back_up(made.database, made.settings, tmp_path / f"saved{number}", made.later)
    finally:
        stop.set()
        writer.join()
    restore(elsewhere, tmp_path / "saved2", made.later)
    with closing(open_database(elsewhere)) as database:
        bring_up_to_date(database, elsewhere, MONTH.first, MONTH.last, made.later)
        assert audit_month(database, elsewhere, MONTH, made.later).agrees


def test_broken_off_anywhere_there_is_no_backup(
    made: MonthOfEvidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "saved"
    for name, after in product(("dump", "_copy", "entry_of", "_to_disk"), (False, True)):
        with monkeypatch.context() as patch:
            patch.setattr(backing_up, name, killed(getattr(backing_up, name), after=after))
            with pytest.raises(Killed):
                back_up(made.database, made.settings, target, made.later)
        assert not target.exists(), name
    back_up(made.database, made.settings, target, made.later)
    assert sorted(path.name for path in tmp_path.glob("saved*")) == ["saved"]


@ON_SQLITE
def test_a_restore_that_is_broken_off_is_gone_on_with(
    made: MonthOfEvidence,
    elsewhere: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    saved = tmp_path / "saved"
    back_up(made.database, made.settings, saved, made.later)
    steps = product(("_put_aside", "_put_archive", "_put_file"), (False, True))
    for number, (name, after) in enumerate(steps):
        at = made.later + 60 * number
        with monkeypatch.context() as patch:
            patch.setattr(restoring, name, killed(getattr(restoring, name), after=after))
            with pytest.raises(Killed):
                restore(elsewhere, saved, at, replace=True)
        restore(elsewhere, saved, at + 30, replace=True)
        with closing(open_database(elsewhere)) as database:
            assert ledger(database) == ledger(made.database)
        assert files_in(elsewhere.archive_folder) == files_in(made.settings.archive_folder)


def killed(real: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    def run(*arguments: Any, **options: Any) -> Any:
        if after:
            real(*arguments, **options)
        raise Killed

    return run


@ON_SQLITE
def test_a_damaged_backup_touches_nothing(
    made: MonthOfEvidence, elsewhere: Settings, tmp_path: Path
) -> None:
    saved = tmp_path / "saved"
    back_up(made.database, made.settings, saved, made.later)
    file = next(saved.glob("archive/*/*.parquet"))
    flipped = bytearray(file.read_bytes())
    flipped[100] ^= 1
    file.write_bytes(flipped)
    with pytest.raises(BadBackup, match=file.name):
        restore(elsewhere, saved, made.later)
    file.unlink()
    with pytest.raises(BadBackup, match="is missing"):
        restore(elsewhere, saved, made.later)
    assert not elsewhere.data_dir.exists()


@ON_SQLITE
def test_a_damaged_archive_is_not_saved(made: MonthOfEvidence, tmp_path: Path) -> None:
    file = next(made.settings.archive_folder.glob("*/*.parquet"))
    file.write_bytes(b"PAR1")
    with pytest.raises(BadBackup, match="archive verify"):
        back_up(made.database, made.settings, tmp_path / "saved", made.later)
    assert not (tmp_path / "saved").exists()


def test_what_is_there_is_replaced_only_when_told(
    made: MonthOfEvidence, elsewhere: Settings, tmp_path: Path
) -> None:
    saved = tmp_path / "saved"
    back_up(made.database, made.settings, saved, made.later)
    with pytest.raises(Refused, match="name a new folder"):
        back_up(made.database, made.settings, saved, made.later)
    open_database(elsewhere, upgrade=True).close()
    with pytest.raises(Refused, match="--replace"):
        restore(elsewhere, saved, made.later)
    done = restore(elsewhere, saved, made.later, replace=True)
    assert done.aside is not None
    assert (done.aside / "intact.db").exists() == made.database.is_sqlite
    with closing(open_database(elsewhere)) as database:
        assert ledger(database) == ledger(made.database)


def test_what_is_younger_than_the_backup_goes_with_the_rest(
    made: MonthOfEvidence, elsewhere: Settings, tmp_path: Path
) -> None:
    """The way back after an upgrade: tables that the backup does not know, bound to others."""
    back_up(made.database, made.settings, tmp_path / "saved", made.later)
    with closing(open_database(elsewhere, upgrade=True)) as database:
        with database.engine.begin() as connection:
            younger = "CREATE TABLE younger (device INTEGER REFERENCES device (id))"
            connection.execute(text(younger))
        restore(elsewhere, tmp_path / "saved", made.later, replace=True)
    with closing(open_database(elsewhere)) as database:
        assert not inspect(database.engine).has_table("younger")
        assert ledger(database) == ledger(made.database)


def test_what_fails_leaves_everything_as_it_was(
    made: MonthOfEvidence,
    elsewhere: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    back_up(made.database, made.settings, tmp_path / "saved", made.later)
    restore(elsewhere, tmp_path / "saved", made.later)
    with closing(open_database(elsewhere)) as database, database.write() as session:
        session.execute(text("DELETE FROM ledger"))
    files = files_in(elsewhere.archive_folder)
    present = read_manifest(tmp_path / "saved")
    monkeypatch.setattr(restoring, "read_manifest", lambda _folder: replace(present, files={}))
    (tmp_path / "saved" / NAMES[present.database]).unlink()
    with pytest.raises((ToolFailed, OSError)):
        restore(elsewhere, tmp_path / "saved", made.later, replace=True)
    assert files_in(elsewhere.archive_folder) == files
    assert not list(elsewhere.data_dir.glob("replaced-*"))
    with closing(open_database(elsewhere)) as database:
        assert ledger(database) == []


@ON_POSTGRESQL
def test_a_database_of_somebody_else_is_not_emptied(
    made: MonthOfEvidence, elsewhere: Settings, tmp_path: Path
) -> None:
    back_up(made.database, made.settings, tmp_path / "saved", made.later)
    with closing(Database(elsewhere.sqlalchemy_url)) as database:
        with database.engine.begin() as connection:
            connection.execute(text("CREATE TABLE device (theirs INTEGER)"))
        with pytest.raises(ToolFailed, match=r"stays as it was.*already exists"):
            restore(elsewhere, tmp_path / "saved", made.later)
        assert inspect(database.engine).get_table_names() == ["device"]
    assert not elsewhere.archive_folder.exists()


@ON_SQLITE
def test_the_key_is_apart_and_named(
    made: MonthOfEvidence, elsewhere: Settings, tmp_path: Path
) -> None:
    Secrets(made.settings).encrypt("password")
    saved = tmp_path / "saved"
    manifest = back_up(made.database, made.settings, saved, made.later)
    key = (made.settings.data_dir / "secret.key").read_bytes().strip()
    assert all(key not in content for content in files_in(saved).values())
    assert manifest.key is not None
    assert manifest.key not in key.decode()
    done = restore(elsewhere, saved, made.later)
    assert done.key_fits is False
    shutil.copy(made.settings.data_dir / "secret.key", elsewhere.data_dir)
    assert restore(elsewhere, saved, made.later, replace=True).key_fits is True


CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"schema": "9999"}, "restore it with"),
    ({"timezone": "Europe/Berlin"}, "set `timezone`"),
    ({"database": "postgresql"}, "set `database_url`"),
    ({"format": 2}, "format 2"),
    ({"files": 5}, "no manifest"),
]


@ON_SQLITE
def test_what_does_not_fit_says_what_to_do(
    made: MonthOfEvidence, elsewhere: Settings, tmp_path: Path
) -> None:
    saved = tmp_path / "saved"
    back_up(made.database, made.settings, saved, made.later)
    path = saved / "manifest.json"
    whole = json.loads(path.read_text())
    for change, told in CHANGES:
        path.write_text(json.dumps(whole | change))
        with pytest.raises(BadBackup, match=told):
            restore(elsewhere, saved, made.later)
    with pytest.raises(BadBackup, match="name the folder of a backup"):
        read_manifest(tmp_path)


def test_without_its_tools_postgresql_says_which(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolFailed, match="postgresql-client"):
        databases._run(["pg_dump"], {})


def test_as_from_a_shell(tmp_path: Path) -> None:
    data = tmp_path / "data"
    intact = shell(data)
    assert intact("archive", "list").returncode == 0
    made = intact("backup", str(tmp_path / "saved"))
    assert made.returncode == 0, made.stderr
    refused = intact("restore", str(tmp_path / "saved"))
    assert refused.returncode == 1
    assert "--replace" in refused.stderr
    done = intact("restore", str(tmp_path / "saved"), "--replace")
    assert done.returncode == 0, done.stderr
    assert "Restored as of" in done.stderr
    assert len(list(data.glob("replaced-*"))) == 1
