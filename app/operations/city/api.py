"""REST: the city's figure of each camera beside ours."""

import csv
import io
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from app.accounts.guard import Allowed
from app.accounts.permissions import Permission
from app.availability.api import CSV_TYPE, FiltersDep, FormatName, MonthDep
from app.availability.spreadsheet import csv_cell
from app.operations.city.comparing import CityLine, city_month
from app.operations.city.words import in_words
from app.web.language import Language, language_of
from app.web.problems import problem_responses
from app.web.requests import DatabaseDep, SettingsDep
from kpi.policy import DEFAULT_POLICY
from kpi.rates import ratio
from kpi.second_count import Reason

router = APIRouter(tags=["availability"], dependencies=[Depends(Allowed(Permission.READ_SAMPLES))])


class CityItem(BaseModel):
    """A device's month by our count and by the city's; rates are fractions of 1."""

    device: str
    name: str
    intact_rate: float | None
    city_intact_rate: float | None = Field(description="Null: the city gives no figure")
    difference_points: float | None = Field(description="Ours less theirs, in percentage points")
    missing_s: int = Field(description="Impaired and offline, by our count")
    city_missing_s: int | None = Field(
        description="As the city's hours say, else reckoned from its rate"
    )
    intact_s: int
    unknown_s: int
    suspended_s: int
    exempted_s: int
    reasons: list[Reason] = Field(description="What would explain the difference")
    explanation: str = Field(description="The reasons in words of the caller's language")


class CityDocument(BaseModel):
    """One page of a month, the greatest difference first; `total` counts the chosen devices.

    `counts`: of all devices, by reason; a device may have two. Empty while `recorded_at` is null:
    no figures of the city were taken over.
    """

    month: str
    timezone: str
    policy: str
    recorded_at: datetime | None
    counts: dict[Reason, int]
    total: int
    page: int
    page_size: int
    items: list[CityItem]


@router.get(
    "/availability/city", response_model=CityDocument, responses=problem_responses(404, 422)
)
def read_city(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    month: MonthDep,
    filters: FiltersDep,
    reason: Annotated[Reason | None, Query(description="Only devices with this reason")] = None,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=1_000)] = 100,
    form: FormatName = "json",
) -> CityDocument | Response:
    """The city's figure of each camera beside ours, and why they differ; as CSV all of them."""
    found = city_month(database, settings, month, filters, int(time.time()))
    lines = found.chosen(reason)
    language = language_of(request)
    if form == "csv":
        return Response(_csv(_item(line, language) for line in lines), media_type=CSV_TYPE)
    skip = (page - 1) * page_size
    return CityDocument(
        month=str(month),
        timezone=settings.timezone,
        policy=DEFAULT_POLICY.label,
        recorded_at=found.recorded_at,
        counts=found.counts,
        total=len(lines),
        page=page,
        page_size=page_size,
        items=[_item(line, language) for line in lines[skip : skip + page_size]],
    )


def _item(line: CityLine, language: Language) -> CityItem:
    ours = line.ours
    return CityItem(
        device=line.device.code,
        name=line.device.name,
        intact_rate=ratio(ours.intact, ours.assessed),
        city_intact_rate=None if line.city_rate is None else float(line.city_rate),
        difference_points=None if line.difference is None else line.difference / 100,
        missing_s=line.missing_s,
        city_missing_s=line.city_missing_s,
        intact_s=ours.intact,
        unknown_s=ours.unknown,
        suspended_s=ours.suspended,
        exempted_s=ours.exempted,
        reasons=list(line.reasons),
        explanation=in_words(line.reasons, language),
    )


def _csv(items: Iterable[CityItem]) -> str:
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(CityItem.model_fields)
    for item in items:
        row = item.model_dump(mode="json") | {"reasons": " ".join(item.reasons)}
        writer.writerow(csv_cell(value) for value in row.values())
    return target.getvalue()
