"""All SQL of the city's figures. A session comes in; no transaction begins or ends here."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

from app.availability.queries import belongs_on
from app.fleet.tables import Assignment
from app.operations.city.tables import CityFigure, CityFigureVersion
from kpi.calendar import Month

FACTS = ("rate", "assessed_s", "intact_s")
KEPT = ("month", "device_id", "version", *FACTS, "file", "recorded_at", "recorded_by")


def city_figures(session: Session, month: Month) -> dict[int, CityFigure]:
    """Device id → what the bureau says of its month."""
    found = select(CityFigure).where(CityFigure.month == str(month))
    return {each.device_id: each for each in session.scalars(found)}


def last_recorded(session: Session, month: Month) -> int | None:
    """When figures of the month were taken over last; None where there are none."""
    newest = select(func.max(CityFigure.recorded_at)).where(CityFigure.month == str(month))
    return session.scalar(newest)


def cohorts_at_end(session: Session, month: Month) -> dict[int, int]:
    """Device id → its cohort on the last day of the month, of the devices with a figure."""
    found = (
        select(CityFigure.device_id, Assignment.cohort_id)
        .join(Assignment, belongs_on(CityFigure.device_id, month.last))
        .where(CityFigure.month == str(month))
    )
    return dict(session.execute(found).all())


def lock_figures(session: Session) -> None:
    """Let nobody else take figures over until this transaction ends; readers go on."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE city_figure IN SHARE ROW EXCLUSIVE MODE"))


def insert_figures(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add figures; each row holds all columns but `version`."""
    if rows:
        session.execute(insert(CityFigure), [{"version": 1, **row} for row in rows])


def replace_figures(
    session: Session, replaced: Sequence[tuple[CityFigure, Mapping[str, Any]]]
) -> None:
    """Put new facts in the place of figures and keep what these said as versions."""
    if not replaced:
        return
    former = [{name: getattr(old, name) for name in KEPT} for old, _new in replaced]
    session.execute(insert(CityFigureVersion), former)
    changed = [{**new, "version": old.version + 1} for old, new in replaced]
    session.execute(update(CityFigure), changed)
