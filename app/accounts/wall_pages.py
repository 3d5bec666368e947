"""How the screen of a wall gets in: by its token, which is in no address that a server sees.

The link is `/wall/enter#TOKEN`. The page's own script takes the token from behind the `#`, sends it
once as `Authorization: Bearer`, and is given a cookie that no script can read. The cookie holds as
long as the token does, so a wall survives its browser's and the server's restart.
"""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from app.accounts import audit, queries
from app.accounts.caller import Caller
from app.accounts.guard import WALL_COOKIE, Allowed, Bearer, public
from app.accounts.permissions import Permission, Role
from app.accounts.secrets import hash_of
from app.accounts.tokens import WALL_ENTRY
from app.errors import BadParameter
from app.web.requests import DatabaseDep
from app.web.shell import render
from app.web.theme import Theme

router = APIRouter(include_in_schema=False)

Reader = Annotated[Caller, Depends(Allowed(Permission.READ_FIGURES))]


@router.get(WALL_ENTRY, response_class=HTMLResponse, dependencies=[Depends(public)])
def show_entry(request: Request) -> HTMLResponse:
    """The page whose script sends the token; without one it says how to get in."""
    return render(request, "wall_entry.html", theme=Theme.DARK)


@router.post(WALL_ENTRY, status_code=204, response_class=Response)
def enter(request: Request, database: DatabaseDep, caller: Reader, token: Bearer) -> Response:
    """The cookie for the token. Raises `BadParameter` for a token that is not a wall's."""
    now = int(time.time())
    with database.write() as session:
        found = (
            None if token is None else queries.token_by_hash(session, hash_of(token.credentials))
        )
        if token is None or found is None or caller.role is not Role.WALL:
            raise BadParameter("token", "is needed, and must be one of the role wall")
        audit.record(session, caller.actor, "wall.enter", found.name, now, {"id": found.id})
        left_s = found.expires_at - now
    answer = Response(status_code=204)
    answer.set_cookie(
        WALL_COOKIE,
        token.credentials,
        max_age=left_s,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer
