"""What the coverage-guided runs kept and what the simulator says, once through every reader."""

import pytest

from tests.fuzz.corpus import kept
from tests.fuzz.properties import CHECKS
from tests.fuzz.seeds import seeds


@pytest.mark.parametrize("name", CHECKS)
def test_every_input_that_is_kept(name: str) -> None:
    inputs = kept(name)
    assert len(inputs) > 20, "the corpus is gone"
    for content in inputs:
        CHECKS[name](content)


@pytest.mark.parametrize("name", CHECKS)
def test_every_reply_of_the_simulator(name: str) -> None:
    for content in seeds()[name]:
        CHECKS[name](content)
