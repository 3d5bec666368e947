import pytest
from fastapi import FastAPI, HTTPException

from app.errors import BadParameter, ImportRefused, Refused, RowProblem
from app.web import problems
from tests.app.asking import Asker

ERRORS: dict[str, Exception] = {
    "parameter": BadParameter("month", "lies in the future"),
    "refused": Refused("Sealed already."),
    "import": ImportRefused("f.csv", [RowProblem(2, "port", "x", "is no port")]),
    "http": HTTPException(401, "Log in.", {"WWW-Authenticate": "Basic"}),
    "defect": RuntimeError("password=hunter2"),
}


@pytest.fixture
def client() -> Asker:
    app = FastAPI()
    problems.install(app)

    @app.get("/fail")
    def fail(which: str, number: int = 0) -> None:
        raise ERRORS[which]

    return Asker(app)


@pytest.mark.parametrize(
    ("query", "status", "title", "detail"),
    [
        ("which=parameter", 422, "Bad parameter", "month: lies in the future"),
        ("which=refused", 409, "Refused", "Sealed already."),
        ("which=import", 422, "Import refused", "f.csv: 1 mistake(s), nothing was imported."),
        ("which=http", 401, "Unauthorized", "Log in."),
        ("which=defect", 500, "Internal error", "The request failed by a defect"),
        ("which=x&number=y", 422, "Bad parameter", "number: Input should be a valid integer"),
    ],
)
def test_every_error_is_a_problem_document(
    client: Asker, query: str, status: int, title: str, detail: str
) -> None:
    answer = client.get(f"/fail?{query}")
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert (answer.status_code, document["status"], document["title"]) == (status, status, title)
    assert document["detail"].startswith(detail)
    assert document["instance"] == "/fail"
    assert "hunter2" not in answer.text


def test_names_the_parameter(client: Asker) -> None:
    assert client.get("/fail?which=parameter").json()["parameter"] == "month"
    both = client.get("/fail?number=y").json()
    assert [each["parameter"] for each in both["errors"]] == ["which", "number"]


def test_tells_the_rows_of_a_refused_import(client: Asker) -> None:
    assert client.get("/fail?which=import").json()["errors"] == [
        {"row": 2, "column": "port", "value": "x", "remedy": "is no port"}
    ]


def test_keeps_the_headers_of_an_error(client: Asker) -> None:
    assert client.get("/fail?which=http").headers["www-authenticate"] == "Basic"


def test_an_unknown_path_is_a_problem_document(client: Asker) -> None:
    answer = client.get("/nowhere")
    assert (answer.status_code, answer.json()["title"]) == (404, "Not Found")
