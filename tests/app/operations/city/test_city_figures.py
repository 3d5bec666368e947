"""The city's figures: what a file of them must say, and how they stand beside ours."""

import csv
import io
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import select

from app.accounts.audit import Actor
from app.accounts.caller import Caller
from app.accounts.permissions import Role, permissions_of
from app.accounts.reach import Reach
from app.accounts.tables import AuditEntry
from app.config import Settings
from app.database import Database
from app.errors import BadParameter, ImportRefused
from app.evidence.exemptions.importing import import_exemptions
from app.evidence.ledger import mark_touched
from app.fleet.roster import device_ids_by_code
from app.main import create_app
from app.operations.city import api, pages
from app.operations.city.importing import import_city_figures
from app.operations.city.tables import CityFigure, CityFigureVersion
from app.tabular import ImportResult
from kpi.calendar import Month
from tests.app.accounts.people import signed_in
from tests.app.asking import Asker
from tests.app.availability.district import REGISTER, SLOT_S, District
from tests.app.availability.test_months import FixedClock, seen
from tests.app.shell import Run

MARCH = Month(2026, 3)
CITY = "/api/v1/availability/city?month=2026-03&lang=en"
ACTOR = Actor("office")
only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
Import = Callable[..., ImportResult]
DAY_S = 86_400


@pytest.fixture
def district(database: Database, tmp_path: Path) -> District:
    """Four cameras; on 1 and 2 March all answer but for what is said here.

    C1: 24 of 192 slots offline (87.50 %). C2: intact; suspended on the second day. C3: in service
    from the second day on, the first 6 of 96 slots without a sample. C4: intact, exempted for the
    first 12 hours.
    """
    settings = Settings(data_dir=tmp_path, poll_interval=SLOT_S)
    made = District(database, settings, tmp_path)
    made.register(REGISTER)
    for day in (date(2026, 3, 1), date(2026, 3, 2)):
        made.observe("C1", day, lambda slot: 20 if slot < 12 else 0)
        made.observe("C2", day, lambda _slot: 0)
        made.observe("C3", day, lambda slot: None if slot < 6 else 0)
        made.observe("C4", day, lambda _slot: 0)
    made.suspend("C2,2026-03-02 00:00:00,,moved,the chief")
    file = tmp_path / "exemptions.csv"
    file.write_text(
        "scope,code,from,to,reason,approved_by\n"
        "device,C4,2026-03-01 00:00,2026-03-01 12:00,works,office\n"
    )
    import_exemptions(database, settings, file, now=0, actor=ACTOR, on_touched=mark_touched)
    return made


@pytest.fixture
def take_over(district: District) -> Import:
    """Import a file of these lines as all of 2 March is known."""

    def imported(header: str, *lines: str, **options: Any) -> ImportResult:
        path = district.folder / "city.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return import_path(path, **options)

    def import_path(path: Path, month: Month = MARCH, **options: Any) -> ImportResult:
        now = district.end_of(date(2026, 3, 2))
        return import_city_figures(
            district.database, district.settings, path, month, now=now, actor=ACTOR, **options
        )

    imported.path = import_path  # type: ignore[attr-defined]
    return imported


@pytest.fixture
def asker(district: District, monkeypatch: pytest.MonkeyPatch) -> Callable[[Reach], Asker]:
    clock = FixedClock(district.end_of(date(2026, 3, 2)))
    monkeypatch.setattr(api, "time", clock)
    monkeypatch.setattr(pages, "time", clock)

    def asking(reach: Reach) -> Asker:
        role = Role.CONTRACTOR if reach.limited else Role.OFFICE
        caller = Caller(role.value, permissions_of(role), role=role, reach=reach)
        return Asker(create_app(district.settings, district.database), caller)

    return asking


def stored(database: Database) -> dict[str, tuple[int, int | None, int | None]]:
    with database.read() as session:
        names = {number: code for code, number in device_ids_by_code(session).items()}
        return {
            names[each.device_id]: (each.rate, each.assessed_s, each.intact_s)
            for each in session.scalars(select(CityFigure))
        }


