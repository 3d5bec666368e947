"""REST: the history of a device's record."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel

from app.accounts.guard import Allowed, ReachDep
from app.accounts.permissions import Permission
from app.fleet.history import history_of
from app.fleet.queries import read_device
from app.fleet.tables import ChangeSource
from app.web.problems import problem_responses
from app.web.requests import STORABLE, DatabaseDep, SettingsDep

router = APIRouter(tags=["devices"], dependencies=[Depends(Allowed(Permission.READ_REGISTER))])


class ChangeItem(BaseModel):
    """A field that was changed, as the register's file writes it; null: empty.

    `field` is `created` for the first entry (`after` is the name), `effective` for the first day of
    another station, room, project, contractor or power district. Of `password` nothing is told but
    that there is another one.
    """

    at: datetime
    actor: str
    source: ChangeSource
    field: str
    before: str | None
    after: str | None


class ChangePage(BaseModel):
    """One page, the newest first; `total` counts all changes while the device was within reach."""

    total: int
    page: int
    page_size: int
    items: list[ChangeItem]


@router.get("/devices/{code:path}/changes", responses=problem_responses(404, 422))
def list_changes(
    database: DatabaseDep,
    reach: ReachDep,
    settings: SettingsDep,
    code: Annotated[str, Path(max_length=64, pattern=STORABLE)],
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ChangePage:
    """Who changed what of a device's record, and when."""
    skip = (page - 1) * page_size
    with database.read() as session:
        device_id = read_device(session, code, reach).id
        total, found = history_of(session, settings.zone, device_id, reach, skip, page_size)
    items = [
        ChangeItem(
            at=datetime.fromtimestamp(each.at, settings.zone),
            actor=each.actor,
            source=each.source,
            field=each.field,
            before=each.before,
            after=each.after,
        )
        for each in found
    ]
    return ChangePage(total=total, page=page, page_size=page_size, items=items)
