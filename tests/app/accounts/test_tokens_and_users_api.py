"""REST of the security administrator: users and tokens, and what a token opens."""

import time
from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from app.accounts.permissions import Permission, Role
from app.accounts.reach import Reach
from app.accounts.tables import ApiToken, AuditEntry
from app.database import Database
from app.fleet.tables import Contractor, Station
from tests.app.accounts.people import PASSWORD, Person, add, signed_in
from tests.app.asking import Asker


@pytest.fixture
def manager(application: FastAPI, database: Database) -> Person:
    with database.write() as session:
        session.add_all([Station(code="S1", name="S1"), Contractor(code="A", name="A")])
    return signed_in(application, database, Role.SECURITY_ADMIN, name="chief")


def with_token(application: FastAPI, text: str, path: str, **options: object) -> httpx.Response:
    headers = {"authorization": f"Bearer {text}"}
    return Asker(application, caller=None).ask("GET", path, headers=headers, **options)


def test_a_user_is_added_changed_and_disabled(
    manager: Person, application: FastAPI, database: Database
) -> None:
    added = manager.send("POST", "/api/v1/users", {"name": "Wang", "role": "office"})
    assert added.status_code == 201
    password = added.json()["password"]
    wang = Person(application)
    assert wang.sign_in("wang", password).headers["location"] == "/account"
    change = {"role": "station", "station": "S1"}
    changed = manager.send("PATCH", "/api/v1/users/WANG", change).json()
    assert (changed["name"], changed["role"], changed["station"]) == ("Wang", "station", "S1")
    assert wang.get("/account").status_code == 303, "the session has ended"
    assert manager.send("PATCH", "/api/v1/users/wang", {"disabled": True}).json()["disabled"]
    assert Person(application).sign_in("wang", password).status_code == 401
    manager.send("PATCH", "/api/v1/users/wang", {"disabled": False})
    reset = manager.send("POST", "/api/v1/users/wang/password-reset", {"password": PASSWORD})
    assert reset.json()["password"] is None, "it was given, so it is not told"
    assert Person(application).sign_in("wang").status_code == 303
    listed = manager.send("GET", "/api/v1/users?q=WAN").json()
    assert [each["name"] for each in listed["items"]] == ["Wang"]
    with database.read() as session:
        told = session.execute(
            select(AuditEntry.actor, AuditEntry.action)
            .where(AuditEntry.action.startswith("user."))
            .order_by(AuditEntry.id)
        ).all()
    assert [tuple(each) for each in told] == [
        ("chief", "user.add"),
        ("chief", "user.rights"),
        ("chief", "user.disable"),
        ("chief", "user.enable"),
        ("chief", "user.reset_password"),
    ]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("new", "parameter"),
    [
        ({"name": "", "role": "office"}, "name"),
        ({"name": "a/b", "role": "office"}, "name"),
        ({"name": "shell:root", "role": "office"}, "name"),
        ({"name": "a\u0000b", "role": "office"}, "name"),
        ({"name": "CHIEF", "role": "office"}, "name"),
        ({"name": "w", "role": "king"}, "role"),
        ({"name": "w", "role": "station"}, "station"),
        ({"name": "w", "role": "station", "station": "S9"}, "station"),
        ({"name": "w", "role": "station", "station": "S1", "contractor": "A"}, "contractor"),
        ({"name": "w", "role": "contractor", "contractor": "B"}, "contractor"),
        ({"name": "w", "role": "office", "station": "S1"}, "station"),
        ({"name": "wangwei", "role": "office", "password": "short"}, "password"),
        ({"name": "wangwei", "role": "office", "password": "wangwei-2026"}, "password"),
    ],
)
def test_a_user_that_is_refused(
    manager: Person, database: Database, new: dict[str, str], parameter: str
) -> None:
    answer = manager.send("POST", "/api/v1/users", new)
    assert (answer.status_code, answer.json()["parameter"]) == (422, parameter)
    assert manager.send("GET", "/api/v1/users").json()["total"] == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nobody_changes_their_own_rights(manager: Person) -> None:
    for change in ({"disabled": True}, {"role": "system_admin"}):
        assert manager.send("PATCH", "/api/v1/users/chief", change).status_code == 409


