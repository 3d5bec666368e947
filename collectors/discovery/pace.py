"""Addresses are asked one after another at a steady pace: no burst, not even after a pause."""

import asyncio
import time
from collections.abc import Awaitable, Callable


class Pace:
    """`clock` tells seconds, `sleep` waits for so many."""

    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._interval_s = 1 / per_second
        self._clock, self._sleep = clock, sleep
        self._next = clock()

    async def turn(self) -> None:
        """Wait until the next address may be asked."""
        now = self._clock()
        due = max(self._next, now)
        self._next = due + self._interval_s
        await self._sleep(due - now)
