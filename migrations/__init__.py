"""Alembic migrations of the database, SQLite and PostgreSQL alike."""

HEAD = "0022"
"""The newest version; a test holds it to the files in `versions/`."""
