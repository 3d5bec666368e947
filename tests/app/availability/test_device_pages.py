"""What the pages of the devices say, from the evidence of a small district."""

import re
from datetime import date

import numpy as np
import pytest

from app.accounts.audit import Actor
from app.accounts.caller import Caller
from app.accounts.permissions import Role, permissions_of
from app.accounts.reach import EVERYTHING, Reach
from app.availability.device_list import DEVICE_COLUMNS, ListFilters, device_list
from app.availability.device_page import device_page
from app.availability.device_slots import last_24_hours
from app.availability.selection import Filters
from app.errors import BadParameter, NotFound
from app.evidence.exemptions.importing import import_exemptions
from app.evidence.ledger import mark_touched
from app.fleet.observed_queries import store_observed
from app.fleet.queries import read_device
from app.fleet.roster import device_ids_by_code
from app.main import create_app
from app.web.bars import strip
from app.web.listing import Listing
from kpi.status import SlotClass
from tests.app.asking import Asker
from tests.app.availability.district import District

SECOND = date(2026, 3, 2)


def listed(text: str = "", sort: str = "code") -> Listing:
    return Listing(DEVICE_COLUMNS, sort, descending=False, page=1, text=text)


def test_the_list_has_rows_states_and_strips(district: District) -> None:
    now = district.end_of(SECOND)
    page = device_list(district.database, district.settings, ListFilters(Filters()), listed(), now)
    assert [line.row.code for line in page.lines] == ["C1", "C2", "C3", "C4"]
    assert page.list.total == 4
    kinds = {
        line.row.code: {kind for kind, _ in page.hours[line.row.id].strip.paths}
        for line in page.lines
    }
    assert kinds == {
        "C1": {"intact"},
        "C2": {"intact", "offline"},
        "C3": {"unknown"},
        "C4": {"intact", "impaired"},
    }


def test_the_last_24_hours_end_at_the_newest_slot(district: District) -> None:
    now = district.at("2026-03-02 06:00:00")
    with district.database.read() as session:
        device = device_ids_by_code(session)["C2"]
        found = last_24_hours(session, district.settings, [device], now)[device]
    # until 05:45 (slots of 900 s that exist at 06:00); offline from midnight on
    classes = [SlotClass.INTACT] * 73 + [SlotClass.OFFLINE] * 23
    assert found.strip == strip(np.array(classes, dtype=np.uint8))
    assert found.seconds == [("intact", 73 * 900), ("offline", 23 * 900)]


def test_days_out_of_reach_are_blank(district: District) -> None:
    district.register(
        "code,station\nC1,South\n", effective=SECOND
    )  # since the second day it is theirs
    now = district.at("2026-03-02 06:00:00")
    page = device_list(
        district.database,
        district.settings,
        ListFilters(Filters(reach=Reach(station="South"))),
        listed(),
        now,
    )
    first = page.lines[0]
    assert first.row.code == "C1"
    assert page.hours[first.row.id].seconds == [("intact", 23 * 900)]
    assert first.month.text == "100.00 %"


def test_a_day_as_stretches_and_an_hour_as_slots(district: District) -> None:
    now = district.end_of(SECOND)

    def page(hour: int | None) -> list[tuple[str, int, str, tuple[int, int] | None]]:
        found = device_page(
            district.database, district.settings, "C2", EVERYTHING, SECOND, hour, now
        )
        return [
            (f"{each.start:%H:%M}", each.seconds, each.slot_class, each.latency_ms)
            for each in found.chosen.stretches
        ]

    assert page(None) == [
        ("00:00", 6 * 3600, "offline", (10, 10)),
        ("06:00", 18 * 3600, "intact", (10, 10)),
    ]
    assert page(5) == [
        (f"05:{minute}", 900, "offline", (10, 10)) for minute in ("00", "15", "30", "45")
    ]


def test_outages_days_and_suspensions_of_one(district: District) -> None:
    district.suspend("C2,2026-03-02T12:00:00+08:00,2026-03-02T18:00:00+08:00,works,office")
    now = district.end_of(SECOND)
    found = device_page(district.database, district.settings, "C2", EVERYTHING, None, None, now)
    assert [(row.day, row.seconds) for row in found.days[-2:]] == [
        (SECOND, [("intact", 12 * 3600), ("offline", 6 * 3600), ("suspended", 6 * 3600)]),
        (date(2026, 3, 1), [("intact", 24 * 3600)]),
    ]
    assert [(each.seconds, each.goes_on) for each in found.outages] == [(6 * 3600, False)]
    assert [(each.kind, each.reason) for each in found.excuses] == [("suspended", "works")]


def test_before_its_service_there_are_no_slots(district: District) -> None:
    now = district.end_of(SECOND)
    found = device_page(
        district.database, district.settings, "C3", EVERYTHING, date(2026, 3, 1), None, now
    )
    assert found.chosen.stretches == []
    assert [row.day for row in found.days] == [date(2026, 3, 3), SECOND]


def test_only_what_is_within_reach(district: District) -> None:
    now = district.end_of(SECOND)
    south = Reach(station="South")
    page = device_list(
        district.database, district.settings, ListFilters(Filters(reach=south)), listed(), now
    )
    assert [line.row.code for line in page.lines] == ["C3"]
    with pytest.raises(NotFound):
        device_page(district.database, district.settings, "C1", south, None, None, now)


def test_a_day_to_come_is_refused(district: District) -> None:
    with pytest.raises(BadParameter, match="future"):
        device_page(
            district.database,
            district.settings,
            "C1",
            EVERYTHING,
            date(2026, 3, 9),
            None,
            district.end_of(SECOND),
        )


@pytest.mark.parametrize(
    ("role", "status", "vendor"), [(Role.SYSTEM_ADMIN, 303, "Lingshi"), (Role.OFFICE, 403, None)]
)
def test_one_click_takes_over_what_the_device_says(
    district: District, role: Role, status: int, vendor: str | None
) -> None:
    person = Caller("li", permissions_of(role), role=role)
    client = Asker(create_app(district.settings, district.database), person)
    told = {"asked_at": 1, "outcome": 0, "detail": "", "inspected_at": 1, "vendor": "Lingshi"}
    with district.database.write() as session:
        device_id = device_ids_by_code(session)["C1"]
        store_observed(session, [{"device_id": device_id, **told}])
    assert "Lingshi" in client.get("/devices/C1").text
    assert client.ask("POST", "/devices/C1/accept-drift").status_code == status
    with district.database.read() as session:
        assert read_device(session, "C1").record.vendor == vendor


def exempt(district: District, *lines: str) -> None:
    path = district.folder / "exemptions.csv"
    path.write_text("scope,code,from,to,reason,approved_by\n" + "\n".join(lines))
    import_exemptions(
        district.database,
        district.settings,
        path,
        now=0,
        actor=Actor("office"),
        on_touched=mark_touched,
    )


def test_what_it_was_exempted_from_as_far_as_it_belonged_there(district: District) -> None:
    district.register("code,room\nC1,X-room\n", effective=SECOND)
    district.suspend("C1,2026-02-01,2026-02-02,works,office")
    exempt(
        district,
        "device,C1,2026-03-01 06:00,2026-03-03 06:00,lightning,office",
        "device,C2,2026-03-01,2026-03-02,of another,office",
        "room,N-room,2026-03-01 12:00,2026-03-02 12:00,power works,office",
        "room,S-room,2026-03-01,2026-03-02,of another room,office",
        "project,HD,2026-03-02 20:00,,upgrade,office",
    )
    now = district.at("2026-03-02 21:00:00")
    found = device_page(district.database, district.settings, "C1", EVERYTHING, None, None, now)
    assert [
        (each.kind, f"{each.start:%m-%d %H}", each.end and f"{each.end:%m-%d %H}", each.of)
        for each in found.excuses
    ] == [
        ("exempted", "03-02 20", None, ("Project", "HD")),
        ("exempted", "03-01 12", "03-02 00", ("Room", "N-room")),
        ("exempted", "03-01 06", "03-03 06", ("this device", "")),
        ("suspended", "02-01 00", "02-03 00", None),
    ]
    assert found.state.slot_class == "exempted"


def test_the_page_tells_of_changes_page_by_page(district: District) -> None:
    for number in range(25):
        district.register(f"code,tls,vendor\nC1,{'yes' if number % 2 else 'no'},V{number}\n")
    client = Asker(create_app(district.settings, district.database))
    page = client.get("/devices/C1?lang=en", accept="text/html").text
    changes = page[page.index('id="changes-title"') :]
    assert "V24" in changes
    assert "V3<" not in changes
    assert re.search(r"<del>yes</del>\s*→\s*no", changes)
    assert "1–20 of 50" in changes
    last = client.get("/devices/C1?lang=en&changes-page=3", accept="text/html").text
    assert "entered into the register" in last
    assert "V24" not in last[last.index('id="changes-title"') :]
    assert "41–50 of 50" in last
