"""A fleet of six cameras in two rooms, in a background thread; scenarios are changed by `use`."""

from collections.abc import Iterator

import pytest

from collectors.simulator.running import RunningFleet, running_fleet
from collectors.simulator.scenario import Scenario


@pytest.fixture(scope="session")
def _one_fleet() -> Iterator[RunningFleet]:
    with running_fleet(cameras=6, rooms=2) as running:
        yield running


@pytest.fixture
def running(_one_fleet: RunningFleet) -> RunningFleet:
    """The fleet with every device healthy and open."""
    _one_fleet.use(Scenario())
    return _one_fleet
