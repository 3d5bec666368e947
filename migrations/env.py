"""Runs the migrations on the connection that `app.database` hands over."""

from alembic import context
from sqlalchemy import Connection, text

import app.accounts.tables
import app.evidence.archive.tables
import app.evidence.exemptions.tables
import app.evidence.sealing.tables
import app.evidence.tables
import app.fleet.tables
import app.operations.alerts.tables
import app.operations.city.tables
import app.operations.delivery.tables
import app.operations.faults.tables  # noqa: F401  (the imports fill the metadata)
from app.database import Base


def run(connection: Connection) -> None:
    """Migrate in one transaction; give up where another one holds a table for long."""
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL lock_timeout = '10s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(20230098)"))
        context.run_migrations()


run(context.config.attributes["connection"])
