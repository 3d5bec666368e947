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


@pytest.mark.parametrize(
    ("path", "status", "heading"),
    [
        ("/nowhere", 404, "There is nothing here"),
        ("/fail?which=parameter", 422, "This cannot be done so"),
        ("/fail?which=defect", 500, "This did not work, by our fault"),
    ],
)
def test_a_browser_gets_a_page(client: Asker, path: str, status: int, heading: str) -> None:
    answer = client.get(path, accept="text/html,*/*;q=0.8", cookie="intact_lang=en")
    assert (answer.status_code, answer.headers["content-type"][:9]) == (status, "text/html")
    assert heading in answer.text
    assert "hunter2" not in answer.text


def test_the_interface_keeps_its_documents(client: Asker) -> None:
    answer = client.get("/api/v1/nowhere", accept="text/html")
    assert answer.headers["content-type"] == "application/problem+json"
