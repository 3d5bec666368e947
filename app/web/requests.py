"""What every endpoint takes out of a request: the database and the settings of its application."""

from typing import Annotated

from fastapi import Depends, Request

from app.config import Settings
from app.database import Database


async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


DatabaseDep = Annotated[Database, Depends(_database)]
SettingsDep = Annotated[Settings, Depends(_settings)]

STORABLE = r"^[^\x00]*$"
"""Pattern of text that can be looked up: no database holds a zero character."""

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
"""Media type of an XLSX file."""
