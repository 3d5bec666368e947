"""REST: the audit log, for the auditor."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from app.accounts import audit_queries
from app.accounts.audit_queries import AuditSelection
from app.accounts.guard import Allowed
from app.accounts.permissions import Permission
from app.accounts.tables import AuditEntry
from app.config import Settings
from app.database import Database
from app.errors import BadParameter
from app.web.problems import problem_responses
from app.web.requests import STORABLE, DatabaseDep, SettingsDep
from kpi.calendar import day_start

router = APIRouter(tags=["audit"], dependencies=[Depends(Allowed(Permission.READ_AUDIT_LOG))])

Text = Annotated[str | None, Query(max_length=128, pattern=STORABLE)]
FARTHEST = date(9000, 1, 1)


class AuditItem(BaseModel):
    """One thing done; `address` null: at the machine's own shell, or by the program itself."""

    id: int
    at: datetime
    actor: str
    address: str | None
    action: str
    subject: str
    details: dict[str, Any]
    hash: str = Field(description="SHA-256 over the hash before it and this entry")


class AuditPage(BaseModel):
    """One page of the selected entries, newest first; `total` counts them all."""

    total: int
    page: int
    page_size: int
    items: list[AuditItem]


def selected(
    settings: SettingsDep,
    actor: Text = None,
    action: Annotated[
        str | None, Query(max_length=32, pattern=STORABLE, description="Its beginning: `user.`")
    ] = None,
    subject: Text = None,
    first: Annotated[date | None, Query(alias="from")] = None,
    last: Annotated[date | None, Query(alias="to", description="This day included")] = None,
) -> AuditSelection:
    """What the request asks for; days are local. Raises `BadParameter`."""
    return AuditSelection(
        actor or None,
        action or None,
        subject or None,
        _start_of(settings, first, "from"),
        _start_of(settings, last, "to", after_days=1),
    )


Selected = Annotated[AuditSelection, Depends(selected)]


@router.get("/audit", responses=problem_responses(422))
def list_audit(
    database: DatabaseDep,
    settings: SettingsDep,
    selection: Selected,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AuditPage:
    """Who did what, newest first."""
    return audit_page(database, settings, selection, page, page_size)


def audit_page(
    database: Database, settings: Settings, selection: AuditSelection, page: int, page_size: int
) -> AuditPage:
    """One page of the selected entries."""
    with database.read() as session:
        total = audit_queries.count_audit(session, selection)
        skip = (page - 1) * page_size
        found = audit_queries.read_audit(session, selection, skip, page_size)
        items = [_item(entry, settings.zone) for entry in found]
    return AuditPage(total=total, page=page, page_size=page_size, items=items)


def _item(entry: AuditEntry, zone: ZoneInfo) -> AuditItem:
    return AuditItem(
        id=entry.id,
        at=datetime.fromtimestamp(entry.at, zone),
        actor=entry.actor,
        address=entry.address,
        action=entry.action,
        subject=entry.subject,
        details=entry.details,
        hash=entry.hash,
    )


def _start_of(
    settings: Settings, day: date | None, parameter: str, after_days: int = 0
) -> int | None:
    if day is None:
        return None
    if not date(1971, 1, 1) <= day <= FARTHEST:
        raise BadParameter(parameter, "lies too far away")
    return day_start(day + timedelta(days=after_days), settings.zone)
