"""Daily partitions of the table `sample` on PostgreSQL; on SQLite it is one table.

A partition holds the ticks of one local day. It is made ahead by `app.evidence.upkeep`, and on
demand where a day gets its first evidence (`app.evidence.store.claim_day`), so that every sample
has a place. There is no partition for the rest: its rows would stand in the way of their own day's.
"""

from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from kpi.calendar import day_bounds

CLAIM_KEY = 2023_0098_02
WAIT_AT_MOST = "10s"


def has_partition(session: Session, day: date) -> bool:
    """Whether the samples of a local day have a place."""
    if session.get_bind().dialect.name != "postgresql":
        return True
    found = text("SELECT to_regclass(:name) IS NOT NULL")
    return bool(session.scalar(found, {"name": partition_name(day)}))


def make_partition(session: Session, day: date, zone: ZoneInfo) -> None:
    """Make the partition of a local day unless it is there; one transaction at a time does so.

    The table is made by itself and then attached: sweeps and readers pass meanwhile, whereas
    CREATE TABLE … PARTITION OF would wait for all of them, and they for it.
    """
    hold_claims(session)
    if has_partition(session, day):
        return
    name, (start, end) = partition_name(day), day_bounds(day, zone)
    session.execute(text(f"CREATE TABLE {name} (LIKE sample)"))
    attach = f"ALTER TABLE sample ATTACH PARTITION {name} FOR VALUES FROM ({start}) TO ({end})"
    session.execute(text(attach))


def hold_claims(session: Session) -> None:
    """Let no other transaction claim a day or make a partition until this one has ended.

    Taken before the first of either, it keeps two transactions of several days from waiting for
    each other in a circle. On SQLite a write transaction is alone anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"SET LOCAL lock_timeout = '{WAIT_AT_MOST}'"))
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CLAIM_KEY})


def partition_name(day: date) -> str:
    return f"sample_{day:%Y%m%d}"
