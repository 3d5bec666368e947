"""Pages of everybody: signing in and out, one's own account."""

import re
import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.accounts import queries, signing_in, users
from app.accounts.caller import Caller
from app.accounts.guard import (
    CHANGE_PASSWORD,
    SESSION_COOKIE,
    SIGN_IN,
    Allowed,
    CallerDep,
    address_of,
    public,
    require_form_token,
)
from app.accounts.permissions import Permission
from app.accounts.sessions import Browser
from app.accounts.signing_in import MustWait, SignInFailed
from app.accounts.tables import User
from app.accounts.words import ROLE_WORDS
from app.config import Settings
from app.database import Database
from app.errors import BadParameter, Forbidden
from app.web.language import language_of, message, translations
from app.web.requests import STORABLE, DatabaseDep, SettingsDep
from app.web.shell import render

router = APIRouter(include_in_schema=False)
everybody = APIRouter(dependencies=[Depends(public)])
signed_in = APIRouter(dependencies=[Depends(Allowed(Permission.OWN_ACCOUNT))])

FORM_COOKIE = "intact_form"
LOCAL_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
Own = Annotated[Caller, Depends(Allowed(Permission.OWN_ACCOUNT))]
Text = Annotated[str, Form(max_length=128, pattern=STORABLE)]

HOMES = (
    (Permission.READ_FIGURES, "/"),
    (Permission.MANAGE_ACCOUNTS, "/users"),
    (Permission.READ_AUDIT_LOG, "/audit"),
)
"""The first of these pages that somebody may see is where they begin."""


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One of a user's sessions; times are local."""

    id: int
    seen_at: datetime
    created_at: datetime
    address: str
    agent: str
    is_this: bool


def local_path(asked: str) -> str:
    """Where to go after signing in: a path of ours, or `/` for anything else."""
    return asked if LOCAL_PATH.fullmatch(asked) else "/"


def home_of(caller: Caller) -> str:
    """The page on which somebody begins."""
    return next((path for permission, path in HOMES if caller.may(permission)), CHANGE_PASSWORD)


@everybody.get(SIGN_IN, response_class=HTMLResponse)
def show_sign_in(
    request: Request, settings: SettingsDep, caller: CallerDep, next: str = "/"
) -> Response:
    """The form; whoever is signed in goes on at once."""
    if caller is not None and caller.session_id is not None:
        return RedirectResponse(home_of(caller), 303)
    return sign_in_form(request, settings, local_path(next))


async def _from_our_form(request: Request) -> None:
    """The form carries what its cookie holds, so that nobody is signed in by another site's."""
    await require_form_token(request, request.cookies.get(FORM_COOKIE) or secrets.token_hex())


@everybody.post(SIGN_IN, response_class=HTMLResponse, dependencies=[Depends(_from_our_form)])
def sign_in(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    name: Text,
    password: Text,
    next: Annotated[str, Form(max_length=2_000)] = "/",
) -> Response:
    """A new session, or the form again with what was wrong."""
    place = local_path(next)
    try:
        secret, user = signing_in.sign_in(
            database, name, password, browser_of(request), int(time.time())
        )
    except SignInFailed:
        problem = message("Name or password is wrong.")
        return sign_in_form(request, settings, place, name, problem, status=401)
    except MustWait as refused:
        problem = message("Too many failed sign-ins. Wait a little, then try again.")
        answer = sign_in_form(request, settings, place, name, problem, status=429)
        answer.headers["Retry-After"] = str(refused.wait_s)
        return answer
    answer = RedirectResponse(page_after(user, place), 303)
    give_session(request, answer, secret)
    return answer


def page_after(user: User, place: str) -> str:
    """Where somebody goes who has just signed in and wanted to go to `place`."""
    if user.must_change_password:
        return CHANGE_PASSWORD
    return SIGN_IN if place == "/" else place  # the former knows where each role begins


def give_session(request: Request, answer: Response, secret: str) -> None:
    """Hand the session's secret to the browser: for us alone, not for scripts, nor for http where
    we are reached by https."""
    answer.set_cookie(
        SESSION_COOKIE,
        secret,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


@signed_in.post("/sign-out", response_class=HTMLResponse)
def sign_out(database: DatabaseDep, caller: Own) -> Response:
    """End this session."""
    user_id, session_id = _own(caller)
    with database.write() as session:
        signing_in.sign_out(session, user_id, session_id, caller.actor, int(time.time()))
    answer = RedirectResponse(SIGN_IN, 303)
    answer.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax")
    return answer


@signed_in.get(CHANGE_PASSWORD, response_class=HTMLResponse)
def show_account(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    caller: Own,
    changed: bool = False,
) -> Response:
    """One's own account: password and sessions."""
    return _account_page(request, database, settings.zone, caller, changed=changed)


@signed_in.post("/account/password", response_class=HTMLResponse)
def change_password(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    caller: Own,
    present: Text,
    password: Text,
    again: Text,
) -> Response:
    """Another password; every session ends, and this browser gets a new one."""
    user_id, _ = _own(caller)
    now = int(time.time())
    try:
        if password != again:
            raise BadParameter("again", message("is not the same"))
        with database.write() as session:
            user = queries.user_by_id(session, user_id)
            if user is None:
                raise Forbidden("The account is no more.")
            users.change_password(session, user, present, password, caller.actor, now)
            secret, _user = signing_in.enter(session, user_id, browser_of(request), now)
    except BadParameter as wrong:
        return _account_page(request, database, settings.zone, caller, problem=wrong, status=422)
    answer = RedirectResponse(f"{CHANGE_PASSWORD}?changed=true", 303)
    give_session(request, answer, secret)
    return answer


@signed_in.post("/account/sessions/{session_id}/end", response_class=HTMLResponse)
def end_session(
    database: DatabaseDep,
    caller: Own,
    session_id: Annotated[int, Path(ge=1, le=2**31 - 1)],
) -> Response:
    """End another session of one's own."""
    user_id, _ = _own(caller)
    with database.write() as session:
        signing_in.sign_out(session, user_id, session_id, caller.actor, int(time.time()))
    return RedirectResponse(CHANGE_PASSWORD, 303)


router.include_router(everybody)
router.include_router(signed_in)


def sign_in_form(
    request: Request,
    settings: Settings,
    place: str,
    name: str = "",
    problem: str | None = None,
    status: int = 200,
) -> Response:
    form_token = request.cookies.get(FORM_COOKIE) or secrets.token_hex()
    answer = render(
        request,
        "accounts/sign_in.html",
        status,
        next=place,
        given_name=name,
        problem=problem and translations(language_of(request)).gettext(problem),
        form_token=form_token,
        provider=settings.oidc_issuer is not None,
    )
    secure = request.url.scheme == "https"
    answer.set_cookie(FORM_COOKIE, form_token, httponly=True, samesite="strict", secure=secure)
    return answer


def _account_page(
    request: Request,
    database: Database,
    zone: ZoneInfo,
    caller: Caller,
    *,
    problem: BadParameter | None = None,
    changed: bool = False,
    status: int = 200,
) -> Response:
    user_id, session_id = _own(caller)
    with database.read() as session:
        user = queries.user_by_id(session, user_id)
        rows = queries.sessions_of(session, user_id)
    lines = [
        SessionLine(
            row.id,
            datetime.fromtimestamp(row.seen_at, zone),
            datetime.fromtimestamp(row.created_at, zone),
            row.address,
            row.agent,
            row.id == session_id,
        )
        for row in rows
    ]
    return render(
        request,
        "accounts/account.html",
        status,
        role=ROLE_WORDS[caller.role] if caller.role else "",
        place=caller.reach.station or caller.reach.contractor,
        has_password=user is not None and user.external_id is None,
        must_change=caller.must_change_password,
        sessions=lines,
        problem=problem and in_words(request, problem),
        changed=changed,
    )


def in_words(request: Request, wrong: BadParameter) -> str:
    """What was wrong with a form, in the reader's language."""
    _ = translations(language_of(request)).gettext
    return f"{_(FIELDS.get(wrong.parameter, wrong.parameter))}{_(': ')}{_(wrong.problem)}"


FIELDS = {
    "name": message("Name"),
    "password": message("New password"),
    "present": message("Present password"),
    "again": message("New password once more"),
    "station": message("Station"),
    "contractor": message("Contractor"),
}
"""What the fields of the forms are called."""


def browser_of(request: Request) -> Browser:
    return Browser(address_of(request), request.headers.get("user-agent", ""))


def _own(caller: Caller) -> tuple[int, int]:
    """User and session of somebody who signed in; a token has no account page."""
    if caller.user_id is None or caller.session_id is None:
        raise Forbidden("Only who signed in has an account page.")
    return caller.user_id, caller.session_id
