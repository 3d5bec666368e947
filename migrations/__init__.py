"""Alembic migrations of the database, SQLite and PostgreSQL alike."""
