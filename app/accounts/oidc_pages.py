"""The way to the provider and back; part of the application only where one is configured."""

import base64
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.accounts import oidc, signing_in
from app.accounts.audit import Actor, record
from app.accounts.guard import public
from app.accounts.oidc import Journey
from app.accounts.oidc_users import PROVIDER, user_of
from app.accounts.pages import browser_of, give_session, local_path, page_after, sign_in_form
from app.accounts.sessions import Browser
from app.accounts.signing_in import SignInFailed
from app.accounts.tables import User
from app.config import Settings
from app.database import Database
from app.web.requests import STORABLE, DatabaseDep, SettingsDep

router = APIRouter(include_in_schema=False, dependencies=[Depends(public)])

BEGIN, DONE = "/sign-in/oidc", "/sign-in/oidc/done"
COOKIE = "intact_oidc"
COOKIE_AGE_S = 600
Given = Annotated[str, Query(max_length=4_000, pattern=STORABLE)]


@router.get(BEGIN, response_class=HTMLResponse)
def begin(request: Request, settings: SettingsDep, next: str = "/") -> Response:
    """Lead the browser to the provider."""
    journey = Journey.begin(local_path(next))
    try:
        answer: Response = RedirectResponse(
            oidc.departure(settings, journey, _return_address(request)), 303
        )
    except SignInFailed as failed:
        return sign_in_form(request, settings, journey.place, problem=str(failed), status=502)
    packed = base64.urlsafe_b64encode(json.dumps(asdict(journey)).encode()).decode()
    answer.set_cookie(
        COOKIE,
        packed,
        max_age=COOKIE_AGE_S,
        path=BEGIN,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer


@router.get(DONE, response_class=HTMLResponse)
def finish(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    code: Given = "",
    state: Given = "",
) -> Response:
    """Back from the provider: a new session, or the form with what was wrong."""
    now = int(time.time())
    try:
        journey = _journey(request, state)
        claims = oidc.arrival(settings, journey, code, _return_address(request), now)
        secret, user = _enter(database, settings, claims, browser_of(request), now)
    except SignInFailed as failed:
        answer = sign_in_form(request, settings, "/", problem=str(failed), status=401)
    else:
        answer = RedirectResponse(page_after(user, journey.place), 303)
        give_session(request, answer, secret)
    answer.delete_cookie(COOKIE, path=BEGIN, httponly=True, samesite="lax")
    return answer


def _enter(
    database: Database, settings: Settings, claims: Mapping[str, Any], browser: Browser, now: int
) -> tuple[str, User]:
    """The secret of a new session, and whose it is. Raises `SignInFailed`, and writes that down."""
    try:
        with database.write() as session:
            user = user_of(session, settings, claims, now)
            return signing_in.enter(session, user.id, browser, now)
    except SignInFailed:
        with database.write() as session:
            actor, subject = Actor(PROVIDER.name, browser.address), str(claims["sub"])
            record(session, actor, "session.sign_in_failed", subject, now)
        raise


def _journey(request: Request, state: str) -> Journey:
    """What this browser set out with. Raises `SignInFailed` where it did not, or for another."""
    try:
        packed = base64.urlsafe_b64decode(request.cookies.get(COOKIE, ""))
        journey = Journey(**json.loads(packed))
        begun = hmac.compare_digest(journey.state.encode(), state.encode())
    except (ValueError, TypeError, AttributeError) as error:
        raise SignInFailed(oidc.FAILED) from error
    if not begun:
        raise SignInFailed(oidc.FAILED)
    return Journey(journey.state, journey.nonce, journey.verifier, local_path(journey.place))


def _return_address(request: Request) -> str:
    return str(request.base_url).rstrip("/") + DONE
