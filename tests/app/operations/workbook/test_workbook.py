"""The workbook of a month: its sums, its formulas, its texts."""

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import update

from app.accounts.audit import Actor
from app.accounts.audit_queries import audit_head
from app.accounts.caller import Caller
from app.accounts.permissions import Role, permissions_of
from app.accounts.reach import Reach
from app.availability.periods import monthly
from app.availability.selection import Filters
from app.config import Settings
from app.database import Database, open_database
from app.evidence.sealing.sealing import seal_month
from app.fleet.roster import Grouping
from app.fleet.tables import Device
from app.main import create_app
from app.operations.workbook.contents import month_contents
from app.operations.workbook.sheets import AMOUNTS
from app.operations.workbook.writing import rate_formula, write_workbook
from app.web.language import Language
from kpi.policy import DEFAULT_POLICY
from tests.app.asking import Asker
from tests.app.evidence.month_of_evidence import (
    INTERVAL_S,
    MONTH,
    MonthOfEvidence,
    month_of_evidence,
)
from tests.app.shell import shell

only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PATH = f"/api/v1/availability/workbook?month={MONTH}"
SHEETS = ["汇总", "派出所", "项目", "承建·运维单位", "摄像机", "故障时段", "报停", "免考核"]


@pytest.fixture
def made(database: Database, tmp_path: Path) -> MonthOfEvidence:
    settings = Settings(data_dir=tmp_path, poll_interval=INTERVAL_S)
    return month_of_evidence(database, settings, seed=1)


def written(made: MonthOfEvidence, *, formulas: bool, language: Language = Language.CHINESE) -> Any:
    contents = month_contents(made.database, made.settings, MONTH, Filters(), made.later)
    target = io.BytesIO()
    write_workbook(target, contents, language, made.settings.zone)
    return openpyxl.load_workbook(target, data_only=not formulas)


def rows_of(sheet: Any) -> list[tuple[Any, ...]]:
    return list(sheet.iter_rows(min_row=4, values_only=True))


def summary_of(book: Any) -> dict[str, Any]:
    return {row[0]: row[1] for row in book.worksheets[0].iter_rows(values_only=True) if row[0]}


@only_sqlite
def test_every_sheet_holds_what_the_figures_are_made_of(made: MonthOfEvidence) -> None:
    book = written(made, formulas=False)
    assert book.sheetnames == SHEETS
    for grouping, name in ((Grouping.STATION, "派出所"), (Grouping.DEVICE, "摄像机")):
        document = monthly(made.database, made.settings, MONTH, grouping, Filters(), made.later)
        *rows, total = rows_of(book[name])
        assert [row[3:9] for row in rows] == [
            tuple(getattr(each, f"{name}_s") for name, _title in AMOUNTS) for each in document.rows
        ]
        assert total[3:9] == tuple(sum(row[place] for row in rows) for place in range(3, 9))
    summary = summary_of(book)
    assert {summary[key] for key in summary if "合计" in key} == {True}
    outages = rows_of(book["故障时段"])
    missing = sum(row[4] for row in outages if row[7] is None)
    assert missing == total[4] + total[5] > 0
    assert {row[7] for row in outages} == {None, "报停", "免考核"}
    assert len(rows_of(book["报停"])) > 0
    assert len(rows_of(book["免考核"])) > 0


@only_sqlite
def test_what_a_reader_would_check_is_a_formula(made: MonthOfEvidence) -> None:
    book = written(made, formulas=True, language=Language.ENGLISH)
    *rows, total = rows_of(book["Stations"])
    last = 3 + len(rows)
    assert total[3] == f"=SUM(D4:D{last})"
    assert rows[0][9].startswith('=IF((D4+E4+F4)=0,"",IF((D4)/(D4+E4+F4)<49/50,')
    summary = summary_of(book)
    assert summary["Intact rate"] == f"='Stations'!J{last + 1}"
    assert "SUMPRODUCT" in summary["Outages add up to what is missing"]


@pytest.mark.parametrize(
    ("direction", "told"),
    [
        ("at_least", '=IF(B=0,"",IF(A/B<49/50,MIN(ROUND(A/B,4),49/50-0.0001),ROUND(A/B,4)))'),
        ("at_most", '=IF(B=0,"",IF(A/B>49/50,MAX(ROUND(A/B,4),49/50+0.0001),ROUND(A/B,4)))'),
    ],
)
def test_a_miss_is_never_rounded_to_the_target(direction: Any, told: str) -> None:
    assert rate_formula("A", "B", DEFAULT_POLICY.intact_target, direction) == told
    assert rate_formula("A", "B", None, direction) == '=IF(B=0,"",ROUND(A/B,4))'


@only_sqlite
def test_seal_and_audit_head_are_printed(made: MonthOfEvidence) -> None:
    assert "封账" not in summary_of(written(made, formulas=False))
    seal = seal_month(
        made.database,
        made.settings,
        MONTH,
        Actor("office"),
        made.later,
        forced="why",
    )
    summary = summary_of(written(made, formulas=False))
    assert summary["清单 SHA-256"] == seal.sha256
    assert summary["封账"].startswith("第 1 版")
    with made.database.read() as session:
        assert summary["审计日志链头"] == audit_head(session).last_hash


@only_sqlite
def test_a_name_that_looks_like_a_formula_is_a_text(made: MonthOfEvidence) -> None:
    with made.database.write() as session:
        session.execute(update(Device).values(name='=HYPERLINK("http://127.0.0.1")'))
    cell = written(made, formulas=True)["摄像机"]["B4"]
    assert cell.data_type == "s"


@only_sqlite
def test_by_rest_with_the_callers_reach(made: MonthOfEvidence) -> None:
    station = monthly(
        made.database, made.settings, MONTH, Grouping.STATION, Filters(), made.later
    ).rows[0]
    caller = Caller(
        "s", permissions_of(Role.STATION), Reach(station=station.group), role=Role.STATION
    )
    answer = Asker(create_app(made.settings, made.database), caller).ask("GET", f"{PATH}&lang=zh")
    assert answer.status_code == 200
    assert f'filename="intact-{MONTH}.xlsx"' in answer.headers["content-disposition"]
    book = openpyxl.load_workbook(io.BytesIO(answer.content), data_only=True)
    assert "免考核" not in book.sheetnames
    *rows, total = rows_of(book["派出所"])
    assert [row[0] for row in rows] == [station.group]
    assert total[3] == station.intact_s


def test_by_command(tmp_path: Path) -> None:
    data = tmp_path / "data"
    settings = Settings(data_dir=data, poll_interval=INTERVAL_S)
    opened = open_database(settings)
    month_of_evidence(opened, settings, seed=2)
    opened.close()
    out = tmp_path / "month.xlsx"
    done = shell(data, POLL_INTERVAL=str(INTERVAL_S))(
        "workbook", "--month", str(MONTH), "--out", str(out)
    )
    assert done.returncode == 0, done.stderr
    assert openpyxl.load_workbook(out).sheetnames == SHEETS
    assert sorted(path.name for path in tmp_path.glob("month*")) == ["month.xlsx"]
