"""A small district with two days of evidence, made by the importers."""

from datetime import date
from pathlib import Path

import pytest

from app.config import Settings
from app.database import Database
from tests.app.availability.district import REGISTER, SLOT_S, District


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, poll_interval=SLOT_S)


@pytest.fixture
def district(database: Database, settings: Settings, tmp_path: Path) -> District:
    """C1 and C2 always intact but for C2's first 24 slots on 2 March; C3 has no samples; C4 is
    impaired in half of its slots on 2 March."""
    made = District(database, settings, tmp_path)
    made.register(REGISTER)
    first, second = date(2026, 3, 1), date(2026, 3, 2)
    made.observe("C1", first, lambda _slot: 0)
    made.observe("C1", second, lambda _slot: 0)
    made.observe("C2", first, lambda _slot: 1)
    made.observe("C2", second, lambda slot: 20 if slot < 24 else 1)
    made.observe("C4", second, lambda slot: 11 if slot % 2 else 0)
    return made