def test_a_token_opens_its_scope_and_is_told_once(
    manager: Person, application: FastAPI, database: Database
) -> None:
    new = {"name": "prometheus", "role": "supervisor", "permissions": ["read_metrics"], "days": 2}
    added = manager.send("POST", "/api/v1/tokens", new)
    assert added.status_code == 201
    text, token = added.json()["text"], added.json()["token"]
    assert text.startswith("intact_")
    assert text not in manager.send("GET", "/api/v1/tokens").text
    with database.read() as session:
        assert text.encode() not in session.scalars(select(ApiToken.token_hash)).all()
    outside = {"client": ("10.0.0.9", 1)}
    assert with_token(application, text, "/metrics", **outside).status_code == 200
    assert with_token(application, text, "/api/v1/rooms").status_code == 403
    assert with_token(application, text, "/account").status_code == 403
    (listed,) = manager.send("GET", "/api/v1/tokens").json()["items"]
    assert listed["used_at"] is not None
    assert manager.send("DELETE", f"/api/v1/tokens/{token['id']}").json()["revoked_at"]
    assert with_token(application, text, "/metrics", **outside).status_code == 401


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-1],
        lambda text: text + "x",
        lambda text: "",
        lambda text: "é",
    ],
)
def test_a_token_that_is_none_is_refused_even_beside_a_session(
    manager: Person, application: FastAPI, spoil: Callable[[str], str]
) -> None:
    text = manager.send("POST", "/api/v1/tokens", {"name": "t", "role": "office"}).json()["text"]
    assert with_token(application, text, "/api/v1/rooms").status_code == 200
    headers = {"authorization": f"Bearer {spoil(text)}".encode()}
    headers["cookie"] = "; ".join(
        f"{key}={value}" for key, value in manager.cookies.items()
    ).encode()
    asker = Asker(application, caller=None)
    assert asker.ask("GET", "/api/v1/users", headers=headers).status_code == 401


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_token_ends(manager: Person, application: FastAPI, database: Database) -> None:
    text = manager.send("POST", "/api/v1/tokens", {"name": "t", "role": "office"}).json()["text"]
    with database.write() as session:
        session.execute(update(ApiToken).values(expires_at=int(time.time())))
    assert with_token(application, text, "/api/v1/rooms").status_code == 401


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_token_holds_no_more_than_its_role(manager: Person) -> None:
    new = {"name": "t", "role": "wall", "permissions": [Permission.MANAGE_ACCOUNTS]}
    refused = manager.send("POST", "/api/v1/tokens", new)
    assert (refused.status_code, refused.json()["parameter"]) == (422, "permissions")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_tokens_reach(manager: Person, application: FastAPI) -> None:
    new = {"name": "t", "role": "contractor", "contractor": "A"}
    text = manager.send("POST", "/api/v1/tokens", new).json()["text"]
    assert with_token(application, text, "/api/v1/devices").json()["total"] == 0
    assert with_token(application, text, "/api/v1/devices?station=S1").status_code == 404


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("token", [None, "", "0" * 64])
def test_a_request_of_another_site_changes_nothing(
    application: FastAPI, manager: Person, token: str | None
) -> None:
    headers = {"cookie": f"intact_session={manager.secret}"}
    if token is not None:
        headers["x-form-token"] = token
    asker = Asker(application, caller=None)
    new = {"name": "w", "role": "security_admin"}
    assert asker.ask("POST", "/api/v1/users", json=new, headers=headers).status_code == 403
    assert manager.send("GET", "/api/v1/users").json()["total"] == 1


# The same by the pages


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_users_by_the_page(manager: Person, application: FastAPI, database: Database) -> None:
    page = manager.post("/users?lang=en", name="wang", role="contractor", contractor="A")
    password = page.text.split("<code>")[1].split("</code>")[0]
    assert Person(application).sign_in("wang", password).status_code == 303
    assert password not in manager.get("/users").text
    refused = manager.post("/users?lang=en", name="li", role="contractor", contractor="B")
    assert refused.status_code == 422
    assert "Contractor: is not in the register; use the code of one that is" in refused.text
    assert (
        "登记册中没有" in manager.post("/users?lang=zh", name="l", role="station", station="B").text
    )
    assert manager.post("/users/wang/rights", role="station", station="S1").status_code == 200
    manager.post("/users/wang/disable")
    assert Person(application).sign_in("wang", password).status_code == 401
    manager.post("/users/wang/enable")
    again = manager.post("/users/wang/password").text.split("<code>")[1].split("</code>")[0]
    assert Person(application).sign_in("wang", again).status_code == 303
    assert manager.post("/users/nobody/disable").status_code == 404
    zero = manager.post("/users", name="l", role="station", station="\x00")
    assert zero.status_code == 422
    assert manager.post("/users/chief/disable").status_code == 409


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_tokens_by_the_page(manager: Person, application: FastAPI) -> None:
    page = manager.post("/tokens", name="grafana", role="supervisor", days="30")
    text = page.text.split("<code>")[1].split("</code>")[0]
    assert with_token(application, text, "/api/v1/rooms").status_code == 200
    assert text not in manager.get("/tokens").text
    manager.post("/tokens/1/revoke")
    assert with_token(application, text, "/api/v1/rooms").status_code == 401


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_names_are_text(manager: Person, database: Database) -> None:
    add(database, "<b>&", Role.STATION, Reach(station="S1"))
    page = manager.get("/users").text
    assert "<b>&" not in page
    assert "&lt;b&gt;&amp;" in page
