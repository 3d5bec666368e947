"""The page of a month, and its exports, against the REST interface."""

import csv
import io
import re
from datetime import UTC, date, datetime
from typing import Any

import openpyxl
import pytest

from app.accounts.caller import Caller
from app.accounts.permissions import Role, permissions_of
from app.accounts.reach import Reach
from app.availability import api, month_pages
from app.availability.figures import SCALES, Verdict, coverage, figure
from app.availability.month_export import HOURS, month_report
from app.availability.months import (
    MONTH_COLUMNS,
    MONTHS_OFFERED,
    MonthAsked,
    MonthFigures,
    MonthLine,
    Reached,
    before,
    months_offered,
    reached,
)
from app.availability.selection import Filters
from app.config import Settings
from app.database import Database
from app.fleet.roster import Grouping
from app.main import create_app
from app.tabular.report import write_report
from app.web.language import Language
from app.web.listing import Listing
from app.web.requests import WORKBOOK
from kpi.calendar import Month
from kpi.rates import Amounts
from tests.app.asking import Asker
from tests.app.availability.district import District

MARCH = Month(2026, 3)
RATES = ("intact_rate", "online_rate", "suspended_rate", "coverage")
MET = {True: "met", False: "missed", None: "evidence insufficient"}
WRITTEN = datetime(2026, 4, 1, 8, 0, tzinfo=UTC)
only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class FixedClock:
    """In place of the module `time`: it is always now."""

    def __init__(self, now: int) -> None:
        self._now = now

    def time(self) -> float:
        return self._now


@pytest.fixture
def asker(district: District, client: Asker, monkeypatch: pytest.MonkeyPatch) -> Asker:
    """Somebody of the office, as all of 2 March is known; South's only camera was never seen."""
    clock = FixedClock(district.end_of(date(2026, 3, 2)))
    for module in (api, month_pages):
        monkeypatch.setattr(module, "time", clock)
    return client


def seen(asker: Asker, path: str, status: int = 200) -> str:
    """A page in words."""
    answer = asker.get(path, cookie="intact_lang=en", accept="text/html")
    assert answer.status_code == status
    body = answer.text.split("</head>")[1]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def documented(asker: Asker, query: str) -> dict[str, Any]:
    found: dict[str, Any] = asker.get(f"/api/v1/availability/monthly?month=2026-03&{query}").json()
    return found


def sheet_of(asker: Asker, query: str) -> Any:
    answer = asker.get(f"/months.xlsx?{query}", cookie="intact_lang=en")
    assert answer.headers["content-type"] == WORKBOOK
    (sheet,) = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets
    return sheet


# The page


def test_a_month_by_station(asker: Asker) -> None:
    page = seen(asker, "/months?month=2026-03")
    assert "until 2026-03-03 00:00" in page
    rows = page.split("Basis", 2)[2]
    assert "none of these 1 50.00 % Outages evidence insufficient 100.00 %" in rows
    assert "North 2 93.75 % Outages missed 93.75 % Outages 0.00 % met 100.00 %" in rows
    assert "South 1 – no evidence – 0.00 % no evidence 0.00 %" in rows
    assert "Total 4" in rows


def test_the_present_month_is_the_default(asker: Asker) -> None:
    assert "Availability 2026-03" in seen(asker, "/months")


def test_a_month_that_is_over_says_nothing_of_so_far(asker: Asker) -> None:
    assert "so far" in seen(asker, "/months?month=2026-03")
    assert "so far" not in seen(asker, "/months?month=2026-02")
    assert "Nothing of this kind was in service" in seen(asker, "/months?month=0001-01")


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("intact", ["none of these", "North", "South"]),
        ("-intact", ["North", "none of these", "South"]),
        ("name", ["North", "South", "none of these"]),
        ("-name", ["South", "North", "none of these"]),
        ("-devices", ["North", "South", "none of these"]),
        ("intact_target", ["North", "none of these", "South"]),
        ("suspended_target", ["none of these", "South", "North"]),
        ("coverage", ["South", "none of these", "North"]),
    ],
)
@only_sqlite
def test_rows_are_sorted(asker: Asker, order: str, names: list[str]) -> None:
    page = asker.get(f"/months?month=2026-03&sort={order}", cookie="intact_lang=en").text
    found = re.findall(r'<th scope="row">(?:<a[^>]+>)?([^<]+)', page.split("<tbody>")[1])
    assert found == [*names, "Total"]


