"""The night's work: the day that has ended is closed in the ledger, the database kept in shape."""

from datetime import timedelta

from sqlalchemy import text

from app.config import Settings
from app.database import Database
from app.evidence.ledger import bring_up_to_date
from app.evidence.partitions import has_partition, make_partition
from app.evidence.store import claim_zone
from app.evidence.uploads import drop_expired
from kpi.calendar import days_between, local_day

LOOK_BACK_DAYS = 31
DAYS_AHEAD = 3


def tend(database: Database, settings: Settings, now: int) -> None:
    """Prepare the next days, bring the ledger of the last month up to date, tidy the database."""
    prepare_days(database, settings, now)
    drop_expired(settings, now)
    today = local_day(now, settings.zone)
    bring_up_to_date(database, settings, today - timedelta(days=LOOK_BACK_DAYS), today, now)
    with database.engine.connect() as connection:
        own = connection.execution_options(isolation_level="AUTOCOMMIT")
        own.execute(text("PRAGMA optimize" if database.is_sqlite else "ANALYZE"))


def prepare_days(database: Database, settings: Settings, now: int) -> None:
    """Make the partitions of today and the next days, so that no sweep has to."""
    if database.is_sqlite:
        return
    today = local_day(now, settings.zone)
    for day in days_between(today, today + timedelta(days=DAYS_AHEAD)):
        with database.write() as session:
            if not has_partition(session, day):
                make_partition(session, day, settings.zone)
                claim_zone(session, settings.timezone)  # whose midnights it was cut at
