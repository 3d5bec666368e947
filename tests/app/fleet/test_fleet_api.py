import pytest
from fastapi import FastAPI

from app.fleet.api import router
from app.web import problems
from tests.app.asking import Asker
from tests.app.fleet.imported import Register

REGISTER = """\
code,name,kind,address,station,room,project,contractor,probe,username,password
C1,East gate,camera,10.0.0.1,S1,R1,P1,A,onvif,admin,hunter2
C2,West_gate,camera,10.0.0.2,S1,R2,P1,B,ping,,
E1,Switch 50%,room_equipment,10.0.1.1,S2,R2,,A,ping,,
V/1,Van,vehicle,,,,,,,,
"""


@pytest.fixture
def client(register: Register) -> Asker:
    register.load(REGISTER)
    app = FastAPI()
    problems.install(app)
    app.include_router(router)
    app.state.database = register.database
    app.state.settings = register.settings
    return Asker(app)


def codes(client: Asker, query: str) -> list[str]:
    answer = client.get(f"/devices?{query}")
    assert answer.status_code == 200
    assert answer.json()["total"] == len(answer.json()["items"])
    return [item["code"] for item in answer.json()["items"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["C1", "C2", "E1", "V/1"]),
        ("station=S1", ["C1", "C2"]),
        ("room=R2", ["C2", "E1"]),
        ("project=P1&contractor=A", ["C1"]),
        ("kind=room_equipment", ["E1"]),
        ("probe=ping", ["C2", "E1"]),
        ("q=GATE", ["C1", "C2"]),
        ("q=c2", ["C2"]),
        ("q=10.0.1", ["E1"]),
        ("q=%25", ["E1"]),
        ("q=_", ["C2"]),
        ("q=nothing", []),
    ],
)
def test_selects_devices(client: Asker, query: str, expected: list[str]) -> None:
    assert codes(client, query) == expected


def test_pages(client: Asker) -> None:
    answer = client.get("/devices?page=2&page_size=3").json()
    assert (answer["total"], answer["page"], answer["page_size"]) == (4, 2, 3)
    assert [item["code"] for item in answer["items"]] == ["V/1"]
    assert client.get("/devices?page=1000000&page_size=500").json()["items"] == []


def test_never_tells_a_password(client: Asker) -> None:
    for path in ("/devices", "/devices/C1"):
        text = client.get(path).text
        assert "hunter2" not in text
        assert "password_encrypted" not in text
    assert [item["has_password"] for item in client.get("/devices").json()["items"]] == [
        True, False, False, False,
    ]  # fmt: skip


def test_shows_a_device_with_its_assignments(client: Asker, register: Register) -> None:
    register.load("code,contractor\nC1,B\n")
    device = client.get("/devices/C1").json()
    assert (device["contractor"], device["port"], device["registered_on"]) == (
        "B",
        80,
        "2026-03-10",
    )
    assert [
        (each["from_day"], each["to_day"], each["contractor"], each["station"])
        for each in device["assignments"]
    ] == [(None, "2026-03-11", "A", "S1"), ("2026-03-11", None, "B", "S1")]
    assert client.get("/devices").json()["items"][0]["contractor"] == "B"


def test_a_code_may_hold_a_slash(client: Asker) -> None:
    assert client.get("/devices/V%2F1").json()["name"] == "Van"


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/devices/C9", "There is no device with the code 'C9'."),
        ("/devices?station=S9", "There is no station with the code 'S9'."),
        ("/devices?room=R9", "There is no room with the code 'R9'."),
        ("/devices?project=P9", "There is no project with the code 'P9'."),
        ("/devices?contractor=Z", "There is no contractor with the code 'Z'."),
    ],
)
def test_unknown_codes_are_404(client: Asker, path: str, detail: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not found",
        "status": 404,
        "detail": detail,
        "instance": path.split("?")[0],
    }


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("page=0", "page"),
        ("page=1000001", "page"),
        ("page_size=501", "page_size"),
        ("kind=lamp", "kind"),
        ("probe=http", "probe"),
        ("q=%00", "q"),
        ("station=%00", "station"),
        (f"room={'x' * 65}", "room"),
    ],
)
def test_bad_parameters_are_422_by_name(client: Asker, query: str, parameter: str) -> None:
    answer = client.get(f"/devices?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["parameter"] == parameter


def test_the_openapi_document_names_problem_documents(client: Asker) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) == {"/devices", "/devices/{code}"}
    for path in paths.values():
        assert list(path["get"]["responses"]["422"]["content"]) == ["application/problem+json"]
