"""Memory of the product at work: web process and collector after some sixty sweeps.

`intact serve` runs as it does in earnest, with a short poll interval so that sixty sweeps take five
minutes, over the whole simulated fleet; pages and REST are asked for meanwhile.
"""

import time

from bench.figures import Figure, Options, Section
from bench.installation import installed, scratch_folder, today
from bench.processes import Memory
from bench.served import Served, intact_serve
from bench.simulated import simulated_fleet
from kpi.calendar import Month

NAME = "memory"
HOW = (
    "Resident memory (RSS) of the web process and the collector together after {sweeps} sweeps of "
    "{cameras:,} cameras and the rooms' equipment by `intact serve` at a poll interval of "
    "{interval} s, pages and REST being asked for meanwhile."
)
INTERVAL_S = 5
BAR_MB = 300
ASK_EVERY_S = 3.0
PATHS = (
    "/",
    "/metrics",
    "/openapi.json",
    "/api/v1/availability/now?group_by=station",
    "/api/v1/availability/monthly?month={month}&group_by=station",
    "/api/v1/availability/monthly?month={month}&group_by=device",
    "/api/v1/availability/monthly?month={month}&group_by=room&format=csv",
    "/api/v1/availability/daily?from={today}&to={today}&group_by=contractor",
    "/api/v1/rooms",
    "/api/v1/alerts",
    "/api/v1/devices",
)


def measure(options: Options) -> Section:
    """One run of `options.sweeps` sweeps."""
    day = today()
    how = HOW.format(sweeps=options.sweeps, cameras=options.cameras, interval=INTERVAL_S)
    with (
        scratch_folder() as folder,
        simulated_fleet(options.cameras, folder, commissioned_on=day) as simulated,
        installed(folder, INTERVAL_S) as installation,
    ):
        installation.take_over(simulated.registers, day)
        with intact_serve(installation) as served:
            begun = served.memory()
            asked = await_sweeps(served, options.sweeps)
            ended = served.memory()
    return Section(NAME, how, _figures(ended), notes=_notes(begun, ended, asked))


def await_sweeps(served: Served, sweeps: int) -> int:
    """Ask for pages until so many sweeps are stored; how many requests that were."""
    asked = 0
    while served.finished_sweeps() < sweeps:
        asked += 1 + ask_for_all(served)
        time.sleep(ASK_EVERY_S)
    return asked


def ask_for_all(served: Served) -> int:
    """Every path once; the month by device, which is the largest answer, among them."""
    day = today()
    for path in PATHS:
        served.client.get(path.format(month=Month.of(day), today=day))
    return len(PATHS)


def _figures(ended: tuple[Memory, Memory]) -> tuple[Figure, ...]:
    web, collector = ended
    both = web + collector
    return (
        Figure("memory, web process and collector (RSS)", both.rss, "MB", bar=BAR_MB),
        Figure("memory, web process (RSS)", web.rss, "MB"),
        Figure("memory, collector (RSS)", collector.rss, "MB"),
        Figure("memory, both, shared pages counted once (PSS)", both.pss, "MB"),
    )


def _notes(
    begun: tuple[Memory, Memory], ended: tuple[Memory, Memory], asked: int
) -> tuple[str, ...]:
    before, after = (sum(each.rss for each in pair) for pair in (begun, ended))
    return (
        f"{before:.0f} MB at the start, {after:.0f} MB at the end; {asked:,} requests meanwhile, "
        "the month by device among them.",
        f"A slot of {INTERVAL_S} s makes the day's ledger {60 // INTERVAL_S} times as large as one "
        "of a minute would: what it needs is included.",
    )
