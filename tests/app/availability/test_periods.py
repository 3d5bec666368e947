"""A month's and a day's figures from evidence, register and suspensions."""

from datetime import date
from typing import Any

import pytest

from app.availability.documents import DayRow, PeriodRow
from app.availability.periods import daily, monthly
from app.availability.selection import Filters
from app.errors import BadParameter, NotFound
from app.fleet.roster import Grouping
from app.fleet.tables import DeviceKind
from kpi.calendar import Month
from tests.app.availability.district import District

MARCH = Month(2026, 3)
DAY_S = 86_400
FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)


def seconds(row: PeriodRow) -> tuple[int, ...]:
    return tuple(
        getattr(row, f"{name}_s")
        for name in ("intact", "impaired", "offline", "unknown", "suspended", "exempted")
    )


def of_march(
    district: District, grouping: Grouping = Grouping.FLEET, **filters: Any
) -> dict[str | None, PeriodRow]:
    """Rows by group, and the total under "total", at the end of 2 March."""
    document = monthly(
        district.database,
        district.settings,
        MARCH,
        grouping,
        Filters(**filters),
        district.end_of(SECOND),
    )
    return {row.group: row for row in document.rows} | {"total": document.total}


def test_the_fleet_adds_up(district: District) -> None:
    row = of_march(district)["fleet"]
    quarter = DAY_S // 4
    assert seconds(row) == (
        2 * DAY_S + 2 * DAY_S - quarter + DAY_S // 2,
        DAY_S // 2,
        quarter,
        DAY_S + DAY_S,  # C3 on its only day, C4 on the first
        0,
        0,
    )
    assert row.devices == 4
    assert row.intact_rate == pytest.approx((4.5 - 0.25) / 5)
    assert row.online_rate == pytest.approx(4.75 / 5)
    assert row.coverage == pytest.approx(5 / 7)
    assert (row.intact_target_met, row.suspended_target_met) == (None, None)
    assert row.basis == "reachability"


