"""The outages behind a month's percentages add up to what the figures lack."""

import csv
import io
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from app.accounts.audit import Actor
from app.accounts.caller import Caller
from app.accounts.permissions import Role, permissions_of
from app.accounts.reach import Reach
from app.availability.explained import explained
from app.availability.month_outages import month_outages
from app.availability.months import MonthAsked
from app.availability.periods import monthly
from app.availability.selection import Filters, select_devices
from app.config import Settings
from app.database import Database
from app.evidence.archive.archiving import archive_closed_days
from app.evidence.ledger import mark_touched
from app.evidence.sealing.sealing import seal_month
from app.evidence.tables import Suspension
from app.fleet.roster import Grouping, device_ids_by_code
from app.fleet.touched import DeviceDays
from app.main import create_app
from app.operations.faults.tables import Fault, Incident
from app.web.listing import Listing
from kpi.calendar import local_day
from kpi.explained import Excuse
from tests.app.asking import Asker
from tests.app.evidence.month_of_evidence import (
    INTERVAL_S,
    MONTH,
    MonthOfEvidence,
    month_of_evidence,
)

OUTAGES = f"/api/v1/availability/outages?month={MONTH}"
only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def make(database: Database, tmp_path: Path) -> Any:
    settings = Settings(data_dir=tmp_path, poll_interval=INTERVAL_S)

    def made(seed: int) -> MonthOfEvidence:
        return month_of_evidence(database, settings, seed=seed)

    return made


def asker(made: MonthOfEvidence, reach: Reach | None = None) -> Asker:
    role = Role.OFFICE if reach is None else Role.STATION
    caller = Caller(role.value, permissions_of(role), role=role, reach=reach or Reach())
    return Asker(create_app(made.settings, made.database), caller)


def documents(made: MonthOfEvidence, grouping: Grouping) -> Any:
    return monthly(made.database, made.settings, MONTH, grouping, Filters(), made.later)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_they_add_up_to_what_every_figure_lacks(make: Any, seed: int) -> None:
    made = make(seed)
    archive_closed_days(made.database, made.settings, made.later)
    checked = 0
    for grouping in (Grouping.FLEET, Grouping.STATION, Grouping.PROJECT, Grouping.DEVICE):
        for row in documents(made, grouping).rows:
            if row.group is None:
                continue
            only: dict[str, Any] = {} if grouping is Grouping.FLEET else {grouping.value: row.group}
            with made.database.read() as session:
                selection = select_devices(session, Grouping.FLEET, Filters(**only))
                found = explained(session, made.settings, selection, MONTH)
            assert found.missing_s == row.impaired_s + row.offline_s
            checked += found.missing_s > 0
    assert checked > 5


@only_sqlite
def test_of_a_sealed_month_they_add_up_whatever_is_recorded_later(make: Any) -> None:
    made = make(1)
    seal_month(made.database, made.settings, MONTH, Actor("office"), made.later, forced="gaps")
    client = asker(made)
    before = client.ask("GET", f"{OUTAGES}&page_size=1000").json()
    with made.database.write() as session:
        session.execute(delete(Suspension))
        for device_id in made.device_ids:
            noted = {"reason": "late", "approved_by": "office", "recorded_at": made.later}
            session.add(Suspension(device_id=device_id, start=made.start, end=None, **noted))
            mark_touched(session, [DeviceDays(device_id, MONTH.first, MONTH.last)])
    assert made.store(share=1.0) > 0  # late samples
    assert client.ask("GET", f"{OUTAGES}&page_size=1000").json() == before
    total = documents(made, Grouping.FLEET).total
    assert before["missing_s"] == total.impaired_s + total.offline_s > 0
    asked = MonthAsked(MONTH, Grouping.FLEET, Filters())
    page = month_outages(
        made.database, made.settings, asked, None, Listing((), "seconds", True, 1, ""), made.later
    )
    longest = next(each for each in before["items"] if not each["suspended"] | each["exempted"])
    assert (page.seconds, page.lines[0].seconds) == (before["missing_s"], longest["seconds"])


@only_sqlite
def test_excused_time_is_told_and_not_missing(make: Any) -> None:
    made = make(1)
    documents(made, Grouping.FLEET)  # brings the ledger up to date
    with made.database.read() as session:
        selection = select_devices(session, Grouping.FLEET, Filters())
        found = explained(session, made.settings, selection, MONTH)
    assert {Excuse.NONE, Excuse.SUSPENDED, Excuse.EXEMPTED} == set(found.outages.excuse.tolist())
    answer = asker(made).ask("GET", f"{OUTAGES}&page_size=1000").json()
    counted = [each for each in answer["items"] if not (each["suspended"] or each["exempted"])]
    assert answer["total"] > len(counted) > 0


@only_sqlite
def test_pages_are_parts_of_one_list_and_csv_is_all_of_it(make: Any) -> None:
    made = make(2)
    client = asker(made)
    rows: list[Any] = []
    page, total = 1, 1
    while len(rows) < total:
        answer = client.ask("GET", f"{OUTAGES}&page_size=200&page={page}").json()
        rows, total, page = rows + answer["items"], answer["total"], page + 1
        assert answer["items"]
    assert [row["seconds"] for row in rows] == sorted(
        (row["seconds"] for row in rows), reverse=True
    )
    missing = sum(row["seconds"] for row in rows if not (row["suspended"] or row["exempted"]))
    assert missing == answer["missing_s"]
    text = client.ask("GET", f"{OUTAGES}&format=csv").text
    told = list(csv.DictReader(io.StringIO(text)))
    assert [(each["device"], each["from"], int(each["seconds"])) for each in told] == [
        (row["device"], row["from"], row["seconds"]) for row in rows
    ]
    beyond = client.ask("GET", f"{OUTAGES}&page=1000").json()
    assert (beyond["items"], beyond["total"]) == ([], total)


@only_sqlite
def test_the_incident_is_named(make: Any) -> None:
    made = make(1)
    client = asker(made)
    first = client.ask("GET", f"{OUTAGES}&page_size=1").json()["items"][0]
    with made.database.write() as session:
        device_id = device_ids_by_code(session)[first["device"]]
        start = int(datetime.fromisoformat(first["from"]).timestamp())
        incident = Incident(
            scope="room", code="R", name="R", onset=start, opened_at=start, devices=5, failed=5
        )
        session.add(incident)
        session.flush()
        session.add(
            Fault(
                device_id=device_id,
                day=local_day(start, made.settings.zone),
                onset=start,
                opened_at=start,
                status=20,
                worst_status=20,
                incident_id=incident.id,
            )
        )
        number = incident.id
    again = client.ask("GET", f"{OUTAGES}&page_size=1").json()["items"][0]
    assert (first["incident"], again["incident"]) == (None, number)


@only_sqlite
@pytest.mark.parametrize(
    ("query", "status"), [("month=2026-13", 422), ("month=2999-01", 422), ("page=0", 422)]
)
def test_bad_questions_are_refused(make: Any, query: str, status: int) -> None:
    path = OUTAGES if "month" not in query else OUTAGES.partition("?")[0] + "?"
    assert asker(make(1)).ask("GET", f"{path}&{query}").status_code == status


@only_sqlite
def test_a_station_sees_its_own(make: Any) -> None:
    made = make(1)
    own = documents(made, Grouping.STATION).rows[0]
    answer = asker(made, Reach(station=own.group)).ask("GET", f"{OUTAGES}&page_size=1000").json()
    assert answer["missing_s"] == own.impaired_s + own.offline_s
