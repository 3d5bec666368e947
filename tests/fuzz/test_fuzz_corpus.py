"""What the simulator says, once through every reader."""

import pytest

from tests.fuzz.properties import CHECKS
from tests.fuzz.seeds import seeds


@pytest.mark.parametrize("name", CHECKS)
def test_every_reply_of_the_simulator(name: str) -> None:
    for content in seeds()[name]:
        CHECKS[name](content)
