"""The night's work: the day that has ended is closed in the ledger, the database kept in shape."""

from datetime import timedelta

from sqlalchemy import text

from app.config import Settings
from app.database import Database
from app.evidence.ledger import bring_up_to_date
from kpi.calendar import local_day

LOOK_BACK_DAYS = 31


def tend(database: Database, settings: Settings, now: int) -> None:
    """Bring the ledger of the last month up to date and let the database tidy itself."""
    today = local_day(now, settings.zone)
    bring_up_to_date(database, settings, today - timedelta(days=LOOK_BACK_DAYS), today, now)
    with database.engine.connect() as connection:
        own = connection.execution_options(isolation_level="AUTOCOMMIT")
        own.execute(text("PRAGMA optimize" if database.is_sqlite else "ANALYZE"))
