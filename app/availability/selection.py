"""Which devices a question is about, and how the answer is grouped."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from app.errors import NotFound
from app.fleet.roster import (
    CohortView,
    Grouping,
    GroupName,
    cohorts,
    device_ids_by_code,
    device_names,
    group_names,
)
from app.fleet.tables import DeviceKind

BY_CODE = (Grouping.STATION, Grouping.ROOM, Grouping.PROJECT, Grouping.CONTRACTOR)
FLEET = GroupName("fleet", "fleet")


@dataclass(frozen=True, slots=True)
class Filters:
    """Codes of the groups and of the device asked for; None: all."""

    kind: DeviceKind = DeviceKind.CAMERA
    station: str | None = None
    room: str | None = None
    project: str | None = None
    contractor: str | None = None
    device: str | None = None

    def code_of(self, grouping: Grouping) -> str | None:
        code: str | None = getattr(self, grouping.value)
        return code


@dataclass(frozen=True, slots=True)
class Selection:
    """The cohorts asked for (and the one device), and the names of the groups they fall into."""

    grouping: Grouping
    cohorts: Mapping[int, CohortView]
    device_id: int | None
    names: Mapping[int, GroupName] = field(repr=False)

    def group_of(self, cohort_id: int) -> int | None:
        """Id of a cohort's group under this grouping; None for the fleet and for no group."""
        return self.cohorts[cohort_id].groups.get(self.grouping)

    def name_of(self, group_id: int | None) -> GroupName | None:
        """Code and name of a group; None for the devices that have none."""
        if self.grouping is Grouping.FLEET:
            return FLEET
        return None if group_id is None else self.names[group_id]


def select_devices(session: Session, grouping: Grouping, filters: Filters) -> Selection:
    """Resolve codes. Raises `NotFound` for one that the register does not hold."""
    chosen = {view.id: view for view in cohorts(session) if view.kind == filters.kind}
    for by in BY_CODE:
        code = filters.code_of(by)
        if code is not None:
            wanted = _group_id(session, by, code)
            chosen = {key: view for key, view in chosen.items() if view.groups[by] == wanted}
    return Selection(
        grouping, chosen, _device_id(session, filters.device), _names(session, grouping)
    )


def _group_id(session: Session, grouping: Grouping, code: str) -> int:
    for group_id, name in group_names(session, grouping).items():
        if name.code == code:
            return group_id
    raise NotFound(grouping.value, code)


def _device_id(session: Session, code: str | None) -> int | None:
    if code is None:
        return None
    device_id = device_ids_by_code(session).get(code)
    if device_id is None:
        raise NotFound("device", code)
    return device_id


def _names(session: Session, grouping: Grouping) -> Mapping[int, GroupName]:
    if grouping is Grouping.FLEET:
        return {}
    return device_names(session) if grouping is Grouping.DEVICE else group_names(session, grouping)
