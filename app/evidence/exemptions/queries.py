"""All SQL of the exemptions. A session comes in; no transaction begins or ends here."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, false, func, insert, or_, select, text, update
from sqlalchemy.orm import Session

from app.accounts.reach import Reach
from app.evidence.exemptions.tables import Exemption, ExemptionScope, ExemptionVersion
from app.fleet.roster import within
from app.fleet.tables import Assignment, Cohort, Device, Project, Room

KEPT = (
    "scope", "code", "start", "end", "reason", "approved_by", "document", "recorded_at",
    "recorded_by", "version",
)  # fmt: skip

_NAMED: Mapping[ExemptionScope, Any] = {
    ExemptionScope.DEVICE: Device.code,
    ExemptionScope.ROOM: Room.code,
    ExemptionScope.PROJECT: Project.code,
    ExemptionScope.POWER_DISTRICT: Assignment.power_district,
}
"""Scope → what its codes are codes of."""


class Member(NamedTuple):
    """A device that belongs to a scope from the start of `from_day` to that of `to_day`."""

    code: str
    device_id: int
    from_day: date
    to_day: date | None


def exemptions_touching(session: Session, start: int, end: int) -> list[Exemption]:
    """Those that cover any instant of `[start, end)`."""
    reaches = or_(Exemption.end.is_(None), Exemption.end > start)
    return list(session.scalars(select(Exemption).where(Exemption.start < end, reaches)))


def members(session: Session, scope: ExemptionScope, codes: Collection[str]) -> list[Member]:
    """The devices that ever belonged to these, and when."""
    column = _NAMED[scope]
    query = (
        select(column, Assignment.device_id, Assignment.from_day, Assignment.to_day)
        .join(Cohort, Cohort.id == Assignment.cohort_id)
        .join(Device, Device.id == Assignment.device_id)
        .outerjoin(Room, Room.id == Cohort.room_id)
        .outerjoin(Project, Project.id == Cohort.project_id)
        .where(column.in_(codes))
    )
    return [Member(*row) for row in session.execute(query)]


def named_by(
    session: Session, device_id: int, reach: Reach
) -> list[tuple[Mapping[ExemptionScope, str | None], date, date | None]]:
    """What a device belongs to under each scope, from the start of a day to that of another."""
    query = (
        select(*_NAMED.values(), Assignment.from_day, Assignment.to_day)
        .join(Cohort, Cohort.id == Assignment.cohort_id)
        .join(Device, Device.id == Assignment.device_id)
        .outerjoin(Room, Room.id == Cohort.room_id)
        .outerjoin(Project, Project.id == Cohort.project_id)
        .where(Assignment.device_id == device_id, within(reach))
        .order_by(Assignment.from_day)
    )
    return [
        (dict(zip(_NAMED, codes, strict=True)), from_day, to_day)
        for *codes, from_day, to_day in session.execute(query)
    ]


def exemptions_naming(
    session: Session, named: Mapping[ExemptionScope, Collection[str]]
) -> list[Exemption]:
    """All that name one of these codes, whenever they hold."""
    choices = [
        and_(Exemption.scope == scope, Exemption.code.in_(codes)) for scope, codes in named.items()
    ]
    return list(session.scalars(select(Exemption).where(or_(false(), *choices))))


def known_codes(session: Session, scope: ExemptionScope) -> set[str]:
    """What an exemption of this scope may name."""
    found = session.scalars(select(_NAMED[scope]).distinct())
    return {code for code in found if code is not None}


def lock_exemptions(session: Session) -> None:
    """Let nobody else change exemptions until this transaction ends; readers go on."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE exemption IN SHARE ROW EXCLUSIVE MODE"))


def all_exemptions(session: Session) -> list[Exemption]:
    """All of them; not to be changed through the ORM."""
    return list(session.scalars(select(Exemption)))


def read_exemptions(
    session: Session, scope: ExemptionScope | None, code: str | None, skip: int, count: int
) -> tuple[int, list[Exemption]]:
    """How many there are of this scope and code, and a page of them, the newest start first."""
    chosen: list[ColumnElement[bool]] = []
    if scope is not None:
        chosen.append(Exemption.scope == scope)
    if code is not None:
        chosen.append(Exemption.code == code)
    total = session.scalar(select(func.count(Exemption.id)).where(*chosen)) or 0
    page = select(Exemption).where(*chosen).order_by(Exemption.start.desc(), Exemption.id.desc())
    return total, list(session.scalars(page.offset(skip).limit(count)))


def stored_exemption(session: Session, scope: ExemptionScope, code: str, start: int) -> Exemption:
    """The one of this key, which is there."""
    found = select(Exemption).where(
        Exemption.scope == scope, Exemption.code == code, Exemption.start == start
    )
    return session.scalars(found).one()


def insert_exemptions(session: Session, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add exemptions; each row holds all columns but `id` and `version`."""
    for row in rows:
        session.execute(insert(Exemption), {"version": 1, "document": None, **row})


def replace_exemptions(
    session: Session, replaced: Sequence[tuple[Exemption, Mapping[str, Any]]]
) -> None:
    """Put new facts in the place of exemptions and keep what these said as versions."""
    for old, new in replaced:
        former = {name: getattr(old, name) for name in KEPT}
        session.execute(insert(ExemptionVersion), {"exemption_id": old.id, **former})
        changed = update(Exemption).where(Exemption.id == old.id)
        session.execute(changed.values(**new, version=old.version + 1))
