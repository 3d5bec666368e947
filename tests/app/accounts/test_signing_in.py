"""Signing in and out: what a browser is given, what is refused, what ends by itself."""

import threading
import time

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from app.accounts import guard, lockout, pages, passwords
from app.accounts.guard import SESSION_COOKIE
from app.accounts.permissions import Role
from app.accounts.secrets import hash_of
from app.accounts.sessions import Browser
from app.accounts.signing_in import sign_in
from app.accounts.tables import AuditEntry, User, WebSession
from app.config import Settings
from app.database import Database
from tests.app.accounts.people import PASSWORD, Person, add, signed_in

WRONG = "wrong horse battery"


class _Clock:
    """Stands where it is put; the time of day at first."""

    def __init__(self) -> None:
        self.now = int(time.time())

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    stopped = _Clock()
    for module in (guard, pages):
        monkeypatch.setattr(module, "time", stopped)
    return stopped


def test_signs_in_and_out(application: FastAPI, database: Database) -> None:
    add(database, "Wang Wei")
    person = Person(application)
    answer = person.sign_in("wang wei", next="/docs?a=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/docs?a=1")
    cookie = next(line for line in answer.headers.get_list("set-cookie") if SESSION_COOKIE in line)
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie, "over http a browser would throw it away"
    assert "Wang Wei" in person.get("/").text
    assert person.secret.encode() not in _stored(database)
    signed_out = person.post("/sign-out")
    assert signed_out.headers["location"] == "/sign-in"
    assert SESSION_COOKIE not in person.cookies
    assert _sessions(database) == 0
    with database.read() as session:
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions == ["user.add", "session.sign_in", "session.sign_out"]


def _stored(database: Database) -> set[bytes]:
    with database.read() as session:
        return set(session.scalars(select(WebSession.token_hash)))


def _sessions(database: Database) -> int:
    with database.read() as session:
        return session.scalars(select(func.count(WebSession.id))).one()


def test_behind_tls_the_cookie_is_secure(application: FastAPI, database: Database) -> None:
    add(database, "wang")
    person = Person(application, "127.0.0.1", {"x-forwarded-proto": "https"})
    answer = person.sign_in("wang")
    assert all("Secure" in line for line in answer.headers.get_list("set-cookie"))
    stranger = Person(application, "10.0.0.7", {"x-forwarded-proto": "https"})
    answer = stranger.sign_in("wang")
    assert not any("Secure" in line for line in answer.headers.get_list("set-cookie"))


def test_a_session_that_was_there_before_is_not_taken_over(
    application: FastAPI, database: Database
) -> None:
    add(database, "wang")
    person = Person(application, cookies={SESSION_COOKIE: "planted"})
    person.sign_in("wang")
    assert person.secret != "planted"
    assert len(person.secret) >= 43


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("role", "home"),
    [
        (Role.OFFICE, "/"),
        (Role.SECURITY_ADMIN, "/users"),
        (Role.AUDITOR, "/audit"),
        (Role.WALL, "/"),
    ],
)
def test_each_role_has_its_home(
    application: FastAPI, database: Database, role: Role, home: str
) -> None:
    person = signed_in(application, database, role)
    assert person.get("/sign-in").headers["location"] == home


