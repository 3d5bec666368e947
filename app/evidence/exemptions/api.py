"""REST: the exemptions; the office records and ends them."""

import time
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from app.accounts.caller import Caller
from app.accounts.guard import Allowed
from app.accounts.permissions import Permission
from app.evidence.exemptions.importing import add_exemption
from app.evidence.exemptions.queries import read_exemptions, stored_exemption
from app.evidence.exemptions.tables import Exemption, ExemptionScope
from app.evidence.ledger import mark_touched
from app.web.problems import problem_responses
from app.web.requests import STORABLE, DatabaseDep, SettingsDep

router = APIRouter(tags=["exemptions"])
Approver = Annotated[Caller, Depends(Allowed(Permission.MANAGE_EXEMPTIONS))]


class NewExemption(BaseModel):
    """As the columns of an exemption file; a bare date as `to` includes that day."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, extra="forbid")

    scope: ExemptionScope
    code: str = Field(max_length=64)
    start: str = Field(alias="from", max_length=32, examples=["2026-02-01"])
    end: str = Field(alias="to", default="", max_length=32, examples=["2026-02-28 18:00"])
    reason: str = Field(max_length=512)
    approved_by: str = Field(max_length=128)
    document: str = Field(default="", max_length=256)


class ExemptionItem(BaseModel):
    """One exemption: it covers the slots with `from ≤ slot start < to`; `to` null: open."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    id: int
    version: int
    scope: ExemptionScope
    code: str
    start: datetime = Field(alias="from")
    end: datetime | None = Field(alias="to")
    reason: str
    approved_by: str
    document: str | None
    recorded_at: datetime
    recorded_by: str


class ExemptionPage(BaseModel):
    """One page, the newest start first; `total` counts all of the selection."""

    total: int
    page: int
    page_size: int
    items: list[ExemptionItem]


@router.get(
    "/exemptions",
    responses=problem_responses(422),
    dependencies=[Depends(Allowed(Permission.READ_EXEMPTIONS))],
)
def list_exemptions(
    database: DatabaseDep,
    settings: SettingsDep,
    scope: ExemptionScope | None = None,
    code: Annotated[str | None, Query(max_length=64, pattern=STORABLE)] = None,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ExemptionPage:
    """The exemptions of a scope, of one code, or all."""
    with database.read() as session:
        total, found = read_exemptions(session, scope, code, (page - 1) * page_size, page_size)
    items = [_item(each, settings.zone) for each in found]
    return ExemptionPage(total=total, page=page, page_size=page_size, items=items)


@router.post("/exemptions", status_code=201, responses=problem_responses(422))
def record_exemption(
    database: DatabaseDep, settings: SettingsDep, caller: Approver, wanted: NewExemption
) -> ExemptionItem:
    """Record one, or change the one of the same scope, code and start; what it said is kept."""
    cells = wanted.model_dump(by_alias=True)
    with database.write() as session:
        key = add_exemption(
            session, settings.zone, cells, int(time.time()), caller.actor, mark_touched
        )
        return _item(stored_exemption(session, *key), settings.zone)


def _item(stored: Exemption, zone: ZoneInfo) -> ExemptionItem:
    return ExemptionItem(
        id=stored.id,
        version=stored.version,
        scope=ExemptionScope(stored.scope),
        code=stored.code,
        start=datetime.fromtimestamp(stored.start, zone),
        end=None if stored.end is None else datetime.fromtimestamp(stored.end, zone),
        reason=stored.reason,
        approved_by=stored.approved_by,
        document=stored.document,
        recorded_at=datetime.fromtimestamp(stored.recorded_at, zone),
        recorded_by=stored.recorded_by,
    )