@only_sqlite
def test_every_column_sorts(asker: Asker) -> None:
    for column in MONTH_COLUMNS:
        assert asker.get(f"/months?month=2026-03&sort=-{column.key}").status_code == 200


@only_sqlite
@pytest.mark.parametrize("by", ["station", "room", "project", "contractor", "fleet"])
def test_the_page_says_what_rest_says(asker: Asker, by: str) -> None:
    document = documented(asker, f"group_by={by}")
    page = seen(asker, f"/months?month=2026-03&by={by}")
    for row in [*document["rows"], document["total"]]:
        for rate in RATES:
            if row[rate] is not None:
                assert f"{row[rate]:.2%}".replace("%", " %") in page


@only_sqlite
@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/months?month=2026-13", 422, "month"),
        ("/months?month=2026-04", 422, "lies in the future"),
        ("/months?by=colour", 422, "by"),
        ("/months?kind=bicycle", 422, "kind"),
        ("/months?sort=secret", 422, "no column"),
        ("/months.csv?month=9999-12", 422, "lies in the future"),
        ("/months.xlsx?month=x", 422, "month"),
    ],
)
def test_what_cannot_be_shown(asker: Asker, path: str, status: int, text: str) -> None:
    assert text in seen(asker, path, status)


# How far it has come, what is offered


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-02-20T12:00:00", "2026-03-01 00:00"),  # not begun
        ("2026-03-01T00:20:00", "2026-03-01 00:00"),
        ("2026-03-16T12:20:00", "2026-03-16 12:00"),
        ("2026-04-01T00:14:59", "2026-03-31 23:45"),  # its last slot does not exist yet
        ("2026-04-01T00:15:00", None),
        ("2027-01-01T00:00:00", None),
    ],
)
def test_how_far_a_month_has_come(settings: Settings, now: str, until: str | None) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=settings.zone)
    found = reached(settings, MARCH, int(at.timestamp()))
    assert (found.until.strftime("%Y-%m-%d %H:%M") if found.until else None) == until
    assert found.is_over is (until is None)


@only_sqlite
def test_months_offered(district: District, settings: Settings) -> None:
    def offered(now: str, chosen: Month) -> list[str]:
        at = district.at(now)
        return [str(month) for month in months_offered(district.database, settings, chosen, at)]

    assert offered("2026-05-02", MARCH) == ["2026-05", "2026-04", "2026-03"]
    assert offered("2026-03-02", Month(2025, 1)) == ["2026-03", "2025-01"]
    assert len(offered("2036-03-02", MARCH)) == MONTHS_OFFERED + 1
    assert before(Month(2026, 1)) == Month(2025, 12)


@only_sqlite
def test_an_empty_register_has_a_month_too(database: Database, client: Asker) -> None:
    assert "Nothing is found" in seen(client, "/months")


# Exports


@pytest.mark.parametrize("by", ["station", "contractor", "fleet"])
@pytest.mark.parametrize("kind", ["camera", "room_equipment"])
def test_the_workbook_says_what_rest_says(asker: Asker, by: str, kind: str) -> None:
    document = documented(asker, f"group_by={by}&kind={kind}")
    rows = {row["name"] or "none of these": row for row in document["rows"]}
    rows = ({} if by == "fleet" else rows) | {"Total": document["total"]}
    sheet = sheet_of(asker, f"month=2026-03&by={by}&kind={kind}")
    table = list(sheet.iter_rows(min_row=9))
    assert {row[1].value for row in table} == set(rows)
    for cells in table:
        _is_row(cells, rows[cells[1].value])


def _is_row(cells: Any, row: dict[str, Any]) -> None:
    assert cells[2].value == row["devices"]
    for cell, rate in zip((cells[3], cells[5], cells[6], cells[8]), RATES, strict=True):
        assert cell.number_format == "0.00%"
        assert cell.value == (None if row[rate] is None else pytest.approx(row[rate], abs=5e-5))
    assert cells[4].value in (MET[row["intact_target_met"]], "no evidence")
    assert cells[7].value in (MET[row["suspended_target_met"]], "no evidence")
    assert cells[9].value == row["basis"]
    seconds = [row[f"{name}_s"] for name, _title in HOURS]
    assert [round(cell.value * 3600) for cell in cells[10:]] == seconds
    assert {cell.data_type for cell in cells[10:]} == {"n"}


@only_sqlite
def test_the_workbook_is_ready_for_print(asker: Asker) -> None:
    sheet = sheet_of(asker, "month=2026-03&by=station")
    assert sheet.title == "2026-03"
    assert sheet["A1"].value == "Availability 2026-03 (so far) · Cameras · Station"
    assert {row[0].value: row[1].value for row in sheet["A2:B6"]} == {
        "Calendar month": "2026-03",
        "State": "not over: so far, until 2026-03-03 00:00",
        "Time zone": "Asia/Shanghai",
        "Policy": "default-1",
        "Written": "2026-03-03 00:15",
    }
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)
    assert sheet.sheet_properties.pageSetUpPr.fitToPage is True
    assert (sheet.print_title_rows, sheet.freeze_panes) == ("$8:$8", "C9")


@only_sqlite
def test_csv_has_the_same_rows_and_says_of_when(asker: Asker) -> None:
    answer = asker.get("/months.csv?month=2026-03&by=station&sort=name", cookie="intact_lang=en")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="months-2026-03-station-camera.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["Station"] for row in rows] == ["North", "South", "none of these", "Total"]
    assert [row["Intact rate"] for row in rows] == ["93.75%", "", "50.00%", "85.00%"]
    assert [row["Intact target ≥ 98%"] for row in rows][:2] == ["missed", "no evidence"]
    assert rows[0]["Offline (h)"] == "6.0"
    assert {row["State"] for row in rows} == {"not over: so far, until 2026-03-03 00:00"}


@only_sqlite
def test_exports_speak_chinese(asker: Asker) -> None:
    text = asker.get("/months.csv?month=2026-03&lang=zh").content.decode("utf-8-sig")
    assert text.startswith("编码,派出所,考核设备数,完好率,完好率目标 ≥ 98%,在线率,报停率")
    assert "未达标" in text
    assert "证据不足" in text


@only_sqlite
def test_names_are_harmless(district: District, asker: Asker) -> None:
    district.register(
        "code,name,kind,station,address,port,probe,commissioned_on\n"
        "'=1+2,X,camera,'=cmd(),127.9.0.9,80,onvif,2026-03-01\n"
    )
    assert "'=cmd()" in asker.get("/months.csv?month=2026-03").content.decode("utf-8-sig")
    names = [row[1] for row in sheet_of(asker, "month=2026-03").iter_rows(min_row=9)]
    (cell,) = (name for name in names if name.value == "=cmd()")
    assert cell.data_type == "s"


