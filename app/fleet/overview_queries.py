"""SQL of the register's own pages: how many devices where, and the groups with their names."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.orm import Session

from app.fleet.queries import GROUPS
from app.fleet.roster import Grouping
from app.fleet.tables import Assignment, Cohort, Station
from app.web.listing import Listing


@dataclass(frozen=True, slots=True)
class StationRow:
    """A station (None: devices without one) and its devices by kind."""

    name: str | None
    by_kind: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.by_kind.values())


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group and how many devices belong to it, or will from their newest assignment on."""

    code: str
    name: str
    devices: int


def devices_by_station(session: Session) -> list[StationRow]:
    """Devices by station and kind, by the newest assignment; those without a station come last."""
    query = (
        select(Station.name, Cohort.kind, func.count())
        .select_from(Assignment)
        .join(Cohort)
        .outerjoin(Station, Station.id == Cohort.station_id)
        .where(Assignment.to_day.is_(None))
        .group_by(Station.id, Station.name, Cohort.kind)
    )
    sums: defaultdict[str | None, dict[str, int]] = defaultdict(dict)
    for name, kind, count in session.execute(query):
        sums[name][kind] = count
    ordered = sorted(sums.items(), key=lambda item: (item[0] is None, item[0] or ""))
    return [StationRow(name, by_kind) for name, by_kind in ordered]


def count_groups(session: Session, grouping: Grouping, text: str) -> int:
    """How many groups have this text in code or name."""
    table, _ = GROUPS[grouping]
    found = select(func.count()).select_from(table).where(_holds(table, text))
    return session.scalar(found) or 0


def read_groups(session: Session, grouping: Grouping, wanted: Listing) -> list[GroupRow]:
    """One page of the groups, by code."""
    table, pointer = GROUPS[grouping]
    order = table.code.desc() if wanted.descending else table.code
    page = select(table.id, table.code, table.name).where(_holds(table, wanted.text))
    groups = session.execute(page.order_by(order).offset(wanted.skip).limit(wanted.rows)).all()
    counted = (
        select(pointer, func.count())
        .select_from(Assignment)
        .join(Cohort)
        .where(Assignment.to_day.is_(None), pointer.in_([row[0] for row in groups]))
        .group_by(pointer)
    )
    devices: dict[int, int] = dict(session.execute(counted).all())
    return [GroupRow(code, name, devices.get(key, 0)) for key, code, name in groups]


def _holds(table: Any, text: str) -> ColumnElement[bool]:
    if not text:
        return true()
    return or_(
        table.code.icontains(text, autoescape=True), table.name.icontains(text, autoescape=True)
    )
