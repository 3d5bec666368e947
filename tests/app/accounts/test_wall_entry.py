"""A wall's token and its cookie: what they open, what they do not, when they end."""

import time

import httpx
import pytest
from fastapi import FastAPI

from app.accounts import queries
from app.accounts.guard import WALL_COOKIE
from app.accounts.permissions import Role
from app.accounts.reach import Reach
from app.accounts.tokens import Scope, add_token, revoke_token
from app.accounts.users import reach_of
from app.database import Database
from app.fleet.tables import Station
from tests.app.accounts.people import SOMEBODY, Person, signed_in

DAY_S = 86_400


def token_of(database: Database, role: Role = Role.WALL, reach: Reach | None = None) -> str:
    with database.write() as session:
        scope = Scope(role, reach or Reach())
        return add_token(session, "hall", scope, 2, SOMEBODY, int(time.time()))[1]


def hand_in(screen: Person, text: str) -> httpx.Response:
    """As the script of the entry page does."""
    return screen._ask("POST", "/wall/enter", headers={"authorization": f"Bearer {text}"})


def test_a_screen_enters_by_its_token(application: FastAPI, database: Database) -> None:
    screen, text = Person(application), token_of(database)
    assert screen.get("/wall").status_code == 303
    assert screen.get("/wall/enter").status_code == 200
    answer = hand_in(screen, text)
    assert answer.status_code == 204
    (cookie,) = answer.headers.get_list("set-cookie")
    assert "HttpOnly" in cookie
    assert f"Max-Age={2 * DAY_S}" in cookie or f"Max-Age={2 * DAY_S - 1}" in cookie
    assert screen.get("/wall").status_code == 200
    assert screen.get("/events").text.startswith("retry: ")
    assert screen.get("/tokens").status_code == 403
    assert screen.get("/account").status_code == 403
    assert screen.send("POST", "/api/v1/tokens", {}).status_code == 401, "a wall only reads"


@pytest.mark.parametrize("role", [Role.OFFICE, Role.STATION])
def test_a_token_with_more_rights_makes_no_wall(
    application: FastAPI, database: Database, role: Role
) -> None:
    screen = Person(application)
    reach = Reach("S1") if role is Role.STATION else Reach()
    with database.write() as session:
        session.add(Station(code="S1", name="S1"))
    text = token_of(database, role, reach)
    answer = hand_in(screen, text)
    assert answer.status_code == 422
    assert "role wall" in answer.text
    screen.cookies[WALL_COOKIE] = text
    assert screen.get("/wall").status_code == 303


def test_a_session_is_no_token(application: FastAPI, database: Database) -> None:
    office = signed_in(application, database, Role.OFFICE)
    assert office.send("POST", "/wall/enter").status_code == 422
    assert office.get("/wall").status_code == 200


def test_the_cookie_ends_with_the_token(application: FastAPI, database: Database) -> None:
    screen = Person(application)
    hand_in(screen, token_of(database))
    with database.write() as session:
        (token,) = queries.read_tokens(session, 0, 10)
        revoke_token(session, token.id, SOMEBODY, int(time.time()))
    assert screen.get("/wall").status_code == 303
    assert hand_in(screen, screen.cookies[WALL_COOKIE]).status_code == 401


def test_a_wall_may_hang_in_a_station() -> None:
    assert reach_of(Role.WALL, "S1", None) == Reach("S1")
    assert reach_of(Role.WALL, None, "C1") == Reach(None, "C1")
    assert reach_of(Role.WALL, "", "") == Reach()
