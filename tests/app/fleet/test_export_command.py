import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from app.config import Settings
from app.database import open_database
from app.fleet.importing import import_devices

RUN = "import typer; from app.fleet.commands import export_devices; typer.run(export_devices)"


@pytest.fixture
def data_dir(settings: Settings, tmp_path: Path) -> Path:
    register = tmp_path / "register.csv"
    register.write_text("code,name,address,station\nC1,门,10.0.0.1,S1\n", encoding="utf-8")
    database = open_database(settings)
    import_devices(
        database, settings, register, today=date(2026, 3, 10), on_touched=lambda *_: None
    )
    database.close()
    return settings.data_dir


def export(data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "INTACT_DATA_DIR": str(data_dir)}
    environment.pop("INTACT_DATABASE_URL", None)
    command = [sys.executable, "-c", RUN, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, check=False, timeout=60)


def test_writes_a_file(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    done = export(data_dir, str(folder / "devices.csv"))
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"1 devices written to" in done.stderr
    assert "C1,门" in (folder / "devices.csv").read_text(encoding="utf-8-sig")
    assert len(list(folder.iterdir())) == 1


def test_writes_to_standard_output(data_dir: Path) -> None:
    done = export(data_dir, "-", "--station", "S1", "--chinese")
    assert done.stdout.decode("utf-8-sig").startswith("设备编码,设备名称,")
    assert len(done.stdout.splitlines()) == 2


def test_a_failed_export_leaves_the_former_file(data_dir: Path, tmp_path: Path) -> None:
    target = tmp_path / "devices.csv"
    target.write_text("former")
    done = export(data_dir, str(target), "--station", "S9")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"There is no station with the code 'S9'" in done.stderr
    assert target.read_text() == "former"


def test_a_folder_that_is_missing_is_named(data_dir: Path, tmp_path: Path) -> None:
    done = export(data_dir, str(tmp_path / "nowhere" / "devices.csv"))
    assert done.returncode == 1
    assert b"cannot be written" in done.stderr
