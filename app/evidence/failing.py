"""All SQL over failing samples: what outages are made of. See `kpi.outages`."""

from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.evidence.tables import FAILING, Sample
from kpi.outages import Failing

_EMPTY = np.empty((0, 4), dtype=np.int64)


def failing_samples(
    session: Session, devices: ColumnElement[bool], start: int, end: int, interval_s: int
) -> Failing:
    """The samples in `[start, end)` that are not plainly intact.

    `devices` is a condition on `Sample.device_id`, such as `Sample.device_id.in_(…)` of a list or
    of a query; the slots of the stretch are `interval_s` long.
    """
    query = (
        select(Sample.device_id, Sample.tick, Sample.status)
        .where(devices, Sample.tick >= start, Sample.tick < end, FAILING)
        .order_by(Sample.device_id, Sample.tick)
    )
    result: Any = session.connection().execute(query)
    rows = result.cursor.fetchall()  # the driver's own: SQLAlchemy's rows cost four times as much
    if not rows:
        return Failing(*_EMPTY.T)
    device, tick, status = np.array(rows, dtype=np.int64).T
    return Failing(device, tick, status, np.full(len(rows), interval_s, dtype=np.int64))


def joined(parts: list[Failing]) -> Failing:
    """Several stretches as one, again in order of device and tick."""
    if not parts:
        return Failing(*_EMPTY.T)
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.lexsort((columns[1], columns[0]))
    return Failing(*(column[order] for column in columns))