@pytest.mark.parametrize(
    ("header", "lines", "facts"),
    [
        ("device_code,intact_rate", ["C1,97.41"], (974_100, None, None)),
        ("设备编码,名称,市局完好率", ["C1,Gate,97.41%"], (974_100, None, None)),
        ("设备编码,完好率（%）", ["C1,97.41％"], (974_100, None, None)),
        ("编码,完好率", ["C1,0"], (0, None, None)),
        ("编码,完好率", ["示例-1,97", "C1,100"], (1_000_000, None, None)),
        ("device_code,intact_rate", ["C1,0.5 %"], (5_000, None, None)),
        ("device_code,intact_rate", ["C1,97.41235"], (974_124, None, None)),
        (
            "device_code,intact_hours,assessed_hours",
            ["C1,558.5,744"],
            (750_672, 2_678_400, 2_010_600),
        ),
        (
            "device_code,intact_rate,intact_hours,assessed_hours",
            ["C1,75.07,558.5,744"],
            (750_672, 2_678_400, 2_010_600),
        ),
    ],
)
def test_what_a_file_may_say(
    district: District, take_over: Import, header: str, lines: list[str], facts: tuple[Any, ...]
) -> None:
    result = take_over(header, *lines)
    assert (result.inserted, result.updated, result.unchanged) == (1, 0, 0)
    assert stored(district.database) == {"C1": facts}


@only_sqlite
@pytest.mark.parametrize(
    ("header", "line", "column", "remedy"),
    [
        ("device_code,intact_rate", "C9,97", "device_code", "no device of this code"),
        ("device_code,intact_rate", ",97", "device_code", "must not be empty"),
        ("device_code,intact_rate", "C2,", "intact_rate", "write a rate in per cent, or hours"),
        ("device_code,intact_rate", "C2,101", "intact_rate", "from 0 to 100"),
        ("device_code,intact_rate", "C2,-1", "intact_rate", "from 0 to 100"),
        ("device_code,intact_rate", "C2,good", "intact_rate", "from 0 to 100"),
        ("device_code,intact_rate", "C2,0.97", "intact_rate", "such as 97.41% or 0.97%"),
        ("device_code,intact_rate", "C1,97", "device_code", "row 2 is of the same device"),
        ("device_code,intact_rate,考核时长", "C2,97,700", "intact_hours", "fill in both"),
        ("设备编码,完好率,完好时长", "C2,97,700", "assessed_hours", "fill in both"),
        ("编码,完好率,完好时长,考核时长", "C2,,1,745", "考核时长", "the month's 744"),
        ("编码,完好率,完好时长,考核时长", "C2,,many,700", "完好时长", "the month's 744"),
        ("编码,完好率,完好时长,考核时长", "C2,,0,0", "考核时长", "more than 0"),
        ("编码,完好率,完好时长,考核时长", "C2,,701,700", "完好时长", "more than assessed"),
        ("编码,完好率,完好时长,考核时长", "C2,97,350,700", "完好率", "is not intact_hours"),
    ],
)
def test_a_mistake_names_row_column_and_remedy(
    district: District, take_over: Import, header: str, line: str, column: str, remedy: str
) -> None:
    good = "C1,97" + "," * (header.count(",") - 1)
    with pytest.raises(ImportRefused) as refused:
        take_over(header, good, line)
    problem = refused.value.problems[0]
    assert refused.value.file == "city.csv"
    assert (problem.row, problem.column) == (3, column)
    assert remedy in problem.remedy
    assert stored(district.database) == {}


@only_sqlite
def test_columns_and_months_that_are_none(take_over: Any, district: District) -> None:
    with pytest.raises(ImportRefused, match="this column is missing"):
        take_over("名称,完好率", "Gate,97")
    with pytest.raises(BadParameter, match="lies in the future"):
        take_over("编码,完好率", "C1,97", month=Month(2026, 4))
    with pytest.raises(BadParameter, match="cannot be read"):
        take_over.path(district.folder / "nowhere.csv")


@only_sqlite
def test_a_workbook_with_cells_in_per_cent(take_over: Any, district: District) -> None:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in (["市局视频监控完好率通报"], ["序号", "设备编码", "完好率"], [1, "C1", 0.9741]):
        sheet.append(row)
    sheet["C3"].number_format = "0.00%"
    workbook.save(district.folder / "city.xlsx")
    assert take_over.path(district.folder / "city.xlsx").inserted == 1
    assert stored(district.database) == {"C1": (974_100, None, None)}


