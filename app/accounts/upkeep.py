"""What ends by itself is taken away: sessions, counts of failures, old entries of the log."""

from app.accounts import audit, queries
from app.accounts.lockout import FORGOTTEN_AFTER_S
from app.accounts.sessions import drop_lapsed
from app.config import Settings
from app.database import Database


def tidy(database: Database, settings: Settings, now: int) -> None:
    """Called every hour. Raises `Refused` where the chain of the audit log is broken: what is left
    of it stays."""
    with database.write() as session:
        drop_lapsed(session, settings, now)
        queries.drop_failures_before(session, now - FORGOTTEN_AFTER_S)
    with database.write() as session:
        audit.purge(session, now, settings.audit_days)
