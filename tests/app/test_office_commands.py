"""Templates and imports as a script calls them: exit codes, files, what is said."""

import json
import stat
from pathlib import Path

from openpyxl import load_workbook

from tests.app.shell import Run


def test_from_template_to_register(intact: Run, tmp_path: Path) -> None:
    file = tmp_path / "register.xlsx"
    assert intact("template", "devices", str(file)).returncode == 0
    book = load_workbook(file)
    book["设备"]["A3"], book["设备"]["B3"], book["设备"]["I3"] = "C1", "东门", "10.0.0.1"
    book["设备"]["A4"], book["设备"]["B4"] = "C2", "西门"
    book.save(file)

    refused = intact("import", "devices", str(file))
    assert refused.returncode == 1
    assert "row 4, IP地址: probe onvif needs an address" in refused.stderr

    dry = intact("import", "devices", str(file), "--skip-bad", "--dry-run")
    assert dry.returncode == 3
    assert "row 4, IP地址: probe onvif needs an address" in dry.stderr

    some = intact("import", "devices", str(file), "--skip-bad")
    assert some.returncode == 3
    assert (
        "1 inserted, 0 updated, 0 unchanged, examples (示例) left out: 1, refused: 1" in some.stdout
    )
    aside = tmp_path / "register.refused.xlsx"
    assert str(aside) in some.stderr
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600

    book = load_workbook(aside)
    book.worksheets[0]["J2"] = "10.0.0.2"
    book.save(aside)
    assert intact("import", "devices", str(aside), "--skip-bad").returncode == 0

    entries = json.loads(intact("audit-log", "list", "--format", "json").stdout)
    assert [(each["subject"], each["details"]["refused"]) for each in entries] == [
        ("register.refused.xlsx", 0),
        ("register.xlsx", 1),
    ]

    exported = tmp_path / "export.xlsx"
    assert intact("export", "devices", str(exported)).returncode == 0
    assert [row[0] for row in load_workbook(exported).worksheets[0].values] == ["code", "C1", "C2"]


def test_a_template_never_replaces_a_file(intact: Run, tmp_path: Path) -> None:
    file = tmp_path / "filled.xlsx"
    file.write_text("filled in")
    done = intact("template", "suspensions", str(file))
    assert done.returncode == 1
    assert "exists already; choose another name" in done.stderr
    assert file.read_text() == "filled in"
    assert "let its name end in .xlsx" in intact("template", "devices", "register.csv").stderr


def test_suspensions_skip_bad_rows_too(intact: Run, tmp_path: Path) -> None:
    register, file = tmp_path / "register.csv", tmp_path / "suspensions.csv"
    register.write_text("code,name,address\nC1,Gate,10.0.0.1\n")
    assert intact("import", "devices", str(register)).returncode == 0
    file.write_text(
        "device_code,from,to,reason,approved_by\n"
        "C1,2026-02-01,2026-02-03,works,Wang\nC9,2026-02-01,,works,Wang\n"
    )
    assert intact("import", "suspensions", str(file)).returncode == 1
    some = intact("import", "suspensions", str(file), "--skip-bad")
    assert (some.returncode, some.stdout) == (
        3,
        "suspensions: 1 inserted, 0 updated, 0 unchanged, refused: 1\n",
    )
    assert "C9" in (tmp_path / "suspensions.refused.csv").read_text()
