"""The way to the provider and back; part of the application only where one is configured."""

import base64
import hmac
import json
import time
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.accounts import oidc, signing_in
from app.accounts.guard import public
from app.accounts.oidc import Journey
from app.accounts.oidc_users import user_of
from app.accounts.pages import browser_of, give_session, local_path, page_after, sign_in_form
from app.accounts.signing_in import SignInFailed
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
        with database.write() as session:
            user = user_of(session, settings, claims, now)
            secret, user = signing_in.enter(session, user.id, browser_of(request), now)
    except SignInFailed as failed:
        answer = sign_in_form(request, settings, "/", problem=str(failed), status=401)
    else:
        answer = RedirectResponse(page_after(user, journey.place), 303)
        give_session(request, answer, secret)
    answer.delete_cookie(COOKIE, path=BEGIN, httponly=True, samesite="lax")
    return answer


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
