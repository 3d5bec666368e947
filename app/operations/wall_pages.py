"""The wall: a page for a screen that nobody touches, and the stream that keeps it up to date."""

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from app.accounts.caller import Caller
from app.accounts.guard import Allowed, Bearer, ReachDep, holds_still
from app.accounts.permissions import Permission
from app.config import Settings
from app.database import Database
from app.operations.wall import NewsView, View, Wall, WallView
from app.web.events import Broadcast
from app.web.language import language_of
from app.web.requests import DatabaseDep, SettingsDep
from app.web.shell import render, version
from app.web.theme import Theme

router = APIRouter(include_in_schema=False)

Reader = Annotated[Caller, Depends(Allowed(Permission.READ_FIGURES))]


def wall_events(database: Database, settings: Settings) -> Broadcast[View]:
    """The streams of an application; its `state.events`."""
    return Broadcast(Wall(database, settings))


@router.get(
    "/wall",
    response_class=HTMLResponse,
    dependencies=[Depends(Allowed(Permission.READ_FIGURES))],
)
def show_wall(
    request: Request, database: DatabaseDep, settings: SettingsDep, reach: ReachDep
) -> HTMLResponse:
    """The present state; the page's script listens to `/events` for the next ones."""
    context = Wall(database, settings).context(WallView(language_of(request), reach))
    return render(request, "wall.html", theme=Theme.DARK, version=version(), **context)


@router.get("/events", response_class=Response)
async def stream_events(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    caller: Reader,
    token: Bearer,
    only: Literal["news"] | None = None,
) -> Response:
    """The wall's states as server-sent events, as long as the caller may see them.

    `only=news`: no more than that there is a new one.
    """
    events: Broadcast[View] = request.app.state.events
    holds = partial(holds_still, request, database, settings, token, caller)
    view = NewsView() if only else WallView(language_of(request), caller.reach)
    return events.join(view, holds)