def test_what_was_told_before_is_kept(district: District, take_over: Import) -> None:
    header = "device_code,intact_rate"
    assert take_over(header, "C1,97", "C2,98", "C3,99", dry_run=True).inserted == 3
    assert stored(district.database) == {}
    take_over(header, "C1,97", "C2,98")
    result = take_over(header, "C1,97", "C2,98.5", "C3,99")
    assert (result.inserted, result.updated, result.unchanged) == (1, 1, 1)
    take_over(header, "C2,96")
    with district.database.read() as session:
        former = session.scalars(select(CityFigureVersion).order_by(CityFigureVersion.version))
        assert [(each.version, each.rate) for each in former] == [(1, 980_000), (2, 985_000)]
        present = {each.rate: each.version for each in session.scalars(select(CityFigure))}
        assert present == {970_000: 1, 960_000: 3, 990_000: 1}
        noted = [
            (each.actor, each.subject, each.details["updated"])
            for each in session.scalars(select(AuditEntry).order_by(AuditEntry.id))
            if each.action == "city_figures.import"
        ]
    assert noted == [("office", "2026-03 city.csv", count) for count in (0, 1, 1)]


@only_sqlite
def test_bad_rows_may_be_set_aside(district: District, take_over: Import) -> None:
    result = take_over("device_code,intact_rate", "C1,97", "C2,huge", skip_bad=True)
    assert result.set_aside is not None
    assert (result.inserted, result.set_aside.rows) == (1, 1)
    assert "huge" in (district.folder / "city.refused.csv").read_text(encoding="utf-8")
    assert stored(district.database).keys() == {"C1"}


FIGURES = ("device_code,intact_rate", "C1,90", "C2,50", "C3,93.75", "C4,100", "E1,99")


def test_rest_explains_each_camera(take_over: Import, asker: Callable[[Reach], Asker]) -> None:
    """By hand, in slots of 15 minutes: see the district."""
    assert asker(Reach()).ask("GET", CITY).json()["recorded_at"] is None
    take_over(*FIGURES)
    answer = asker(Reach()).ask("GET", CITY).json()
    assert answer["recorded_at"] == "2026-03-03T00:15:00+08:00"
    assert [
        (
            each["device"],
            each["intact_rate"],
            each["city_intact_rate"],
            each["difference_points"],
            each["missing_s"],
            each["city_missing_s"],
            each["reasons"],
        )
        for each in answer["items"]
    ] == [
        # 96 slots assessed, 96 suspended: half of both is intact
        ("C2", 1.0, 0.5, 50.0, 0, DAY_S, ["suspended_counted"]),
        # 90 of 96 slots: what we do not know they hold for missing
        ("C3", 1.0, 0.9375, 6.25, 0, 6 * SLOT_S, ["unknown_counted"]),
        # 24 of 192 slots offline; 10 % of them are 19.2 slots
        ("C1", 0.875, 0.9, -2.5, 24 * SLOT_S, 17_280, ["outages_differ"]),
        ("C4", 1.0, 1.0, 0.0, 0, 0, ["agrees"]),
    ]
    explained = {each["device"]: each for each in answer["items"]}
    assert explained["C2"]["suspended_s"] == DAY_S
    assert explained["C3"]["unknown_s"] == 6 * SLOT_S
    assert explained["C4"]["exempted_s"] == DAY_S // 2
    assert explained["C1"]["explanation"] == "the seconds of outage differ"
    assert answer["counts"] == {
        "agrees": 1, "suspended_counted": 1, "unknown_counted": 1, "outages_differ": 1,
    }  # fmt: skip


@only_sqlite
def test_one_that_only_one_of_us_knows(
    district: District, take_over: Import, asker: Callable[[Reach], Asker]
) -> None:
    district.register(
        "code,name,kind,address,port,probe,commissioned_on\n"
        "C5,Later,camera,127.9.0.5,80,onvif,2026-03-20\n"
    )
    take_over("device_code,intact_rate", "C1,87.5", "C5,99")
    answer = asker(Reach()).ask("GET", CITY).json()
    reasons = {each["device"]: each["reasons"] for each in answer["items"]}
    assert reasons == {
        "C1": ["agrees"],
        "C2": ["not_listed"],
        "C3": ["not_listed"],
        "C4": ["not_listed"],
        "C5": ["not_in_service"],
    }
    of_one = asker(Reach()).ask("GET", f"{CITY}&device=C1").json()
    assert [each["device"] for each in of_one["items"]] == ["C1"]


