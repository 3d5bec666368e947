"""All SQL over the hot samples. A session comes in; nothing here begins or ends a transaction."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Select, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.database import straight_to_driver
from app.evidence.queries import copy_rows
from app.evidence.tables import FAILING, Sample
from kpi.calendar import Slots

SampleRow = tuple[int, int, int, int | None]
"""(tick, device id, status, latency in ms)"""
FEW_DEVICES = 200
"""Up to so many devices are read by naming their keys; for more, the whole range is scanned."""
Devices = Sequence[int] | Select[int]
"""Device ids, or a query of them."""


def insert_samples(session: Session, rows: Sequence[SampleRow]) -> tuple[int, int]:
    """Store samples; the first one under a key stays.

    Returns how many were new, and how many differ from what stays under their keys. Only where a
    key is taken is anything staged (docs/decisions/0004-copy-before-staging.md).
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        statement = "INSERT INTO sample VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        with straight_to_driver(connection) as driver:
            inserted = int(driver.executemany(statement, rows).rowcount)
        if inserted < len(rows):
            _stage(connection, rows)
            return inserted, _count_conflicts(connection, rows)
        return inserted, 0
    try:
        with connection.begin_nested():  # nearly always, all are new
            copy_rows(connection, "sample", rows)
    except IntegrityError:
        _stage(connection, rows)
        inserted = connection.exec_driver_sql(
            "INSERT INTO sample SELECT * FROM incoming ON CONFLICT DO NOTHING"
        ).rowcount
        return inserted, _count_conflicts(connection, rows)
    return len(rows), 0


def _stage(connection: Connection, rows: Sequence[SampleRow]) -> None:
    """Put samples into the temporary table `incoming`, in place of what is there."""
    connection.exec_driver_sql(
        "CREATE TEMPORARY TABLE IF NOT EXISTS incoming "
        "(tick BIGINT, device_id INTEGER, status SMALLINT, latency_ms SMALLINT)"
    )
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("DELETE FROM incoming")
        connection.exec_driver_sql("INSERT INTO incoming VALUES (?, ?, ?, ?)", list(rows))
    else:
        connection.exec_driver_sql("TRUNCATE incoming")
        copy_rows(connection, "incoming", rows)


def _count_conflicts(connection: Connection, rows: Sequence[SampleRow]) -> int:
    """How many of the samples, all staged, differ from what is stored under their keys."""
    ticks = [row[0] for row in rows]
    differing = text(
        "SELECT count(*) FROM incoming AS i JOIN sample AS s "
        "ON s.tick = i.tick AND s.device_id = i.device_id "
        "WHERE s.tick BETWEEN :first AND :last "  # so that only the partitions of its days are read
        "AND (s.status <> i.status "
        "OR coalesce(s.latency_ms, -1) <> coalesce(i.latency_ms, -1))"
    )
    return int(connection.scalar(differing, {"first": min(ticks), "last": max(ticks)}) or 0)


def status_chunks(
    session: Session, device_ids: npt.NDArray[np.int64], slots: Slots
) -> Iterable[npt.NDArray[np.int64]]:
    """Hot samples of these devices as arrays of shape (3, n): tick, device id, status.

    Where there are many devices, those of others come with them.
    """
    query = select(Sample.tick, Sample.device_id, Sample.status)
    if len(device_ids) > FEW_DEVICES:
        query = query.where(Sample.tick >= slots.start, Sample.tick < slots.end)
    else:
        ticks = range(slots.start, slots.end, slots.interval_s)
        query = query.where(Sample.tick.in_(ticks), Sample.device_id.in_(device_ids.tolist()))
    result: Any = session.connection().execute(query)
    cursor = result.cursor  # the driver's own: SQLAlchemy's rows cost four times as much
    while rows := cursor.fetchmany(20_000):
        flat = np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=3 * len(rows))
        yield flat.reshape(-1, 3).T


def hot_device_samples(
    session: Session, device_id: int, slots: Slots
) -> list[tuple[int, int, int | None]]:
    """(tick, status, latency in ms) of one device, in order."""
    ticks = range(slots.start, slots.end, slots.interval_s)
    rows = session.execute(
        select(Sample.tick, Sample.status, Sample.latency_ms)
        .where(Sample.tick.in_(ticks), Sample.device_id == device_id)
        .order_by(Sample.tick)
    )
    return [(tick, status, latency) for tick, status, latency in rows]


def hot_failing(session: Session, devices: Devices, start: int, end: int) -> npt.NDArray[np.int64]:
    """Samples that are not plainly intact, shape (3, n): device id, tick, status, in that order."""
    query = (
        select(Sample.device_id, Sample.tick, Sample.status)
        .where(Sample.device_id.in_(devices), Sample.tick >= start, Sample.tick < end, FAILING)
        .order_by(Sample.device_id, Sample.tick)
    )
    result: Any = session.connection().execute(query)
    rows = result.cursor.fetchall()  # the driver's own: SQLAlchemy's rows cost four times as much
    return np.array(rows, dtype=np.int64).reshape(-1, 3).T


def hot_failing_of_all(session: Session, start: int, end: int) -> npt.NDArray[np.int64]:
    """As `hot_failing`, of every device and in no order: for a few slots."""
    query = select(Sample.device_id, Sample.tick, Sample.status)
    query = query.where(Sample.tick >= start, Sample.tick < end, FAILING)
    result: Any = session.connection().execute(query)
    return np.array(result.cursor.fetchall(), dtype=np.int64).reshape(-1, 3).T


def hot_statuses_at(
    session: Session, device_ids: npt.NDArray[np.int64], ticks: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The hot samples under these keys, shape (3, n): device id, tick, status, in no order."""
    connection = session.connection()
    bounds = {"first": int(ticks.min()), "last": int(ticks.max())}
    chosen = "SELECT s.device_id, s.tick, s.status FROM"
    joined = "sample AS s ON s.tick = w.tick AND s.device_id = w.device_id"
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            "CREATE TEMPORARY TABLE IF NOT EXISTS wanted (tick BIGINT, device_id INTEGER)"
        )
        connection.exec_driver_sql("DELETE FROM wanted")
        order = np.lexsort((device_ids, ticks))
        pairs = list(zip(ticks[order].tolist(), device_ids[order].tolist(), strict=True))
        connection.exec_driver_sql("INSERT INTO wanted VALUES (?, ?)", pairs)
        # CROSS keeps the order: the keys first, then their samples
        result: Any = connection.exec_driver_sql(f"{chosen} wanted AS w CROSS JOIN {joined}")
    else:
        wanted = (
            "unnest(CAST(:ticks AS bigint[]), CAST(:devices AS integer[])) AS w(tick, device_id)"
        )
        statement = f"{chosen} {wanted} JOIN {joined} WHERE s.tick BETWEEN :first AND :last"
        keys = {"ticks": ticks.tolist(), "devices": device_ids.tolist()}
        result = connection.execute(text(statement), {**keys, **bounds})
    return np.array(result.cursor.fetchall(), dtype=np.int64).reshape(-1, 3).T
