"""Who asks, and whether they may: what every endpoint declares as its rule.

    router = APIRouter(dependencies=[Depends(Allowed(Permission.READ_REGISTER))])

A request is its session's (cookie) or its token's (`Authorization: Bearer`; the cookie of a wall,
which may only read). Without any, a browser is led to the sign-in page and anybody else gets 401. A
browser's unsafe requests must carry the session's form token besides, as the field `form_token` or
the header `X-Form-Token`: another site's page cannot know it.
"""

import hmac
import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import BackgroundTasks, Depends, FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.accounts import queries
from app.accounts.caller import OPEN_READER, Caller
from app.accounts.permissions import Permission, Role
from app.accounts.reach import Reach
from app.accounts.sessions import find_session
from app.accounts.tokens import find_token
from app.config import Networks, Settings
from app.database import Database
from app.errors import Forbidden, IntactError, SignInRequired
from app.web.requests import DatabaseDep, SettingsDep

SESSION_COOKIE = "intact_session"
WALL_COOKIE = "intact_wall"
FORM_FIELD, FORM_HEADER = "form_token", "X-Form-Token"
SIGN_IN, CHANGE_PASSWORD = "/sign-in", "/account"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})


_bearer = HTTPBearer(auto_error=False, description="`intact token add`, or the page of tokens.")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


class PasswordChangeRequired(Forbidden):
    """The first password, or one that was reset, only opens the way to another one."""


def identified(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    token: Bearer,
    later: BackgroundTasks,
) -> Caller | None:
    """Who asks; None where nobody is signed in. That they were here is noted after the answer."""
    now, address = int(time.time()), address_of(request)
    if "authorization" in request.headers:
        caller: Caller | None = _by_token(token, database, address, now, later)
    else:
        caller = _by_session(request, database, settings, address, now, later)
        caller = caller or _by_wall(request, database, address, now, later)
    if caller is None and _is_open_to(request, address):
        caller = OPEN_READER
    request.state.caller = caller
    return caller


def _by_token(
    token: HTTPAuthorizationCredentials | None,
    database: Database,
    address: str,
    now: int,
    later: BackgroundTasks,
) -> Caller:
    with database.read() as session:
        found = find_token(session, token.credentials if token else "", address, now)
    if found is None:
        raise SignInRequired("The token is none of ours, was revoked, or has come to its end.")
    if found[0].due:
        later.add_task(_touch, database, queries.touch_token, found[1], now)
    return found[0].caller


def _by_wall(
    request: Request, database: Database, address: str, now: int, later: BackgroundTasks
) -> Caller | None:
    """Who reads with the cookie that a wall was given for its token (`wall_pages.py`)."""
    text = request.cookies.get(WALL_COOKIE)
    if not text or request.method not in SAFE_METHODS:
        return None
    try:
        token = HTTPAuthorizationCredentials(scheme="Bearer", credentials=text)
        caller = _by_token(token, database, address, now, later)
    except SignInRequired:
        return None
    return caller if caller.role is Role.WALL else None


def _by_session(
    request: Request,
    database: Database,
    settings: Settings,
    address: str,
    now: int,
    later: BackgroundTasks,
) -> Caller | None:
    secret = request.cookies.get(SESSION_COOKIE)
    if not secret:
        return None
    with database.read() as session:
        found = find_session(session, settings, secret, address, now)
    if found is None:
        return None
    if found.due and found.caller.session_id is not None and not _renews_itself(request):
        later.add_task(_touch, database, queries.touch_session, found.caller.session_id, now)
    return found.caller


def _touch(database: Database, note: Callable[..., None], row_id: int, now: int) -> None:
    with database.write() as session:
        note(session, row_id, now)


def _renews_itself(request: Request) -> bool:
    """A page that is left open asks by itself for what is new: that is nobody's use of it."""
    return request.url.path.endswith(("/live", "/events"))


