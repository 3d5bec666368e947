"""Pages at the fleet and at ten times the fleet: what a page says must not grow with it.

Both installations are asked in turn, each through uvicorn in a process of its own over a kept
connection; the larger is held against the smaller, the size of the page against a bar.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

from bench.figures import Figure, Options, Section, alternately, median
from bench.installation import installed, register_of, scratch_folder, today
from bench.invented import fill_present
from bench.served import Answer, Served, web_alone
from collectors.simulator.fleet import build_fleet

NAME = "pages"
HOW = (
    "Each page with {small:,} and with {large:,} cameras: {days} days of ledger, the sweeps of the "
    "present day, SQLite. Time from the first byte asked to the last one answered; medians of "
    "{repetitions} answers each. *Ours* is the larger fleet, the *peer* the smaller one."
)
PATHS = (
    "/",
    "/overview/live",
    "/stations",
    "/devices",
    "/devices?state=offline",
    "/devices?state=intact",
    "/devices?state=unknown",
    "/months",
    "/alerts",
    "/faults",
)
GROWTH = 10
DAYS = 31
REPETITIONS = 30
TIME_BAR = 1.5
SIZE_BAR_KB = 150


def measure(options: Options) -> Section:
    """Time and size of every page at both sizes."""
    small, large = options.cameras, GROWTH * options.cameras
    with ExitStack() as stack:
        ours, peer = (stack.enter_context(_fleet(cameras)) for cameras in (large, small))
        figures = [figure for path in PATHS for figure in _compare(path, ours, peer)]
    how = HOW.format(small=small, large=large, days=DAYS, repetitions=REPETITIONS)
    return Section(NAME, how, figures=tuple(figures))


@contextmanager
def _fleet(cameras: int) -> Iterator[Served]:
    """A fleet of this size with its last days, served."""
    first = today() - timedelta(days=DAYS - 1)
    with scratch_folder() as folder, installed(folder) as installation:
        installation.take_over([register_of(build_fleet(cameras), folder, first)], first)
        fill_present(installation.database, installation.settings, DAYS, int(time.time()))
        with web_alone(installation) as served:
            yield served


def _compare(path: str, ours: Served, peer: Served) -> Iterator[Figure]:
    def ask(served: Served) -> Answer:
        return served.client.get(path)

    of_ours, of_peer = alternately(lambda: ask(ours), lambda: ask(peer), REPETITIONS)
    times = (median([each.took_ms for each in answers]) for answers in (of_ours, of_peer))
    ours_ms, peer_ms = times
    yield Figure(f"`{path}`, median", ours_ms, "ms", peer=peer_ms, bar=TIME_BAR)
    largest = max(len(each.body) for each in (*of_ours, *of_peer)) / 1000
    yield Figure(f"`{path}`, size", largest, "kB", bar=SIZE_BAR_KB)