def test_groups_and_those_without_one(district: District) -> None:
    rows = of_march(district, Grouping.STATION)
    assert list(rows) == ["North", "South", None, "total"]
    assert rows["North"].devices == 2
    assert seconds(rows[None]) == (DAY_S // 2, DAY_S // 2, 0, DAY_S, 0, 0)
    assert seconds(rows["total"]) == seconds(of_march(district)["fleet"])


@pytest.mark.parametrize("grouping", list(Grouping))
def test_every_grouping_has_the_same_total(district: District, grouping: Grouping) -> None:
    rows = of_march(district, grouping)
    total = rows.pop("total")
    added = [sum(column) for column in zip(*(seconds(row) for row in rows.values()), strict=True)]
    assert added == list(seconds(total))
    assert sum(row.devices for row in rows.values()) == total.devices == 4


@pytest.mark.parametrize(
    ("filters", "devices"),
    [
        ({"station": "North"}, 2),
        ({"project": "Smart"}, 2),
        ({"project": "Smart", "station": "South"}, 1),
        ({"contractor": "Alpha", "room": "S-room"}, 0),
        ({"device": "C2"}, 1),
        ({"device": "C2", "station": "South"}, 0),
        ({"kind": DeviceKind.ROOM_EQUIPMENT}, 2),
        ({"kind": DeviceKind.VEHICLE}, 0),  # probe none: no ledger
    ],
)
def test_filters(district: District, filters: dict[str, Any], devices: int) -> None:
    assert of_march(district, **filters)["total"].devices == devices


@pytest.mark.parametrize("filters", [{"station": "West"}, {"device": "C9"}, {"project": "x"}])
def test_unknown_codes(district: District, filters: dict[str, Any]) -> None:
    with pytest.raises(NotFound):
        of_march(district, **filters)


def test_nothing_asked_is_nothing_not_zero(district: District) -> None:
    row = of_march(district, kind=DeviceKind.STORAGE)["total"]
    assert (row.intact_rate, row.online_rate, row.suspended_rate, row.coverage) == (None,) * 4


def test_suspension_leaves_the_denominator(district: District) -> None:
    before = of_march(district, device="C2")["total"]
    assert before.intact_rate == pytest.approx(1.75 / 2)
    district.suspend("C2,2026-03-02,2026-03-02,works,office")
    after = of_march(district, device="C2")["total"]
    assert seconds(after) == (DAY_S, 0, 0, 0, DAY_S, 0)
    assert (after.intact_rate, after.suspended_rate) == (1.0, 0.5)
    assert (after.intact_target_met, after.suspended_target_met) == (True, False)


def test_a_contractors_past_stands(district: District) -> None:
    """C2 goes from Alpha to Beta at the start of 2 March."""
    district.register("code,contractor\nC2,Beta\n", effective=SECOND)
    rows = of_march(district, Grouping.CONTRACTOR)
    assert seconds(rows["Alpha"]) == (3 * DAY_S, 0, 0, 0, 0, 0)
    assert rows["Beta"].offline_s == DAY_S // 4
    assert (rows["Alpha"].devices, rows["Beta"].devices, rows["total"].devices) == (2, 3, 4)


def test_a_change_can_be_dated_back_afterwards(district: District) -> None:
    district.register("code,contractor\nC2,Beta\n")
    district.register("code,contractor\nC2,Beta\n", effective=SECOND)
    rows = of_march(district, Grouping.CONTRACTOR)
    assert (rows["Alpha"].devices, rows["Beta"].devices) == (2, 3)
    district.register("code,name\nC2,Yard\n", effective=FIRST)  # names no group: nothing moves
    assert of_march(district, Grouping.CONTRACTOR)["Alpha"].devices == 2


def test_a_change_today_holds_from_tomorrow(district: District) -> None:
    district.register("code,contractor\nC2,Beta\n")
    assert of_march(district, Grouping.CONTRACTOR)["Alpha"].devices == 2


def test_commissioned_later_is_in_service_later(district: District) -> None:
    district.register("code,commissioned_on\nC4,2026-03-02\n")
    assert of_march(district)["fleet"].unknown_s == DAY_S


def test_the_month_reaches_as_far_as_its_slots(district: District) -> None:
    def intact_at(text: str) -> int:
        return monthly(
            district.database,
            district.settings,
            MARCH,
            Grouping.FLEET,
            Filters(device="C1"),
            district.at(text),
        ).total.intact_s

    assert intact_at("2026-03-01 00:29:59") == 0
    assert intact_at("2026-03-01 00:30:00") == 900
    assert intact_at("2026-03-01 06:00:00") == 23 * 900


def test_time_without_a_collector_is_unknown(district: District) -> None:
    now = district.end_of(date(2026, 3, 31))
    row = monthly(
        district.database, district.settings, MARCH, Grouping.FLEET, Filters(device="C1"), now
    ).total
    assert seconds(row) == (2 * DAY_S, 0, 0, 29 * DAY_S, 0, 0)


def test_days(district: District) -> None:
    document = daily(
        district.database,
        district.settings,
        FIRST,
        date(2026, 3, 5),
        Grouping.STATION,
        Filters(),
        district.end_of(SECOND) - 900,
    )
    rows: list[DayRow] = document.rows
    assert [(row.day.day, row.group) for row in rows] == [
        (1, "North"),
        (1, None),
        (2, "North"),
        (2, "South"),
        (2, None),
    ]
    assert [row.devices for row in rows] == [2, 1, 2, 1, 1]
    assert rows[2].offline_s == DAY_S // 4
    assert document.total.devices == 4


@pytest.mark.parametrize(
    ("first", "last", "parameter"),
    [
        (SECOND, FIRST, "to"),
        (date(2027, 1, 1), date(2027, 1, 2), "from"),
        (date(2024, 1, 1), date(2026, 1, 1), "to"),
    ],
)
def test_periods_that_are_refused(
    district: District, first: date, last: date, parameter: str
) -> None:
    now = district.end_of(SECOND)
    with pytest.raises(BadParameter) as refused:
        daily(district.database, district.settings, first, last, Grouping.FLEET, Filters(), now)
    assert refused.value.parameter == parameter


def test_a_future_month_is_refused(district: District) -> None:
    with pytest.raises(BadParameter, match="future"):
        monthly(
            district.database,
            district.settings,
            Month(2026, 4),
            Grouping.FLEET,
            Filters(),
            district.end_of(SECOND),
        )
