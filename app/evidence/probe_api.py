"""REST: one device asked at once."""

import time
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from app.accounts.caller import Caller
from app.accounts.guard import Allowed
from app.accounts.permissions import Permission
from app.evidence.probing import probe_device
from app.web.problems import problem_responses
from app.web.requests import STORABLE, DatabaseDep, SettingsDep
from kpi.policy import DEFAULT_POLICY
from kpi.status import SlotClass

router = APIRouter(tags=["devices"])


class ProbeItem(BaseModel):
    """What a device answered just now; never evidence.

    `latency_ms` null: nothing came back. `clock_offset_s`: its clock minus ours, where it told.
    """

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    device: str
    at: datetime
    status: int
    name: str
    slot_class: str = Field(alias="class")
    latency_ms: float | None
    clock_offset_s: float | None
    detail: str


@router.post("/devices/{code:path}/probe", responses=problem_responses(404, 409, 422, 429))
def probe_now(
    database: DatabaseDep,
    settings: SettingsDep,
    caller: Annotated[Caller, Depends(Allowed(Permission.PROBE_DEVICES))],
    code: Annotated[str, Path(max_length=64, pattern=STORABLE)],
) -> ProbeItem:
    """Ask a device now, as a sweep asks it. Its answer is shown and not stored.

    Once in ten seconds a device, ten times a minute a person.
    """
    now = int(time.time())
    probed = probe_device(database, settings, code, caller.reach, caller.actor, now)
    seen = probed.observation
    return ProbeItem(
        device=code,
        at=datetime.fromtimestamp(probed.at, settings.zone),
        status=seen.status,
        name=seen.status.name,
        slot_class=DEFAULT_POLICY.classes.get(seen.status, SlotClass.UNKNOWN).name.lower(),
        latency_ms=None if seen.latency_ms is None else round(seen.latency_ms, 1),
        clock_offset_s=None if seen.clock_offset_s is None else round(seen.clock_offset_s, 1),
        detail=seen.detail,
    )
