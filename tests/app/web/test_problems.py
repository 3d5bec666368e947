import asyncio

import httpx
import pytest
from fastapi import FastAPI, HTTPException

from app.errors import BadParameter, ImportRefused, Refused, RowProblem
from app.web import problems

ERRORS: dict[str, Exception] = {
    "parameter": BadParameter("month", "lies in the future"),
    "refused": Refused("Sealed already."),
    "import": ImportRefused("f.csv", [RowProblem(2, "port", "x", "is no port")]),
    "http": HTTPException(401, "Log in.", {"WWW-Authenticate": "Basic"}),
    "defect": RuntimeError("password=hunter2"),
}


class Client:
    """Asks the application itself, without a server."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def get(self, path: str) -> httpx.Response:
        return asyncio.run(self._get(path))

    async def _get(self, path: str) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://intact") as client:
            return await client.get(path)


@pytest.fixture
def client() -> Client:
    app = FastAPI()
    problems.install(app)

    @app.get("/fail")
    def fail(which: str, number: int = 0) -> None:
        raise ERRORS[which]

    return Client(app)


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
    client: Client, query: str, status: int, title: str, detail: str
) -> None:
    answer = client.get(f"/fail?{query}")
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert (answer.status_code, document["status"], document["title"]) == (status, status, title)
    assert document["detail"].startswith(detail)
    assert document["instance"] == "/fail"
    assert "hunter2" not in answer.text


def test_names_the_parameter(client: Client) -> None:
    assert client.get("/fail?which=parameter").json()["parameter"] == "month"
    both = client.get("/fail?number=y").json()
    assert [each["parameter"] for each in both["errors"]] == ["which", "number"]


def test_tells_the_rows_of_a_refused_import(client: Client) -> None:
    assert client.get("/fail?which=import").json()["errors"] == [
        {"row": 2, "column": "port", "value": "x", "remedy": "is no port"}
    ]


def test_keeps_the_headers_of_an_error(client: Client) -> None:
    assert client.get("/fail?which=http").headers["www-authenticate"] == "Basic"


def test_an_unknown_path_is_a_problem_document(client: Client) -> None:
    answer = client.get("/nowhere")
    assert (answer.status_code, answer.json()["title"]) == (404, "Not Found")
