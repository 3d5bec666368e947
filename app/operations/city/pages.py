"""The page that holds the city's figures of a month beside ours."""

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from app.accounts.guard import Allowed
from app.accounts.permissions import Permission
from app.availability.figures import figure
from app.availability.month_pages import AskedDep, kind_word, month_crumbs
from app.availability.months import reached
from app.operations.city.comparing import CityLine, city_month
from app.operations.city.words import REASON_WORDS, points
from app.web.language import message
from app.web.listing import Column, Listing, listing
from app.web.requests import DatabaseDep, SettingsDep
from app.web.shell import render
from kpi.rates import hundredths, in_print, ratio
from kpi.second_count import Reason

router = APIRouter(
    include_in_schema=False, dependencies=[Depends(Allowed(Permission.READ_SAMPLES))]
)
CITY_COLUMNS = (
    Column("device", message("Camera")),
    Column("ours", message("Ours"), is_number=True),
    Column("city", message("City"), is_number=True),
    Column("difference", message("Difference"), is_number=True),
    Column("missing", message("Missing"), is_number=True),
    Column("city_missing", message("Missing by the city"), is_number=True),
    Column("suspended", message("Suspended"), is_number=True),
    Column("exempted", message("Exempted"), is_number=True),
    Column("unknown", message("Unknown"), is_number=True),
    Column("reason", message("Likely reason"), can_sort=False),
)
_VALUES: Mapping[str, Callable[[CityLine], Any]] = {
    "device": lambda line: line.device.name,
    "ours": lambda line: ratio(line.ours.intact, line.ours.assessed),
    "city": lambda line: line.city_rate,
    "difference": lambda line: None if line.difference is None else abs(line.difference),
    "missing": lambda line: line.missing_s,
    "city_missing": lambda line: line.city_missing_s,
    "suspended": lambda line: line.ours.suspended,
    "exempted": lambda line: line.ours.exempted,
    "unknown": lambda line: line.ours.unknown,
}


@router.get("/months/city", response_class=HTMLResponse)
def show_city(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    asked: AskedDep,
    reason: Reason | None = None,
) -> HTMLResponse:
    """Camera by camera, the greatest difference first, whichever way it goes."""
    now = int(time.time())
    wanted = listing(request, CITY_COLUMNS, sort="-difference")
    found = city_month(database, settings, asked.month, asked.filters, now)
    lines = _in_order(found.chosen(reason, wanted.text), wanted)
    wanted = wanted.of(len(lines))
    month = [("month", str(asked.month)), ("kind", asked.filters.kind.value)]
    return render(
        request,
        "month_city.html",
        found=found,
        asked=asked,
        reason=reason,
        reasons=REASON_WORDS,
        lines=lines[wanted.skip : wanted.skip + wanted.rows],
        list=wanted,
        figure=figure,
        points=points,
        rate_of=_in_print,
        query=urlencode([*month, ("by", asked.grouping.value)]),
        csv_query=urlencode([*month, *([("reason", reason.value)] if reason else [])]),
        reached=reached(settings, asked.month, now),
        kind_word=kind_word(asked),
        crumbs=month_crumbs(request, asked, message("City's figures")),
    )


def _in_print(line: CityLine) -> str:
    """The city's rate, unrounded by any target of ours."""
    rate = line.city_rate
    return in_print(None if rate is None else hundredths(rate.numerator, rate.denominator))


def _in_order(lines: list[CityLine], wanted: Listing) -> list[CityLine]:
    """Sorted; what has no value for the column comes last either way."""
    value_of = _VALUES[wanted.sort]
    known = [line for line in lines if value_of(line) is not None]
    known.sort(key=lambda line: line.device.code)
    known.sort(key=value_of, reverse=wanted.descending)
    return [*known, *(line for line in lines if value_of(line) is None)]
