"""Faults and incidents by REST and on pages: chosen, paged, and no more than one may see."""

import csv
import io
from pathlib import Path

import pytest

from app.accounts.caller import Caller
from app.accounts.permissions import Role, permissions_of
from app.accounts.reach import Reach
from app.config import Settings
from app.database import Database
from app.main import create_app
from tests.app.asking import Asker
from tests.app.operations.faults.test_keeping import District


@pytest.fixture
def district(database: Database, tmp_path: Path) -> District:
    """Room R1 of C1 fails as a whole; one of two cameras of R2 of C2 fails and recovers."""
    made = District(database, Settings(data_dir=tmp_path))
    first = made.register("R1", 6, contractor="C1", power="P1")
    second = made.register("R2", 2, contractor="C2", power="P2")
    for slot in range(12):
        down = [*(first if slot >= 6 else []), *(second[:1] if slot < 4 else [])]
        made.sweep(slot, down)
    return made


def asker(district: District, role: Role, reach: Reach) -> Asker:
    caller = Caller(role.value, permissions_of(role), role=role, reach=reach)
    return Asker(create_app(district.settings, district.database), caller)


@pytest.fixture
def office(district: District) -> Asker:
    return asker(district, Role.OFFICE, Reach())


def test_faults_are_chosen_and_paged(office: Asker) -> None:
    page = office.get("/api/v1/faults?state=open&page_size=4").json()
    assert (page["total"], len(page["items"])) == (6, 4)
    assert {item["reason"] for item in page["items"]} == {None}
    (over,) = office.get("/api/v1/faults?state=closed").json()["items"]
    assert (over["device"], over["reason"], over["status"]) == ("R2-0", "recovered", "TIMEOUT")
    assert (over["onset"], over["ended_at"]) == (
        "2026-03-02T00:00:00+08:00",
        "2026-03-02T00:04:00+08:00",
    )
    assert office.get("/api/v1/faults?room=R1").json()["total"] == 6
    assert office.get("/api/v1/faults?device=R2-0").json()["total"] == 1
    assert office.get("/api/v1/faults?room=none").status_code == 404


def test_one_fault_tells_its_steps_and_its_incident(office: Asker) -> None:
    listed = office.get("/api/v1/faults?state=open").json()["items"][0]
    fault = office.get(f"/api/v1/faults/{listed['id']}").json()
    assert fault["steps"] == [{"at": "2026-03-02T00:06:00+08:00", "status": "TIMEOUT"}]
    incident = office.get(f"/api/v1/incidents/{fault['incident']}").json()
    assert (incident["scope"], incident["code"]) == ("room", "R1")
    assert (incident["devices"], incident["failed"], incident["failing"]) == (6, 6, 6)
    assert {each["id"] for each in incident["faults"]} == {
        each["id"] for each in office.get("/api/v1/faults?state=open").json()["items"]
    }
    assert office.get("/api/v1/faults/999999").status_code == 404
    assert office.get("/api/v1/incidents/999999").status_code == 404


@pytest.mark.parametrize(("contractor", "faults", "incidents"), [("C1", 6, 1), ("C2", 1, 0)])
def test_a_contractor_sees_what_is_theirs(
    district: District, office: Asker, contractor: str, faults: int, incidents: int
) -> None:
    theirs = asker(district, Role.CONTRACTOR, Reach(contractor=contractor))
    assert theirs.get("/api/v1/faults").json()["total"] == faults
    assert theirs.get("/api/v1/incidents").json()["total"] == incidents
    for name, seen in (("faults", faults), ("incidents", incidents)):
        every = [each["id"] for each in office.get(f"/api/v1/{name}").json()["items"]]
        answers = [theirs.get(f"/api/v1/{name}/{each}").status_code for each in every]
        assert answers.count(200) == seen
        pages = [theirs.get(f"/{name}/{each}").status_code for each in every]
        assert pages == answers
    rows = list(csv.DictReader(io.StringIO(theirs.get("/faults.csv?state=all").text)))
    assert len(rows) == faults


def test_the_list_shows_sorts_and_exports(office: Asker) -> None:
    text = office.get("/faults?state=all&sort=device", **{"Accept-Language": "en"}).text
    assert "7 faults" in text
    own = office.get("/faults?state=all&own=true", **{"Accept-Language": "en"}).text
    assert "1 faults" in own
    assert office.get("/faults?sort=nothing").status_code == 422
    rows = list(
        csv.DictReader(
            io.StringIO(office.get("/faults.csv?state=closed").content.decode("utf-8-sig"))
        )
    )
    assert [row["device"] for row in rows] == ["R2-0"]


def test_pages_in_both_languages(office: Asker) -> None:
    incident = office.get("/api/v1/incidents").json()["items"][0]["id"]
    fault = office.get("/api/v1/faults?state=closed").json()["items"][0]["id"]
    for path, words in (
        (f"/incidents/{incident}", ("Cameras under it", "受影响的摄像机")),
        (f"/faults/{fault}", ("Every status on the way", "期间的每个状态")),
        ("/incidents", ("Fail still", "仍异常")),
    ):
        for language, word in zip(("en", "zh"), words, strict=True):
            assert word in office.get(path, **{"Accept-Language": language}).text
    assert "R1-0" in office.get(f"/incidents/{incident}").text
    overview = office.get("/", **{"Accept-Language": "en"}).text
    assert "Incident: Room R1 机房" in overview
    assert overview.index("Incident: Room") < overview.index("rate-")
