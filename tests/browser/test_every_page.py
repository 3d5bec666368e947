"""Every page in both languages and both schemes, on a phone, a desk and a wall of screens.

The pages are those that the application serves: one that is added is opened here, too.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from fastapi.routing import iter_route_contexts

from app.accounts.guard import Allowed
from app.accounts.permissions import Permission, Role, permissions_of
from app.main import create_app
from tests.browser.conftest import ASKING, HEIGHTS, Visit
from tests.browser.district import District

Visits = Callable[..., Visit]
READERS = (Role.OFFICE, Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDITOR)
"""Whoever comes first of those who may read a page opens it."""
PIECES = {"/overview/live", "/events", "/map/live"}
"""What a page asks for while it is open."""
NOT_OURS = {"/docs"}
"""Drawn by Swagger UI, whose colours are its own."""
NOT_READ = PIECES | {"/metrics", "/healthz", "/readyz", "/wall/enter"}
CHOICES = {
    "/months": "by=fleet",
    "/months/outages": "by=fleet",
    "/devices/{code:path}": "hour=0",
    "/alerts": "state=all",
    "/faults": "state=all",
}
"""What looks quite different once something is chosen."""
WIDTHS = (390, 1440, 3840)
READ_ALOUD = {(390, "zh"), (1440, "en"), (3840, "zh")}
"""Where axe looks, too: what it finds hangs on layout and colours, seldom on the words."""
SCHEMES: dict[Any, tuple[str, ...]] = {"light": (), "dark": ("color-contrast",)}
"""Scheme → the rules of axe that hang on it (none named: all)."""


def pages(application: FastAPI) -> dict[str, Permission | None]:
    """The path of each page, and what one must be allowed to open it."""
    return {
        str(route.path): next(_permissions(route.dependant), None)
        for route in iter_route_contexts(application.routes)
        if "GET" in (route.methods or ())
        and getattr(route, "response_class", None) is HTMLResponse
        and route.path not in NOT_READ
    }


def _permissions(dependant: Any) -> Iterator[Permission]:
    for each in dependant.dependencies:
        if isinstance(each.call, Allowed):
            yield each.call.permission
        yield from _permissions(each)


def reader_of(permission: Permission | None) -> Role | None:
    if permission is None:
        return None
    return next(role for role in READERS if permission in permissions_of(role))


@pytest.fixture(scope="module")
def addresses(district: District, eventful: dict[str, str]) -> dict[str, Role | None]:
    """A page of each kind, and who opens it; the district has something to show on it."""
    camera = district.cameras()[0]
    samples = eventful | {"kind": "stations"}
    codes = {"/devices": camera.code, "/register/devices": camera.code}
    codes |= {f"/{kind}s": getattr(camera, kind) for kind in ("station", "room")}
    codes |= {f"/{kind}s": getattr(camera, kind) for kind in ("project", "contractor")}

    def address(path: str) -> str:
        where = path.partition("/{")[0]
        found = re.sub(r"{code:path}", lambda _: quote(codes[where], safe=""), path)
        return re.sub(r"{(\w+)}", lambda name: samples[name[1]], found)

    served = pages(create_app(district.settings, district.database))
    chosen = {f"{path}?{query}": served[path] for path, query in CHOICES.items()}
    found = served | chosen
    return {address(path): reader_of(permission) for path, permission in found.items()}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_reads_well(
    visit: Visits, district: District, addresses: dict[str, Role | None], language: str
) -> None:
    assert len(addresses) > 35
    faults = []
    for role in {*addresses.values()}:
        district.sweep()
        opened = visit("/sign-in", language=language, role=role)
        for path in (path for path, reader in addresses.items() if reader is role):
            faults += [f"{path}: {fault}" for fault in _faults(opened, path, language)]
    assert "\n".join(faults) == ""


def _faults(opened: Visit, path: str, language: str) -> Iterator[str]:
    """What is not as it should be of a page, at each width and in each scheme."""
    if not opened.open(path):
        yield "is answered by an error"
        return
    if opened.page.evaluate("document.documentElement.lang")[:2] != language:
        yield f"is not in {language}"
    if path != "/wall" and opened.page.get_by_role("heading", level=1).count() == 0:
        yield "has no heading"
    for width in WIDTHS:
        opened.resize(width)
        if path in ASKING:
            opened.open(path)
        for scheme, rules in SCHEMES.items():
            opened.page.emulate_media(color_scheme=scheme)
            if (seen := opened.width()) > width:
                yield f"is {seen} px wide of {width}"
            if (width, language) in READ_ALOUD and path not in NOT_OURS:
                yield from (f"{width} {scheme}: {problem}" for problem in opened.axe(*rules))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_chosen_scheme_needs_no_preference(visit: Visits, scheme: Any) -> None:
    other = next(each for each in SCHEMES if each != scheme)
    page = visit(f"/months?theme={scheme}", scheme=other, width=next(iter(HEIGHTS))).page
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == scheme
