"""Fifty walls that are told of every sweep: what they cost the web process, and whether it grows.

The peer is what the same screens would cost without the stream: fifty open overviews, each asking
for what is new four times a slot, as that page does.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

from app.config import Settings
from app.evidence.recording import FinishedSweep, Recorder
from app.fleet.roster import roster
from bench.figures import Figure, Options, Section
from bench.installation import Installation, installed, register_of, scratch_folder, today
from bench.invented import fill_present, successive_sweeps
from bench.processes import cpu_seconds, memory_of
from bench.served import Served, web_alone
from collectors.simulator.fleet import build_fleet
from kpi.calendar import floor_to_slot

NAME = "wall"
HOW = (
    "{walls} walls connected to `/events` at {cameras:,} cameras ({days} days of ledger, sweeps of "
    "the present day, SQLite), a sweep stored each {interval} s for {slots} slots; CPU of the web "
    "process in per cent of one core. The *peer*: {walls} open pages that ask for the overview "
    "{looks} times a slot. Then a sweep each {rush} s until {states} states were told."
)
WALLS = 50
DAYS = 31
LOOKS_A_SLOT = 4
"""Of the peer, a page that polls instead of listening."""
SLOTS = 3
RUSH_S = 2
STATES = 120
WARM_STATES = 40
CPU_BAR = 10
GROWTH_BAR_MB = 8
EVENT = b"event: state"


@dataclass
class Walls:
    """Open streams; `states` of each and the bytes of all, so far."""

    served: Served
    token: str
    states: list[int] = field(default_factory=lambda: [0] * WALLS)
    taken: int = 0
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def look(self, number: int) -> None:
        """One wall: takes over what it is told until it is cancelled."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.served.port)
        head = (
            f"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.token}\r\n\r\n"
        )
        writer.write(head.encode())
        try:
            while line := await reader.readline():
                self.taken += len(line)
                self.states[number] += line.startswith(EVENT)
                self.heard.set()
        finally:
            writer.close()

    async def told(self, states: int) -> None:
        """Wait until every wall has been told so many states."""
        while min(self.states) < states:
            self.heard.clear()
            await self.heard.wait()


@dataclass
class Sweeps:
    """Stores one made-up sweep after the other, as if just finished."""

    installation: Installation
    made: Iterator[FinishedSweep]

    def store(self) -> None:
        sweep = replace(next(self.made), finished_at=int(time.time()))
        Recorder(self.installation.database, self.installation.settings).record(sweep)

    async def each(self, pause_s: float, count: int) -> None:
        for _ in range(count):
            started = time.monotonic()
            await asyncio.to_thread(self.store)
            await asyncio.sleep(pause_s - (time.monotonic() - started))


def measure(options: Options) -> Section:
    """CPU over some slots at the poll interval in use; memory over many states."""
    interval_s = Settings().poll_interval
    how = HOW.format(
        walls=WALLS, cameras=options.cameras, days=DAYS, interval=interval_s, slots=SLOTS,
        looks=LOOKS_A_SLOT, rush=RUSH_S, states=STATES,
    )  # fmt: skip
    first = today() - timedelta(days=DAYS - 1)
    with scratch_folder() as folder, installed(folder) as installation:
        register = register_of(build_fleet(options.cameras), folder, first)
        installation.take_over([register], first)
        fill_present(installation.database, installation.settings, DAYS, int(time.time()))
        with web_alone(installation) as served:
            figures, notes = asyncio.run(_measured(installation, served, interval_s))
    return Section(NAME, how, figures=figures, notes=notes)


async def _measured(
    installation: Installation, served: Served, interval_s: int
) -> tuple[tuple[Figure, ...], tuple[str, ...]]:
    with installation.database.read() as session:
        members = roster(session, today())
    next_tick = floor_to_slot(int(time.time()), interval_s) + interval_s
    sweeps = Sweeps(installation, successive_sweeps(members, next_tick, interval_s))
    walls = Walls(served, installation.api_token())
    looking = [asyncio.create_task(walls.look(number)) for number in range(WALLS)]
    await walls.told(1)
    streamed = await _share(served, lambda: sweeps.each(interval_s, SLOTS))
    in_use = walls.taken / (SLOTS + 1) / WALLS
    told = min(walls.states)
    await sweeps.each(RUSH_S, WARM_STATES)
    await walls.told(told + WARM_STATES // 2)
    warm = memory_of(served.pid).rss
    while min(walls.states) < STATES:
        await sweeps.each(RUSH_S, 1)
    grown = memory_of(served.pid).rss - warm
    for wall in looking:
        wall.cancel()
    await asyncio.gather(*looking, return_exceptions=True)
    polled = await _share(served, lambda: _poll(served, interval_s))
    return (
        Figure(f"{WALLS} walls, CPU of one core", streamed, "%", bar=CPU_BAR),
        Figure("the same against pages that ask", streamed, "%", peer=polled, bar=0.5),
        Figure(
            f"memory gained from state {WARM_STATES} to {STATES}", grown, "MB", bar=GROWTH_BAR_MB
        ),
    ), (
        f"Every wall was told every one of the first {told} states; a state and its beats are "
        f"{in_use / 1000:.0f} kB. RSS at the end: {warm + grown:.0f} MB.",
    )


async def _share(served: Served, work: Callable[[], Coroutine[None, None, None]]) -> float:
    """CPU of the web process while the work is done, in per cent of one core."""
    started, spent = time.monotonic(), cpu_seconds(served.pid)
    await work()
    return 100 * (cpu_seconds(served.pid) - spent) / (time.monotonic() - started)


async def _poll(served: Served, interval_s: int) -> None:
    """As many overviews as walls, spread over one slot."""
    looks = WALLS * LOOKS_A_SLOT
    pause_s, began = interval_s / looks, time.monotonic()
    for number in range(looks):
        await asyncio.to_thread(served.client.get, "/overview/live")
        await asyncio.sleep(max(0.0, began + (number + 1) * pause_s - time.monotonic()))
