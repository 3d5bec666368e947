"""Pages of the security administrator (users, tokens) and of the auditor (the log)."""

import time
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from app.accounts import api, audit_api, tokens, users
from app.accounts.audit_api import selected
from app.accounts.guard import Allowed
from app.accounts.pages import in_words
from app.accounts.permissions import Permission, Role
from app.accounts.tokens import DEFAULT_DAYS, LONGEST_DAYS, Scope
from app.accounts.words import ROLE_WORDS
from app.config import Settings
from app.database import Database
from app.errors import BadParameter, IntactError
from app.web.language import language_of, translations
from app.web.requests import STORABLE, DatabaseDep, SettingsDep
from app.web.shell import render

router = APIRouter(include_in_schema=False)
management = APIRouter(dependencies=[Depends(Allowed(Permission.MANAGE_ACCOUNTS))])
log = APIRouter(dependencies=[Depends(Allowed(Permission.READ_AUDIT_LOG))])

ROWS = 50
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
Name = Annotated[str, Path(max_length=64, pattern=STORABLE)]
Text = Annotated[str, Form(max_length=64, pattern=STORABLE)]
Asked = Annotated[str, Query(max_length=128, pattern=STORABLE)]
Change = Callable[[Session], str | None]
"""What a form does in a transaction; returns what is to be told once, if anything."""


# Users


@management.get("/users", response_class=HTMLResponse)
def show_users(
    request: Request, database: DatabaseDep, settings: SettingsDep, page: PageNumber = 1
) -> Response:
    """All users, a form for each and one for a new one."""
    return _users_page(request, database, settings, page)


@management.post("/users", response_class=HTMLResponse)
def add_user(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    caller: api.Manager,
    name: Text,
    role: Annotated[Role, Form()],
    station: Text = "",
    contractor: Text = "",
) -> Response:
    """Add one; the page shows the password."""

    def change(session: Session) -> str | None:
        reach = users.reach_of(role, station, contractor)
        now = int(time.time())
        return users.add_user(session, name, role, reach, None, caller.actor, now)[1]

    return _changed(request, database, settings, name, change)


@management.post("/users/{name}/rights", response_class=HTMLResponse)
def change_rights(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    caller: api.Manager,
    name: Name,
    role: Annotated[Role, Form()],
    station: Text = "",
    contractor: Text = "",
) -> Response:
    """Another role, another station or contractor."""

    def change(session: Session) -> None:
        reach = users.reach_of(role, station, contractor)
        user = users.find_user(session, name)
        users.change_rights(session, user, role, reach, caller.actor, int(time.time()))

    return _changed(request, database, settings, name, change)


@management.post("/users/{name}/password", response_class=HTMLResponse)
def reset_password(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    caller: api.Manager,
    name: Name,
) -> Response:
    """Make a password up; the page shows it."""

    def change(session: Session) -> str | None:
        user = users.find_user(session, name)
        return users.reset_password(session, user, None, caller.actor, int(time.time()))

    return _changed(request, database, settings, name, change)


@management.post("/users/{name}/disable", response_class=HTMLResponse)
def disable_user(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    caller: api.Manager,
    name: Name,
) -> Response:
    """Nobody signs in under this name, and its sessions end."""

    def change(session: Session) -> None:
        user = users.find_user(session, name)
        users.set_disabled(session, user, True, caller.actor, int(time.time()))

    return _changed(request, database, settings, name, change)


@management.post("/users/{name}/enable", response_class=HTMLResponse)
def enable_user(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    caller: api.Manager,
    name: Name,
) -> Response:
    """The name may sign in again."""

    def change(session: Session) -> None:
        user = users.find_user(session, name)
        users.set_disabled(session, user, False, caller.actor, int(time.time()))

    return _changed(request, database, settings, name, change)


def _changed(
    request: Request, database: Database, settings: Settings, name: str, change: Change
) -> Response:
    told, wrong = _attempt(database, change)
    return _users_page(request, database, settings, 1, about=name, told=told, wrong=wrong)


def _users_page(
    request: Request,
    database: Database,
    settings: Settings,
    page: int,
    *,
    about: str = "",
    told: str | None = None,
    wrong: IntactError | None = None,
) -> Response:
    found = api.list_users(database, settings, None, page, ROWS)
    return _page(
        request, "accounts/users.html", found.page, found.total, about, told, wrong,
        users=found.items,
    )  # fmt: skip