def holds_still(
    request: Request,
    database: Database,
    settings: Settings,
    token: HTTPAuthorizationCredentials | None,
    caller: Caller,
) -> bool:
    """Whether who was given an answer that lasts for days is still the one they were."""
    unnoted = BackgroundTasks()
    try:
        return identified(request, database, settings, token, unnoted) == caller
    except SignInRequired:
        return False


def _is_open_to(request: Request, address: str) -> bool:
    """Open for reading to this machine alone, and asked by one of its own names: a page of another
    site that has its name point here is still another site."""
    opened = getattr(request.app.state, "open_to_read", False)
    return opened and address in LOOPBACK_NAMES and request.url.hostname in LOOPBACK_NAMES


def address_of(request: Request) -> str:
    """The address that asks; behind a trusted proxy that which the proxy names."""
    return request.client.host[:64] if request.client else ""


CallerDep = Annotated[Caller | None, Depends(identified)]


class Allowed:
    """An endpoint's rule: only for those who have the permission."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, request: Request, caller: CallerDep) -> Caller:
        """Raises `SignInRequired`, `PasswordChangeRequired` or `Forbidden`."""
        if caller is None:
            raise SignInRequired("Sign in, or send a token (Authorization: Bearer …).")
        if caller.must_change_password and self.permission is not Permission.OWN_ACCOUNT:
            raise PasswordChangeRequired("Change your password first.")
        if not caller.may(self.permission):
            raise Forbidden(f"Your account does not have the right {self.permission.value}.")
        if caller.form_token is not None and request.method not in SAFE_METHODS:
            await require_form_token(request, caller.form_token)
        return caller


class AllowedFrom(Allowed):
    """As `Allowed`, and for everybody who asks from one of the networks of the settings."""

    def __init__(self, permission: Permission, networks: Callable[[Settings], Networks]) -> None:
        super().__init__(permission)
        self._networks = networks

    async def __call__(self, request: Request, caller: CallerDep) -> Caller:
        settings: Settings = request.app.state.settings
        if caller is None and _is_within(address_of(request), self._networks(settings)):
            return OPEN_READER
        return await super().__call__(request, caller)


def _is_within(address: str, networks: Networks) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)


async def public() -> None:
    """The rule of an endpoint that is for everybody."""


async def require_form_token(request: Request, expected: str) -> None:
    """Raises `Forbidden` where a browser's request does not come from a page of ours."""
    given = request.headers.get(FORM_HEADER)
    if given is None:
        given = str((await request.form()).get(FORM_FIELD, ""))
    if not hmac.compare_digest(given.encode(), expected.encode()):
        await request.close()  # a file may have come with it
        raise Forbidden("The request does not come from a page of this session; load it anew.")


async def _signed_in(caller: CallerDep) -> Caller:
    if caller is None:
        raise SignInRequired("Sign in, or send a token (Authorization: Bearer …).")
    return caller


SignedIn = Annotated[Caller, Depends(_signed_in)]


async def _reach(caller: SignedIn) -> Reach:
    return caller.reach


ReachDep = Annotated[Reach, Depends(_reach)]
"""Whose devices the caller sees; goes into the selection of every query."""


def install(app: FastAPI) -> None:
    """Lead browsers to where they can sign in, or change their password."""
    app.add_exception_handler(SignInRequired, _to_sign_in)
    app.add_exception_handler(PasswordChangeRequired, _to_password)


async def _to_sign_in(request: Request, error: Exception) -> Response:
    path = request.url.path
    if request.method in SAFE_METHODS and path != "/":
        query = f"?{request.url.query}" if request.url.query else ""
        return await _lead(request, error, f"{SIGN_IN}?{urlencode({'next': path + query})}")
    return await _lead(request, error, SIGN_IN)


async def _to_password(request: Request, error: Exception) -> Response:
    return await _lead(request, error, CHANGE_PASSWORD)


async def _lead(request: Request, error: Exception, place: str) -> Response:
    """There for a browser's page; a part of a page (htmx) has the whole page go there."""
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": place})
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(place, 303)
    as_ever: Any = request.app.exception_handlers[IntactError]
    answer: Response = await as_ever(request, error)
    return answer
