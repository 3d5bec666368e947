"""What grows with what: the same work at a tenth of the fleet, at the fleet and at ten times it."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from app.fleet.roster import roster
from bench.figures import Options, Section, Table, median, shown
from bench.installation import Installation, installed, register_of, scratch_folder, today
from bench.memory import ask_for_all, await_sweeps
from bench.monthly import compare
from bench.served import Served, intact_serve
from bench.simulated import simulated_fleet
from bench.store import FIRST_TICK, recorder
from collectors.simulator.fleet import build_fleet
from kpi.calendar import local_day

NAME = "scale"
HOW = (
    "The same work at several sizes of the fleet: `intact sweep --once` (cameras), recording a "
    "sweep on SQLite, `intact serve` over {sweeps} slots of {interval} s with pages and REST asked "
    "for, a finished month by station. The last column says how many times the figure of the "
    "smallest fleet that of the largest is; the fleet itself grows {growth:.0f} ×."
)
RUNS = 3
SERVED_SWEEPS = 3
INTERVAL_S = 30
RECORDINGS = 10
REQUESTS = 6

Measured = Mapping[str, tuple[float, str]]
"""What → (figure, unit)"""


def measure(options: Options) -> Section:
    """One column for each size, one row for each figure."""
    sizes = sorted(options.scales)
    growth = sizes[-1] / sizes[0]
    how = HOW.format(sweeps=SERVED_SWEEPS, interval=INTERVAL_S, growth=growth)
    columns = [_measured(cameras) for cameras in sizes]
    header = ("what", *(f"{cameras:,} cameras" for cameras in sizes), "growth")
    return Section(NAME, how, table=Table(header, _rows(columns)), notes=_notes())


def _rows(columns: Sequence[Measured]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            what,
            *(shown(*column[what]) for column in columns),
            f"{columns[-1][what][0] / columns[0][what][0]:.1f} ×",
        )
        for what in columns[0]
    )


def _measured(cameras: int) -> Measured:
    with scratch_folder() as folder:
        live = _live(cameras, folder)
    with scratch_folder() as folder:
        record_ms = _recording_ms(cameras, folder)
    month = compare(cameras, REQUESTS)
    return {
        **live,
        "recording one sweep": (record_ms, "ms"),
        "month by station, median": (median(month.ours_ms), "ms"),
        "month by station, size": (month.answer_bytes / 1000, "kB"),
        "bare sum over the ledger": (median(month.peer_ms), "ms"),
    }


def _live(cameras: int, folder: Path) -> Measured:
    """What a sweep costs, and what the product needs at work."""
    day = today()
    with simulated_fleet(cameras, folder, commissioned_on=day) as simulated:
        with installed(folder) as installation:
            installation.take_over(simulated.camera_registers(), day)
            swept = _swept(installation)
        with installed(folder, INTERVAL_S) as installation:
            installation.take_over(simulated.registers, day)
            with intact_serve(installation) as served:
                return {**swept, **_at_work(served)}


def _swept(installation: Installation) -> Measured:
    runs = [installation.sweep_once() for _ in range(RUNS)]
    return {
        "answered rightly (worst run)": (
            min(run["by_status"].get("INTACT", 0) for run in runs),
            "",
        ),
        "sweep, CPU": (median([run["cpu_s"] for run in runs]), "s"),
        "sweep, wall": (median([run["wall_s"] for run in runs]), "s"),
        "sweep, p99 latency": (median([run["latency_ms"]["p99"] for run in runs]), "ms"),
    }


def _at_work(served: Served) -> Measured:
    await_sweeps(served, SERVED_SWEEPS)
    ask_for_all(served)
    web, collector = served.memory()
    page = served.client.get("/")
    return {
        "collector, RSS": (collector.rss, "MB"),
        "web process, RSS": (web.rss, "MB"),
        "page `/`, size": (len(page.body) / 1000, "kB"),
        "page `/`, time": (page.took_ms, "ms"),
    }


def _recording_ms(cameras: int, folder: Path) -> float:
    register = register_of(build_fleet(cameras), folder, date(2025, 12, 1))
    with installed(folder) as installation:
        installation.take_over([register], date(2025, 12, 1))
        day = local_day(FIRST_TICK, installation.settings.zone)
        with installation.database.read() as session:
            members = roster(session, day)
        record = recorder(installation, members)
        record()
        return median([record() for _ in range(RECORDINGS)])


def _notes() -> tuple[str, ...]:
    return (
        "Simulator and monitor share the cores; fleets of more than 17,000 addresses are simulated "
        "by several processes. The p99 latency is that of devices asked all at once (`--once` "
        "uses no phase): it holds the simulator's queue.",
        "The web process has answered the month by device, the one answer that grows with the "
        "fleet, before its memory is read.",
    )
