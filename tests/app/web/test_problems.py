from collections.abc import AsyncIterator
from http import HTTPStatus

import httpx
import pytest
from fastapi import FastAPI, HTTPException, Request

from app.errors import BadParameter, ImportRefused, Refused, RowProblem
from app.web import problems
from app.web.too_large import ExplainingApplication
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


@pytest.mark.parametrize("chunked", [False, True])
def test_what_is_too_large_is_told_with_the_limit(chunked: bool) -> None:
    app = ExplainingApplication(max_body_size=1024)
    problems.install(app)

    @app.post("/larger", max_body_size=2 << 20)
    @app.post("/small")
    async def take(request: Request) -> int:
        return len(await request.body())

    def send(path: str, size: int, accept: str = "*/*") -> httpx.Response:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(size // 1024):
                yield bytes(1024)

        content = pieces() if chunked else bytes(size)
        return Asker(app).ask("POST", path, content=content, headers={"accept": accept})

    assert send("/small", 1024).json() == 1024
    assert send("/larger", 4096).json() == 4096
    document = send("/small", 2048)
    assert document.headers["content-type"] == "application/problem+json"
    assert document.json() == {
        "type": "about:blank",
        "title": HTTPStatus(413).phrase,
        "status": 413,
        "detail": "This is too large: 1 KiB at most are taken here.",
        "instance": "/small",
    }
    assert "Content-Security-Policy" in document.headers
    page = send("/larger", 3 << 20, "text/html")
    assert page.status_code == 413
    assert "内容过大：此处最多 2 MiB。" in page.text