@only_sqlite
def test_pages_parts_and_csv(take_over: Import, asker: Callable[[Reach], Asker]) -> None:
    take_over(*FIGURES)
    client = asker(Reach())
    second = client.ask("GET", f"{CITY}&page=2&page_size=3").json()
    assert [each["device"] for each in second["items"]] == ["C4"]
    assert second["total"] == 4
    chosen = client.ask("GET", f"{CITY}&reason=unknown_counted").json()
    assert [each["device"] for each in chosen["items"]] == ["C3"]
    assert chosen["counts"]["agrees"] == 1
    rows = list(csv.DictReader(io.StringIO(client.ask("GET", f"{CITY}&format=csv").text)))
    assert [row["device"] for row in rows] == ["C2", "C3", "C1", "C4"]
    assert rows[2]["difference_points"] == "-2.5"
    assert rows[0]["explanation"] == "suspended here, counted by the city"
    assert client.ask("GET", f"{CITY}&station=West").status_code == 404
    assert client.ask("GET", CITY.replace("2026-03", "2026-04")).status_code == 422


@only_sqlite
def test_one_sees_ones_own_alone(
    district: District, take_over: Import, asker: Callable[[Reach], Asker]
) -> None:
    """C1 changed hands on the second day, from Alpha to Beta."""
    district.register(
        REGISTER.replace("N-room,Alpha,127.9.0.1", "N-room,Beta,127.9.0.1"),
        effective=date(2026, 3, 2),
    )
    take_over(*FIGURES)
    found = {
        name: {
            each["device"]: each["reasons"]
            for each in asker(Reach(contractor=name)).ask("GET", CITY).json()["items"]
        }
        for name in ("Alpha", "Beta")
    }
    assert found == {
        "Alpha": {"C1": ["part_of_month"], "C2": ["suspended_counted"]},
        "Beta": {"C1": ["part_of_month"], "C3": ["unknown_counted"], "C4": ["agrees"]},
    }
    beta = asker(Reach(contractor="Beta"))
    page = seen(beta, "/months/city?month=2026-03")
    assert "Lane" in page
    assert "Yard" not in page


def test_page(take_over: Import, asker: Callable[[Reach], Asker]) -> None:
    client = asker(Reach())
    empty = seen(client, "/months/city?month=2026-03")
    assert "intact import city-figures FILE --month 2026-03" in empty
    take_over(*FIGURES)
    page = seen(client, "/months/city?month=2026-03")
    assert "Overview Months 2026-03 City&#39;s figures" in page
    assert re.search(
        r"Yard 100.00 % 50.00 % \+50.00 0 s 1 d 0 h 1 d 0 h – – "
        r"suspended here, counted by the city "
        r"Lane 100.00 % 93.75 % \+6.25 0 s 1 h 30 min – – 1 h 30 min",
        page,
    )
    by_name = seen(client, "/months/city?month=2026-03&sort=device").split("Likely reason")[-1]
    assert re.findall("Gate|Lane|Roof|Yard", by_name) == ["Gate", "Lane", "Roof", "Yard"]
    gate = seen(client, "/months/city?month=2026-03&q=gate")
    assert "−2.50" in gate
    assert "1–1 of 1" in gate
    chosen = seen(client, "/months/city?month=2026-03&reason=agrees").split("Likely reason")[-1]
    assert re.findall("Gate|Lane|Roof|Yard", chosen) == ["Roof"]
    seen(client, "/months/city?sort=reason", 422)


@only_sqlite
@pytest.mark.parametrize(("role", "is_led_there"), [(Role.OFFICE, True), (Role.WALL, False)])
def test_months_lead_whoever_may_read_it(
    settings: Settings, database: Database, role: Role, is_led_there: bool
) -> None:
    person = signed_in(create_app(settings, database), database, role)
    page = person.get("/months").text
    assert ('<a href="/months/city?month=' in page) is is_led_there


def test_as_from_a_shell(intact: Run, tmp_path: Path) -> None:
    (tmp_path / "register.csv").write_text(REGISTER, encoding="utf-8")
    assert intact("import", "devices", str(tmp_path / "register.csv")).returncode == 0
    file = tmp_path / "city.csv"
    file.write_text("device_code,intact_rate\nC1,97\nC8,97\n", encoding="utf-8")
    refused = intact("import", "city-figures", str(file), "--month", "2026-03")
    assert refused.returncode == 1
    assert "row 3, device_code 'C8': the register has no device" in refused.stderr
    file.write_text("device_code,intact_rate\nC1,97\n", encoding="utf-8")
    done = intact("import", "city-figures", str(file), "--month", "2026-03")
    assert done.stdout == "city figures: 1 inserted, 0 updated, 0 unchanged\n"
