"""A register to import into."""

from pathlib import Path

import pytest

from app.config import Settings
from app.database import Database
from tests.app.fleet.imported import Register


@pytest.fixture
def register(database: Database, settings: Settings, tmp_path: Path) -> Register:
    return Register(database, settings, tmp_path)
