import pytest
from fastapi import FastAPI

from app.config import Settings
from app.database import Database
from app.main import create_app


@pytest.fixture
def application(settings: Settings, database: Database) -> FastAPI:
    """The whole application; nobody is signed in."""
    return create_app(settings, database)
