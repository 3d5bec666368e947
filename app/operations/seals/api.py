"""REST: the sealed months with their versions, and the manifest that one version rests on."""

import json
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from app.accounts.guard import Allowed
from app.accounts.permissions import Permission
from app.errors import NotFound
from app.evidence.sealing import queries
from app.evidence.sealing.tables import MonthSeal
from app.web.problems import problem_responses
from app.web.requests import DatabaseDep, SettingsDep
from kpi.calendar import Month

router = APIRouter(tags=["seals"], dependencies=[Depends(Allowed(Permission.READ_SEALS))])


class SealItem(BaseModel):
    """One version of a sealed month."""

    month: str
    version: int
    sealed_at: datetime
    sealed_by: str
    reason: str | None = Field(description="Why it was forced, or amended")
    policy: str
    sha256: str = Field(description="Of the manifest, as canonical JSON")


class SealList(BaseModel):
    """The newest month first, its versions in order."""

    seals: list[SealItem]


class SealDocument(SealItem):
    """A version with all that its figures rest on."""

    manifest: dict[str, Any]


@router.get("/seals")
def list_seals(database: DatabaseDep, settings: SettingsDep) -> SealList:
    """Every version of every sealed month."""
    with database.read() as session:
        return SealList(seals=[seal_item(each, settings.zone) for each in queries.seals(session)])


@router.get("/seals/{month}/{version}", responses=problem_responses(404, 422))
def show_seal(
    database: DatabaseDep,
    settings: SettingsDep,
    month: Annotated[str, Path(pattern="^[12][0-9]{3}-(0[1-9]|1[0-2])$", examples=["2026-10"])],
    version: Annotated[int, Path(ge=1, le=2**31 - 1)],
) -> SealDocument:
    """The manifest of one version: files, facts, register and ledger by hash, figures in full."""
    with database.read() as session:
        seal = queries.seal_of(session, Month.parse(month), version)
    if seal is None:
        raise NotFound("seal", f"{month} version {version}")
    item = seal_item(seal, settings.zone)
    return SealDocument(**item.model_dump(), manifest=json.loads(seal.manifest))


def seal_item(seal: MonthSeal, zone: ZoneInfo) -> SealItem:
    return SealItem(
        month=seal.month,
        version=seal.version,
        sealed_at=datetime.fromtimestamp(seal.sealed_at, zone),
        sealed_by=seal.sealed_by,
        reason=seal.reason,
        policy=seal.policy,
        sha256=seal.sha256,
    )
