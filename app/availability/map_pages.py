"""The map: its page, what an open page asks for, the operator's outline, and the same as REST."""

import time
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from app.accounts.guard import Allowed
from app.accounts.permissions import Permission
from app.availability.device_list import list_choices
from app.availability.device_pages import KIND_WORDS, FiltersDep
from app.availability.map_outline import Outline
from app.availability.map_page import (
    MOST_CELLS,
    STATES,
    USUAL_CELLS,
    Map,
    MapDocument,
    bounds_of,
    map_now,
    zoomed,
)
from app.availability.map_queries import Bounds
from app.availability.selection import Filters
from app.config import Settings
from app.database import Database
from app.errors import BadParameter, NotFound
from app.web.language import language_of, translations
from app.web.navigation import Crumb
from app.web.problems import problem_responses
from app.web.requests import DatabaseDep, SettingsDep
from app.web.shell import render
from app.web.words import class_name
from kpi.status import SlotClass

Reading = Depends(Allowed(Permission.READ_SAMPLES))
router = APIRouter(include_in_schema=False, dependencies=[Reading])
api_router = APIRouter(tags=["availability"], dependencies=[Reading])

KEPT = ("kind", "state", "station", "room", "project", "contractor")
"""What another window keeps of an address."""
LONGEST_BBOX = 100
A_DAY_S = 86_400
STATE_NAMES = {class_name(each): each for each in STATES}


def _state(
    state: Annotated[
        str | None, Query(max_length=16, description="Only those in this state")
    ] = None,
) -> SlotClass | None:
    """An empty choice of a form is none."""
    if not state:
        return None
    if state not in STATE_NAMES:
        raise BadParameter("state", f"{state!r} is none; use {', '.join(STATE_NAMES)}")
    return STATE_NAMES[state]


def _window(
    bbox: Annotated[
        str | None,
        Query(max_length=LONGEST_BBOX, description="West,south,east,north; none: all devices"),
    ] = None,
) -> Bounds | None:
    return bounds_of(bbox) if bbox else None


@dataclass(frozen=True, slots=True)
class Question:
    """What a window is asked for."""

    filters: Filters
    state: SlotClass | None
    window: Bounds | None
    across: int

    def answered(self, database: Database, settings: Settings) -> Map:
        now = int(time.time())
        return map_now(database, settings, self.filters, self.state, self.window, self.across, now)


def _question(
    filters: FiltersDep,
    state: Annotated[SlotClass | None, Depends(_state)],
    window: Annotated[Bounds | None, Depends(_window)],
    across: Annotated[
        int, Query(ge=2, le=MOST_CELLS, description="Cells in the window's longer side")
    ] = USUAL_CELLS,
) -> Question:
    return Question(filters, state, window, across)


QuestionDep = Annotated[Question, Depends(_question)]


@api_router.get("/map", response_model=MapDocument, responses=problem_responses(404, 422))
def read_map(database: DatabaseDep, settings: SettingsDep, question: QuestionDep) -> MapDocument:
    """The devices of a window as they are now: one by one when few, else in clusters."""
    return question.answered(database, settings).document


@router.get("/map", response_class=HTMLResponse)
def show_map(
    request: Request, database: DatabaseDep, settings: SettingsDep, question: QuestionDep
) -> HTMLResponse:
    """Where the cameras stand, and how they are now."""
    _ = translations(language_of(request)).gettext
    outline: Outline | None = request.app.state.map_outline
    with database.read() as session:
        choices = list_choices(session, question.filters)
    return render(
        request,
        "map.html",
        kinds=KIND_WORDS,
        choices=choices,
        crumbs=[Crumb(_("Overview"), "/"), Crumb(_("Map"))],
        outline=outline and f"/map/outline.json?v={outline.version}",
        refresh_s=max(5, settings.poll_interval // 2),
        **_context(request, database, settings, question),
    )


@router.get("/map/live", response_class=HTMLResponse)
def refresh_map(
    request: Request, database: DatabaseDep, settings: SettingsDep, question: QuestionDep
) -> HTMLResponse:
    """What an open page puts in place of what it shows."""
    return render(request, "map_live.html", **_context(request, database, settings, question))


@router.get("/map/outline.json")
def show_outline(request: Request) -> Response:
    """The outline; its address changes with it. Raises `NotFound` where none is set."""
    outline: Outline | None = request.app.state.map_outline
    if outline is None:
        raise NotFound("setting", "map_outline")
    kept = {"Cache-Control": f"private, max-age={A_DAY_S}", "ETag": f'"{outline.version}"'}
    return Response(outline.body, media_type="application/json", headers=kept)


def _context(
    request: Request, database: Database, settings: Settings, question: Question
) -> dict[str, Any]:
    given = request.query_params.multi_items()
    kept = [(name, value) for name, value in given if name in KEPT and value]
    unplaced = [(name, value) for name, value in kept if name != "state"]
    return {
        "page": question.answered(database, settings),
        "filters": question.filters,
        "state": question.state and class_name(question.state),
        "states": list(STATE_NAMES),
        "zoom_address": f"/map?{urlencode([*kept, ('bbox', '')])}",
        "unplaced_address": f"/devices?{urlencode([*unplaced, ('unplaced', 'true')])}",
        "zoomed": zoomed,
    }