# Tokens


@management.get("/tokens", response_class=HTMLResponse)
def show_tokens(
    request: Request, database: DatabaseDep, settings: SettingsDep, page: PageNumber = 1
) -> Response:
    """All tokens, and a form for a new one."""
    return _tokens_page(request, database, settings, page)


@management.post("/tokens", response_class=HTMLResponse)
def add_token(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    caller: api.Manager,
    name: Text,
    role: Annotated[Role, Form()],
    station: Text = "",
    contractor: Text = "",
    days: Annotated[int, Form(ge=1, le=LONGEST_DAYS)] = DEFAULT_DAYS,
) -> Response:
    """Add one; the page shows its text, for a wall the link by which its screen enters."""

    def change(session: Session) -> str:
        scope = Scope(role, users.reach_of(role, station, contractor))
        now = int(time.time())
        return tokens.add_token(session, name, scope, days, caller.actor, now)[1]

    told, wrong = _attempt(database, change)
    if told is not None and role is Role.WALL:
        told = str(request.base_url).rstrip("/") + tokens.wall_link(told)
    return _tokens_page(request, database, settings, 1, about=name, told=told, wrong=wrong)


@management.post("/tokens/{token_id}/revoke", response_class=HTMLResponse)
def revoke_token(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    caller: api.Manager,
    token_id: api.TokenId,
) -> Response:
    """From now on it is nobody's."""

    def change(session: Session) -> None:
        tokens.revoke_token(session, token_id, caller.actor, int(time.time()))

    _told, wrong = _attempt(database, change)
    return _tokens_page(request, database, settings, 1, wrong=wrong)


def _tokens_page(
    request: Request,
    database: Database,
    settings: Settings,
    page: int,
    *,
    about: str = "",
    told: str | None = None,
    wrong: IntactError | None = None,
) -> Response:
    found = api.list_tokens(database, settings, page, ROWS)
    return _page(
        request, "accounts/tokens.html", found.page, found.total, about, told, wrong,
        tokens=found.items, now=datetime.now(settings.zone),
    )  # fmt: skip


# The log


@log.get("/audit", response_class=HTMLResponse)
def show_audit(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    actor: Asked = "",
    action: Annotated[str, Query(max_length=32, pattern=STORABLE)] = "",
    subject: Asked = "",
    first: Annotated[str, Query(alias="from", max_length=10)] = "",
    last: Annotated[str, Query(alias="to", max_length=10)] = "",
    page: PageNumber = 1,
) -> Response:
    """Who did what, newest first; an empty field of the form asks for all."""
    days = _day(first, "from"), _day(last, "to")
    selection = selected(settings, actor, action, subject, *days)
    found = audit_api.audit_page(database, settings, selection, page, ROWS)
    asked = {"actor": actor, "action": action, "subject": subject, "first": first, "last": last}
    query = {"from" if key == "first" else "to" if key == "last" else key: value
             for key, value in asked.items() if value}  # fmt: skip
    return render(
        request,
        "accounts/audit.html",
        entries=found.items,
        total=found.total,
        page=page,
        page_count=_pages(found.total),
        asked=asked,
        address=f"/audit?{urlencode(query)}{'&' if query else ''}",
    )


def _day(text: str, parameter: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise BadParameter(parameter, f"{text!r} is not a day of the form YYYY-MM-DD") from error


router.include_router(management)
router.include_router(log)


def _attempt(database: Database, change: Change) -> tuple[str | None, IntactError | None]:
    """Do what a form asks; what is to be told, or what was wrong (nothing is changed then)."""
    try:
        with database.write() as session:
            return change(session), None
    except IntactError as wrong:
        return None, wrong


def _page(
    request: Request,
    template: str,
    page: int,
    total: int,
    about: str,
    told: str | None,
    wrong: IntactError | None,
    **context: Any,
) -> Response:
    """A list with its forms, and above it what the last form did."""
    problem = None
    if isinstance(wrong, BadParameter):
        problem = in_words(request, wrong)
    elif wrong is not None:
        problem = translations(language_of(request)).gettext(str(wrong))
    return render(
        request,
        template,
        wrong.status if wrong else 200,
        page=page,
        page_count=_pages(total),
        about=about,
        told=told,
        problem=problem,
        roles=ROLE_WORDS,
        **context,
    )


def _pages(total: int) -> int:
    return max(1, -(-total // ROWS))