@pytest.mark.parametrize(
    ("amounts", "intact", "suspended", "verdicts"),
    [
        (Amounts(97_999, 0, 2_001), 0.9799, 0.0, (Verdict.MISSED, Verdict.MET)),
        (Amounts(98_000, 0, 2_000), 0.98, 0.0, (Verdict.MET, Verdict.MET)),
        (Amounts(96_999, 0, 0, 0, 3_001), 1.0, 0.0301, (Verdict.MET, Verdict.MISSED)),
        (Amounts(94, unknown=6), 1.0, 0.0, (Verdict.INSUFFICIENT, Verdict.INSUFFICIENT)),
        (Amounts(exempted=60), None, 0.0, (Verdict.NOTHING, Verdict.MET)),
    ],
)
def test_a_miss_is_never_written_as_the_target(
    amounts: Amounts, intact: float | None, suspended: float, verdicts: tuple[Verdict, Verdict]
) -> None:
    """What the format 0.00 % shows is the number itself, so comparing cells gives the verdict."""
    target = io.BytesIO()
    report = month_report(_of(amounts), Language.ENGLISH, "Cameras", WRITTEN)
    write_report(target, report, as_workbook=True)
    target.seek(0)
    (row,) = openpyxl.load_workbook(target).worksheets[0].iter_rows(min_row=9)
    assert (row[3].value, row[6].value) == (intact, suspended)
    assert (row[4].value, row[7].value) == tuple(verdict.value for verdict in verdicts)
    csv_target = io.BytesIO()
    write_report(csv_target, report, as_workbook=False)
    shown = list(csv.reader(io.StringIO(csv_target.getvalue().decode("utf-8-sig"))))[1]
    assert shown[3] == ("" if intact is None else f"{intact:.2%}")
    assert shown[17] == "complete"


def _of(amounts: Amounts) -> MonthFigures:
    intact, online, suspended = (figure(key, amounts) for key in SCALES)
    total = MonthLine(
        "fleet", "fleet", 1, amounts, intact, online, suspended, coverage(amounts), "video"
    )
    asked = MonthAsked(MARCH, Grouping.FLEET, Filters())
    list_ = Listing(MONTH_COLUMNS, "intact", descending=False, page=1, text="")
    over, zone = Reached(MARCH, None), "Asia/Shanghai"
    return MonthFigures(asked, over, zone, "default-1", None, [], total, list_)


# Who sees what

LIMITS = [
    (Role.STATION, Reach(station="North"), "station=North", ("South", "none of these", "Lane")),
    (Role.CONTRACTOR, Reach(contractor="Beta"), "contractor=Beta", ("North", "Alpha", "Yard")),
]


@pytest.mark.parametrize(("role", "reach", "same_as", "foreign"), LIMITS)
def test_one_sees_ones_own_alone(
    asker: Asker,
    district: District,
    settings: Settings,
    role: Role,
    reach: Reach,
    same_as: str,
    foreign: tuple[str, ...],
) -> None:
    caller = Caller("they", permissions_of(role), role=role, reach=reach)
    theirs = Asker(create_app(settings, district.database), caller)
    for by in ("station", "contractor", "project", "room", "fleet"):
        document = documented(asker, f"group_by={by}&{same_as}")
        query = f"month=2026-03&by={by}"
        (*rows, total) = list(sheet_of(theirs, query).iter_rows(min_row=9))
        _is_row(total, document["total"])
        expected = [] if by == "fleet" else [row["name"] for row in document["rows"]]
        assert {row[1].value for row in rows} == {name or "none of these" for name in expected}
        for path in ("/months", "/months.csv", "/months/outages", "/months/suspensions"):
            text = theirs.get(f"{path}?{query}", cookie="intact_lang=en").text
            allowed = {"none of these"} if None in expected else set()
            assert [word for word in foreign if word in text and word not in allowed] == []


@only_sqlite
@pytest.mark.parametrize("role", Role)
def test_who_may_read(district: District, settings: Settings, role: Role) -> None:
    caller = Caller("they", permissions_of(role), role=role)
    theirs = Asker(create_app(settings, district.database), caller)
    may = role not in (Role.SECURITY_ADMIN, Role.AUDITOR)
    pages = ("/months", "/months/outages", "/months/suspensions")
    for path in (*pages, "/months.csv", "/months.xlsx"):
        assert theirs.get(path).status_code == (200 if may else 403)
