"""Which devices a question is about, and how the answer is grouped."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from app.accounts.reach import EVERYTHING, Reach
from app.errors import NotFound
from app.fleet.roster import (
    CohortView,
    Grouping,
    GroupName,
    cohorts,
    device_id_of,
    device_names,
    group_names,
)
from app.fleet.tables import DeviceKind

BY_CODE = (Grouping.STATION, Grouping.ROOM, Grouping.PROJECT, Grouping.CONTRACTOR)
FLEET = GroupName("fleet", "fleet")


@dataclass(frozen=True, slots=True)
class Filters:
    """Codes of the groups and of the device asked for; None: all within reach."""

    kind: DeviceKind = DeviceKind.CAMERA
    station: str | None = None
    room: str | None = None
    project: str | None = None
    contractor: str | None = None
    device: str | None = None
    reach: Reach = EVERYTHING

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
    within_reach = cohorts(session, filters.reach)
    chosen = {view.id: view for view in within_reach if view.kind == filters.kind}
    for by in BY_CODE:
        code = filters.code_of(by)
        if code is not None:
            wanted, _name = group_named(session, by, code)
            if filters.reach.limited and all(view.groups[by] != wanted for view in within_reach):
                raise NotFound(by.value, code)
            chosen = {key: view for key, view in chosen.items() if view.groups[by] == wanted}
    return Selection(grouping, chosen, _device_id(session, filters), _names(session, grouping))


def group_named(session: Session, grouping: Grouping, code: str) -> tuple[int, GroupName]:
    """Id and name of a group. Raises `NotFound` for a code that the register does not hold."""
    for group_id, name in group_names(session, grouping).items():
        if name.code == code:
            return group_id, name
    raise NotFound(grouping.value, code)


def _device_id(session: Session, filters: Filters) -> int | None:
    """Only one that is or was within reach at some time; its figures are those of that time."""
    if filters.device is None:
        return None
    device_id = device_id_of(session, filters.device, filters.reach)
    if device_id is None:
        raise NotFound("device", filters.device)
    return device_id


def _names(session: Session, grouping: Grouping) -> Mapping[int, GroupName]:
    if grouping is Grouping.FLEET:
        return {}
    return device_names(session) if grouping is Grouping.DEVICE else group_names(session, grouping)
