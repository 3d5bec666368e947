"""Addresses are asked at a steady pace, by a clock that the test turns."""

import asyncio
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from collectors.discovery.pace import Pace


class Time:
    """A clock that only sleeping moves, and what was slept."""

    def __init__(self) -> None:
        self.now = 1_000.0

    async def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds


@given(st.floats(0.5, 1_000), st.lists(st.floats(0, 3), min_size=2, max_size=30))
def test_never_more_than_the_rate_and_no_burst(rate: float, busy: list[float]) -> None:
    time = Time()
    pace = Pace(rate, clock=lambda: time.now, sleep=time.sleep)
    turns = []

    async def take_turns() -> None:
        for seconds in busy:
            await pace.turn()
            turns.append(time.now)
            time.now += seconds

    asyncio.run(take_turns())
    gaps = [later - earlier for earlier, later in pairwise(turns)]
    assert all(gap >= 1 / rate - 1e-9 for gap in gaps)
    for gap, seconds in zip(gaps, busy, strict=False):  # and not slower than it need be
        assert gap <= max(seconds, 1 / rate) + 1e-9
