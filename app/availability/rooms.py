"""The state of the monitoring rooms, from their critical equipment. Source: DESIGN §4."""

from collections import defaultdict
from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel

from app.availability.instant import DeviceNow, devices_now
from app.config import Settings
from app.database import Database
from app.fleet.roster import Grouping, cohorts, critical_devices, group_names
from app.fleet.tables import DeviceKind
from kpi.status import SlotClass

EQUIPMENT = (DeviceKind.ROOM_EQUIPMENT, DeviceKind.STORAGE)
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


def rooms_now(database: Database, settings: Settings, now: int) -> list[RoomState]:
    """All rooms by code, as the last sweep saw them."""
    with database.read() as session:
        names = group_names(session, Grouping.ROOM)
        views = {view.id: view for view in cohorts(session)}
        critical = critical_devices(session)
        members: dict[int | None, list[tuple[DeviceKind, DeviceNow]]] = defaultdict(list)
        for device in devices_now(session, settings, now):
            view = views[device.cohort_id]
            members[view.groups[Grouping.ROOM]].append((view.kind, device))
    states = []
    for room_id, name in sorted(names.items(), key=lambda item: item[1].code):
        cameras = [each for kind, each in members[room_id] if kind is DeviceKind.CAMERA]
        equipment = [each for kind, each in members[room_id] if kind in EQUIPMENT]
        states.append(
            RoomState(
                code=name.code,
                name=name.name,
                state=condition(
                    [each.slot_class for each in equipment if each.device_id in critical]
                ),
                equipment=len(equipment),
                equipment_answering=sum(each.slot_class in ANSWERS for each in equipment),
                cameras=len(cameras),
                cameras_intact=sum(each.slot_class is SlotClass.INTACT for each in cameras),
            )
        )
    return states