def test_wrong_is_wrong_in_the_same_words(application: FastAPI, database: Database) -> None:
    add(database, "wang")
    texts = set()
    for name, password in (
        ("wang", WRONG),
        ("nobody", PASSWORD),
        ("%", PASSWORD),
        ("x" * 64, "x" * 128),
    ):
        answer = Person(application).sign_in(name, password)
        assert answer.status_code == 401
        assert SESSION_COOKIE not in answer.headers.get("set-cookie", "")
        texts.add(answer.text.split('<form method="post" action="/sign-in">')[0])
    assert len(texts) == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_name_that_does_not_exist_costs_the_same_work(
    application: FastAPI, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes: list[str] = []
    real = passwords._hasher.verify

    def counted(password: str, stored: str) -> bool:
        hashes.append(stored.split("$")[3])
        return real(password, stored)

    monkeypatch.setattr(passwords._hasher, "verify", counted)
    add(database, "wang")
    add(database, "off")
    with database.write() as session:
        session.execute(update(User).where(User.key == "off").values(disabled_at=1))
    for name in ("wang", "nobody", "off"):
        Person(application).sign_in(name, WRONG)
    assert len(hashes) == 3
    assert len(set(hashes)) == 1, "all at the same cost"


def test_a_name_that_no_database_holds(application: FastAPI) -> None:
    assert Person(application).sign_in("a\x00b", WRONG).status_code == 422


def test_a_disabled_user_is_told_nothing_more(application: FastAPI, database: Database) -> None:
    add(database, "wang")
    with database.write() as session:
        session.execute(update(User).values(disabled_at=1))
    assert Person(application).sign_in("wang").status_code == 401


def test_what_was_typed_as_a_name_is_not_written_down(
    application: FastAPI, database: Database
) -> None:
    add(database, "wang")
    for name in ("wang", "my secret password"):
        Person(application).sign_in(name, WRONG)
    with database.read() as session:
        failed = select(AuditEntry).where(AuditEntry.action == "session.sign_in_failed")
        entries = session.scalars(failed.order_by(AuditEntry.id)).all()
    assert [(each.subject, each.address) for each in entries] == [
        ("wang", "10.0.0.7"),
        ("(unknown)", "10.0.0.7"),
    ]


def test_a_name_waits_after_five_failures(
    application: FastAPI, database: Database, clock: _Clock
) -> None:
    add(database, "wang")
    for number in range(lockout.FREE_OF_A_NAME):
        refused = Person(application, f"10.0.1.{number}").sign_in("wang", WRONG)
        assert refused.status_code == 401
    waiting = Person(application).sign_in("wang")
    assert (waiting.status_code, waiting.headers["retry-after"]) == (429, "30")
    clock.now += 29
    assert Person(application).sign_in("wang").status_code == 429
    clock.now += 1
    assert Person(application).sign_in("wang").status_code == 303
    assert Person(application).sign_in("wang", WRONG).status_code == 401, "the count began anew"


def test_the_same_person_at_many_doors_at_once(database: Database) -> None:
    add(database, "wang")
    secrets: list[str] = []

    def enter(address: str) -> None:
        for _ in range(3):
            secret, _user = sign_in(database, "wang", PASSWORD, Browser(address), 1_000)
            secrets.append(secret)

    threads = [threading.Thread(target=enter, args=(f"10.0.0.{n // 2}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(secrets)) == 12


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_name_that_does_not_exist_waits_as_well(application: FastAPI, clock: _Clock) -> None:
    statuses = [Person(application).sign_in("nobody", WRONG).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_address_waits_whatever_the_names(
    application: FastAPI, database: Database, clock: _Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lockout, "FREE_OF_AN_ADDRESS", 3)
    add(database, "wang")
    for number in range(3):
        assert Person(application).sign_in(f"name {number}", WRONG).status_code == 401
    assert Person(application).sign_in("wang").status_code == 429
    assert Person(application, "10.0.0.8").sign_in("wang").status_code == 303


def test_idle_and_absolute_time_outs(
    application: FastAPI, database: Database, settings: Settings, clock: _Clock
) -> None:
    person = signed_in(application, database, Role.OFFICE)
    clock.now += settings.session_idle - 60
    assert person.get("/docs").status_code == 200
    clock.now += settings.session_idle - 60
    assert person.get("/docs").status_code == 200, "it was used meanwhile"
    clock.now += settings.session_idle + 60
    assert person.get("/docs").status_code == 303
    person = signed_in(application, database, Role.OFFICE, name="another", at=clock.now)
    began = clock.now
    while clock.now + 900 < began + settings.session_lifetime:
        clock.now += 900
        _touch(database, clock.now)
    assert person.get("/docs").status_code == 200
    clock.now = began + settings.session_lifetime
    _touch(database, clock.now)
    assert person.get("/docs").status_code == 303


def _touch(database: Database, now: int) -> None:
    with database.write() as session:
        session.execute(update(WebSession).values(seen_at=now))


def test_a_page_that_renews_itself_is_nobodys_use(
    application: FastAPI, database: Database, settings: Settings, clock: _Clock
) -> None:
    person = signed_in(application, database, Role.OFFICE)
    for _ in range(settings.session_idle // 300 + 1):
        clock.now += 300
        answer = person.get("/overview/live", **{"hx-request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (
        401,
        "/sign-in?next=%2Foverview%2Flive",
    )


def test_the_first_password_opens_only_the_way_to_another(
    application: FastAPI, database: Database
) -> None:
    add(database, "wang", must_change=True)
    person = Person(application)
    assert person.sign_in("wang", next="/docs").headers["location"] == "/account"
    before = person.secret
    assert person.get("/").headers["location"] == "/account"
    api = person.get("/api/v1/rooms", accept="*/*")
    assert (api.status_code, api.json()["detail"]) == (403, "Change your password first.")
    fields = {"present": PASSWORD, "password": "quite another one", "again": "quite another one"}
    for wrong in (
        {"present": WRONG},
        {"again": "not the same at all"},
        {"password": "short", "again": "short"},
        {"password": PASSWORD, "again": PASSWORD},
        {"password": "wang 47 wang 11", "again": "wang 47 wang 11"},
    ):
        refused = person.post("/account/password", **(fields | wrong))
        assert refused.status_code == 422, wrong
        assert 'role="alert"' in refused.text
    elsewhere = Person(application)
    elsewhere.sign_in("wang")
    changed = person.post("/account/password", **fields)
    assert changed.headers["location"] == "/account?changed=true"
    assert person.secret != before
    assert person.get("/docs").status_code == 200
    assert elsewhere.get("/docs").status_code == 303, "other sessions have ended"
    assert Person(application).sign_in("wang").status_code == 401


def test_other_sessions_are_listed_and_ended(application: FastAPI, database: Database) -> None:
    add(database, "wang")
    add(database, "li")
    here, there, other = Person(application), Person(application, "10.0.0.9"), Person(application)
    here.sign_in("wang")
    there.sign_in("wang")
    other.sign_in("li")
    with database.read() as session:
        ids = dict(session.execute(select(WebSession.token_hash, WebSession.id)).all())
    page = here.get("/account").text
    assert page.count("10.0.0.9") == 1
    for session_id in ids.values():
        other.post(f"/account/sessions/{session_id}/end")
    assert here.get("/docs").status_code == 200, "others' sessions are not one's own"
    here.post(f"/account/sessions/{ids[hash_of(there.secret)]}/end")
    assert there.get("/docs").status_code == 303


# Forms of other sites, and where they might lead
