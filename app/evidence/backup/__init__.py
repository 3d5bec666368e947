"""Backups: the database and the archive as they were at one moment, and the way back."""
