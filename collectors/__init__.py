"""Talks to devices; knows no database and no web."""
