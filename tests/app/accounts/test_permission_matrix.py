"""Every endpoint has a rule, and every role gets of every endpoint what the table says."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from app.accounts.guard import Allowed, AllowedFrom, public
from app.accounts.permissions import PERMISSIONS, Permission, Role, permissions_of
from app.database import Database
from app.web.navigation import NAV
from tests.app.accounts.people import Person, signed_in

SAMPLES = {"{code:path}": "C1", "{name}": "nobody"}


@dataclass(frozen=True)
class Endpoint:
    method: str
    path: str
    rules: tuple[Any, ...]

    @property
    def permission(self) -> Permission | None:
        """What it asks for; None where it is for everybody."""
        return next((each.permission for each in self.rules if isinstance(each, Allowed)), None)

    @property
    def address(self) -> str:
        """Its path with something in place of each parameter."""
        parts = [
            "1" if part.endswith("_id}") else SAMPLES.get(part, "x" if part[:1] == "{" else part)
            for part in self.path.split("/")
        ]
        return "/".join(parts)


def endpoints(application: FastAPI) -> list[Endpoint]:
    """All but the static files."""
    return [
        Endpoint(method, str(route.path), tuple(_rules(route.dependant)))
        for route in iter_route_contexts(application.routes)
        if getattr(route, "path", None) not in (None, "/static")
        for method in sorted(route.methods or ())
        if method != "HEAD"
    ]


def _rules(dependant: Any) -> Iterator[Any]:
    for each in dependant.dependencies:
        if isinstance(each.call, Allowed) or each.call is public:
            yield each.call
        yield from _rules(each)


only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@only_sqlite
def test_every_endpoint_has_one_rule(application: FastAPI) -> None:
    found = endpoints(application)
    assert len(found) > 25
    unruled = [each for each in found if not each.rules]
    assert unruled == []
    torn = [each for each in found if len({_named(rule) for rule in each.rules}) > 1]
    assert torn == []


def _named(rule: Any) -> str:
    return rule.permission.value if isinstance(rule, Allowed) else "public"


@only_sqlite
def test_every_permission_is_asked_for(application: FastAPI) -> None:
    assert {each.permission for each in endpoints(application)} - {None} == set(Permission)


@only_sqlite
def test_an_endpoint_without_a_rule_is_found(application: FastAPI) -> None:
    @application.get("/forgotten")
    def forgotten() -> None: ...

    assert [each.path for each in endpoints(application) if not each.rules] == ["/forgotten"]


@only_sqlite
@pytest.mark.parametrize("role", Role)
def test_role_gets_what_the_table_says(
    application: FastAPI, database: Database, role: Role
) -> None:
    wrong = []
    for number, endpoint in enumerate(endpoints(application)):
        if endpoint.permission is None:
            continue
        person = signed_in(application, database, role, name=f"{role.value} {number}")
        status = _ask(person, endpoint)
        may = role in PERMISSIONS[endpoint.permission]
        if may != (status not in (401, 403)) or status >= 500:
            wrong.append((endpoint, status))
    assert wrong == []


@only_sqlite
def test_nobody_gets_in_without_a_session(application: FastAPI) -> None:
    for endpoint in endpoints(application):
        closed = endpoint.permission is not None
        program = Person(application).send(endpoint.method, endpoint.address)
        assert (program.status_code == 401) is closed, endpoint
        if closed:
            assert program.headers["www-authenticate"] == "Bearer"
        if closed and endpoint.method == "GET":
            page = Person(application).get(endpoint.address)
            assert page.status_code == 303, endpoint
            assert page.headers["location"].startswith("/sign-in"), endpoint


def _ask(person: Person, endpoint: Endpoint) -> int:
    return person.send(endpoint.method, endpoint.address).status_code


def test_the_three_administrators_share_no_right() -> None:
    shared = {Permission.OWN_ACCOUNT, Permission.READ_INTERFACE}
    three = (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDITOR)
    rights = [permissions_of(role) - shared for role in three]
    assert all(rights)
    assert sum(map(len, rights)) == len(frozenset.union(*rights))


@only_sqlite
def test_the_navigation_shows_what_one_may_see(application: FastAPI) -> None:
    rules = {each.path: each.permission for each in endpoints(application) if each.method == "GET"}
    for group in NAV:
        for item in group.items:
            assert item.permission == rules[item.path], item


@only_sqlite
@pytest.mark.parametrize(
    ("address", "status"),
    [("127.0.0.1", 200), ("::1", 200), ("10.0.0.7", 401), ("unix", 401)],
)
def test_metrics_by_address(application: FastAPI, address: str, status: int) -> None:
    answer = Person(application, address).get("/metrics", accept="*/*")
    assert answer.status_code == status


@only_sqlite
def test_metrics_are_asked_for_by_the_proxy_of_somebody_else(application: FastAPI) -> None:
    headers = {"x-forwarded-for": "127.0.0.1, 10.0.0.7"}
    person = Person(application, "127.0.0.1")
    assert person.get("/metrics", accept="*/*", **headers).status_code == 401
    assert any(
        isinstance(rule, AllowedFrom) for each in endpoints(application) for rule in each.rules
    )
