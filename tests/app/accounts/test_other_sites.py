"""What other sites can make a browser do here: nothing; and where a sign-in may lead."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI

from app.accounts.pages import local_path
from app.accounts.permissions import Role
from app.config import Settings
from app.database import Database
from app.main import create_app
from tests.app.accounts.people import PASSWORD, Person, add, signed_in

UNSAFE: list[Callable[[Person, str], int]] = [
    lambda person, token: person.post("/sign-out", form_token=token).status_code,
    lambda person, token: person.post("/account/sessions/1/end", form_token=token).status_code,
    lambda person, token: (
        person.post(
            "/account/password",
            form_token=token,
            present=PASSWORD,
            password="quite another one",
            again="quite another one",
        ).status_code
    ),
]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("act", UNSAFE)
@pytest.mark.parametrize("token", ["", "0" * 64])
def test_a_form_of_another_site_does_nothing(
    application: FastAPI, database: Database, act: Callable[[Person, str], int], token: str
) -> None:
    person = signed_in(application, database, Role.OFFICE)
    assert act(person, token) == 403
    assert person.get("/docs").status_code == 200


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nobody_is_signed_in_by_another_site(application: FastAPI, database: Database) -> None:
    add(database, "wang")
    person = Person(application)
    fields = {"name": "wang", "password": PASSWORD}
    assert person.post("/sign-in", **fields).status_code == 403
    assert person.post("/sign-in", form_token="", **fields).status_code == 403
    person.get("/sign-in")
    assert person.post("/sign-in", form_token="0" * 64, **fields).status_code == 403


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("/", "/"),
        ("/devices?q=a%20b", "/devices?q=a%20b"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\\b", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("", "/"),
    ],
)
def test_leads_to_our_own_pages_only(asked: str, given: str) -> None:
    assert local_path(asked) == given


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_way_back_is_kept_over_the_form(application: FastAPI) -> None:
    answer = Person(application).get("/docs?a=1&b=2")
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert query == {"next": ["/docs?a=1&b=2"]}
    form = Person(application).get("/sign-in?next=//evil.example").text
    assert 'name="next" value="/"' in form


# The open demonstration


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("address", "host", "path", "status"),
    [
        ("127.0.0.1", "127.0.0.1:8000", "/api/v1/rooms", 200),
        ("127.0.0.1", "localhost", "/", 200),
        ("127.0.0.1", "evil.example", "/api/v1/rooms", 401),
        ("10.0.0.7", "127.0.0.1", "/api/v1/rooms", 401),
        ("127.0.0.1", "localhost", "/api/v1/users", 403),
        ("127.0.0.1", "localhost", "/api/v1/audit", 403),
        ("127.0.0.1", "localhost", "/account", 403),
    ],
)
def test_open_to_read_on_this_machine(
    database: Database, settings: Settings, address: str, host: str, path: str, status: int
) -> None:
    opened = create_app(settings, database, open_to_read=True)
    answer = Person(opened, address).get(path, accept="*/*", host=host)
    assert answer.status_code == status
