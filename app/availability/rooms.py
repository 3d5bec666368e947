"""The state of the monitoring rooms, from their critical equipment. Source: DESIGN §4."""

from collections import defaultdict
from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel
from sqlalchemy.orm import Session

from app.accounts.reach import EVERYTHING, Reach
from app.availability.instant import cohorts_now, devices_now
from app.config import Settings
from app.database import Database
from app.fleet.roster import Grouping, GroupName, cohorts, group_names
from app.fleet.tables import DeviceKind
from kpi.rates import Amounts
from kpi.status import SlotClass

EQUIPMENT = (DeviceKind.ROOM_EQUIPMENT, DeviceKind.STORAGE)
COUNTED = (DeviceKind.CAMERA, *EQUIPMENT)
ANSWERS = (SlotClass.INTACT, SlotClass.IMPAIRED)


class Condition(StrEnum):
    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


class RoomState(BaseModel):
    """A room; counts are of devices in service, `…_answering` of those that answer."""

    code: str
    name: str
    state: Condition
    equipment: int
    equipment_answering: int
    cameras: int
    cameras_intact: int


def condition(critical: Sequence[SlotClass]) -> Condition:
    """Down when none of the critical equipment answers, degraded when some does not.

    Without evidence (or without critical equipment) a room is unknown; suspended and exempted
    equipment says nothing.
    """
    seen = [each for each in critical if each in (*ANSWERS, SlotClass.OFFLINE)]
    answering = sum(each in ANSWERS for each in seen)
    if not seen:
        return Condition.UNKNOWN
    if not answering:
        return Condition.DOWN
    return Condition.UP if answering == len(seen) else Condition.DEGRADED


def rooms_now(
    database: Database, settings: Settings, now: int, reach: Reach = EVERYTHING
) -> list[RoomState]:
    """The rooms in which anything is within reach, by code, as the last sweep saw it."""
    with database.read() as session:
        return room_states(session, settings, now, reach)


def room_states(
    session: Session, settings: Settings, now: int, reach: Reach = EVERYTHING
) -> list[RoomState]:
    """The same within a transaction."""
    views = {view.id: view for view in cohorts(session, reach)}
    names = group_names(session, Grouping.ROOM)
    counts = cohorts_now(session, settings, now)
    critical = devices_now(session, settings, now, critical_only=True)
    if reach.limited:
        theirs = {views[key].groups[Grouping.ROOM] for key in counts if key in views}
        names = {room_id: name for room_id, name in names.items() if room_id in theirs}
    classes: dict[int | None, list[SlotClass]] = defaultdict(list)
    for device in critical:
        view = views.get(device.cohort_id)
        if view is not None and view.kind in EQUIPMENT:
            classes[view.groups[Grouping.ROOM]].append(device.slot_class)
    sums: dict[tuple[int | None, bool], Amounts] = defaultdict(Amounts)
    for cohort_id, amounts in counts.items():
        view = views.get(cohort_id)
        if view is not None and view.kind in COUNTED:
            sums[view.groups[Grouping.ROOM], view.kind in EQUIPMENT] += amounts
    return [
        _room(name, classes[room_id], sums[room_id, True], sums[room_id, False])
        for room_id, name in sorted(names.items(), key=lambda item: item[1].code)
    ]


def _room(
    name: GroupName, critical: Sequence[SlotClass], equipment: Amounts, cameras: Amounts
) -> RoomState:
    return RoomState(
        code=name.code,
        name=name.name,
        state=condition(critical),
        equipment=equipment.in_service,
        equipment_answering=equipment.answered,
        cameras=cameras.in_service,
        cameras_intact=cameras.intact,
    )
