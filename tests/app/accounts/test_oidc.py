"""Signing in at a provider: real HTTP between us and it, tokens that are really signed."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from joserfc.jwk import RSAKey
from pydantic import SecretStr
from sqlalchemy import select, update

from app.accounts.guard import SESSION_COOKIE, public
from app.accounts.permissions import Role
from app.accounts.tables import AuditEntry, User
from app.config import Settings, load_settings
from app.database import Database
from app.errors import ConfigurationError
from app.fleet.tables import Station
from app.main import create_app
from tests.app.accounts.people import Person, add
from tests.app.accounts.provider import CLIENT, SECRET, Provider, running_provider
from tests.app.accounts.test_permission_matrix import endpoints

ROLES = {"chiefs": "security_admin", "video": "office", "police": "station"}
only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running_provider() as running:
        running.claims = {"preferred_username": "Wang", "roles": ["staff", "video"]}
        yield running


@pytest.fixture
def settings(tmp_path: Path, provider: Provider) -> Settings:
    return Settings(
        data_dir=tmp_path,
        oidc_issuer=provider.issuer,
        oidc_client_id=CLIENT,
        oidc_client_secret=SecretStr(SECRET),
        oidc_roles=ROLES,
    )


@pytest.fixture
def application(settings: Settings, database: Database) -> FastAPI:
    with database.write() as session:
        session.add(Station(code="S1", name="S1"))
    return create_app(settings, database)


def travel(person: Person, next: str = "/docs") -> str:
    """To the provider; the path and query with which it sends the browser back."""
    away = person.get(f"/sign-in/oidc?next={next}")
    assert away.status_code == 303
    there = httpx.get(away.headers["location"], trust_env=False)
    assert there.status_code == 302
    return there.headers["location"].removeprefix("http://intact")


def test_signs_in_with_the_rights_of_the_claims(
    application: FastAPI, database: Database, provider: Provider
) -> None:
    person = Person(application)
    assert "/sign-in/oidc?next=" in person.get("/sign-in").text
    back = person.get(travel(person))
    assert (back.status_code, back.headers["location"]) == (303, "/docs")
    assert person.get("/docs").status_code == 200
    assert "/account/password" not in person.get("/account").text, "the provider has the password"
    provider.claims |= {"roles": "police", "station": "S1"}
    again = Person(application)
    again.get(travel(again))
    assert person.get("/docs").status_code == 303, "other rights end what was begun with the old"
    with database.read() as session:
        user = session.scalars(select(User)).one()
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert (user.name, user.role, user.station, user.password_hash) == (
        "Wang",
        "station",
        "S1",
        None,
    )
    assert actions == ["user.add", "session.sign_in", "user.rights", "session.sign_in"]
    assert Person(application).sign_in("wang", "").status_code != 303
    assert Person(application).sign_in("wang", "None").status_code == 401


def _other_key(provider: Provider) -> None:
    provider.published = RSAKey.generate_key(2048, {"kid": "1"})


SPOILED: list[Callable[[Provider], Any]] = [
    _other_key,
    lambda provider: provider.spoiled.update(iss="https://evil.example"),
    lambda provider: provider.spoiled.update(aud="somebody else"),
    lambda provider: provider.spoiled.update(nonce="another"),
    lambda provider: provider.spoiled.update(nonce=None),
    lambda provider: provider.spoiled.update(exp=1),
    lambda provider: provider.spoiled.update(exp=None),
    lambda provider: provider.spoiled.update(azp="somebody else"),
    lambda provider: provider.claims.update(roles=[]),
    lambda provider: provider.claims.update(roles=None),
    lambda provider: provider.claims.update(roles="police"),
    lambda provider: provider.claims.update(roles="police", station="S9"),
    lambda provider: provider.claims.update(preferred_username="local"),
    lambda provider: provider.claims.update(preferred_username="shell:root"),
]


@only_sqlite
@pytest.mark.parametrize("spoil", SPOILED)
def test_what_does_not_hold_opens_nothing(
    application: FastAPI, database: Database, provider: Provider, spoil: Callable[[Provider], Any]
) -> None:
    add(database, "local", Role.AUDITOR)
    spoil(provider)
    person = Person(application)
    assert person.get(travel(person)).status_code == 401
    assert SESSION_COOKIE not in person.cookies
    with database.read() as session:
        assert session.scalars(select(User.name)).all() == ["local"]


@only_sqlite
def test_a_code_is_for_the_browser_that_set_out(application: FastAPI) -> None:
    victim, attacker = Person(application), Person(application)
    back = travel(attacker)
    assert victim.get(back).status_code == 401, "it never set out"
    travel(victim)
    assert victim.get(back).status_code == 401, "it set out for another"
    assert SESSION_COOKIE not in victim.cookies
    assert attacker.get(back).status_code == 303
    assert attacker.get(back).status_code == 401, "a code is good once"


@only_sqlite
def test_the_way_there_and_back_is_for_everybody(application: FastAPI) -> None:
    found = [each for each in endpoints(application) if "/oidc" in each.path]
    assert [each.rules for each in found] == [(public,), (public,)]


@only_sqlite
def test_a_disabled_user_stays_outside(application: FastAPI, database: Database) -> None:
    person = Person(application)
    person.get(travel(person))
    with database.write() as session:
        session.execute(update(User).values(disabled_at=1))
    again = Person(application)
    assert again.get(travel(again)).status_code == 401
    with database.read() as session:
        last = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert last is not None
    assert (last.action, last.subject) == ("session.sign_in_failed", "248289761001")


@only_sqlite
def test_a_provider_that_is_away(application: FastAPI, settings: Settings) -> None:
    gone = settings.model_copy(update={"oidc_issuer": "http://127.0.0.1:9"})
    application.state.settings = gone
    answer = Person(application).get("/sign-in/oidc")
    assert answer.status_code == 502
    assert "统一身份认证登录失败" in answer.text


@only_sqlite
def test_leads_to_our_own_pages_only(application: FastAPI) -> None:
    person = Person(application)
    back = person.get(travel(person, "//evil.example"))
    assert back.headers["location"] == "/sign-in"


@only_sqlite
def test_without_a_provider_there_is_no_such_way(database: Database, tmp_path: Path) -> None:
    person = Person(create_app(Settings(data_dir=tmp_path), database))
    assert "/sign-in/oidc" not in person.get("/sign-in").text
    assert person.get("/sign-in/oidc").status_code == 404
    assert person.get("/sign-in/oidc/done").status_code == 404


@only_sqlite
def test_a_role_that_is_none_is_refused_at_the_start(
    database: Database, settings: Settings
) -> None:
    wrong = settings.model_copy(update={"oidc_roles": {"x": "king"}})
    with pytest.raises(ConfigurationError, match="no role 'king'"):
        create_app(wrong, database)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ISSUER": "login.example"}, "http:// or https://"),
        ({"ISSUER": "https://login.example"}, "needs oidc_client_id"),
        ({"ISSUER": "https://login.example", "CLIENT_ID": "x"}, "needs oidc_client_id"),
    ],
)
def test_settings_that_are_refused(
    given: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in given.items():
        monkeypatch.setenv(f"INTACT_OIDC_{name}", value)
    with pytest.raises(ConfigurationError, match=said):
        load_settings()
