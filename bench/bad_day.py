"""A bad day: 30 % of the cameras accept and hang, 5 % refuse; does the sweep end in time, rightly?

The sweep is the collector's own (time-out 3 s, one retry, its usual concurrency), without phases.
Every observation is compared with what the simulator was told to do to that camera.
"""

from collections import Counter

import uvloop

from bench.figures import Figure, Options, Section, median
from bench.installation import scratch_folder, today
from bench.simulated import Simulated, simulated_fleet
from collectors.limits import raise_file_limit
from collectors.probe import ProbeMethod
from collectors.registry import open_probers
from collectors.simulator.faults import HEALTHY, Link
from collectors.simulator.scenario import preset
from collectors.simulator.timeline import Timeline
from collectors.sweep import SweepOptions, SweepResult, sweep
from kpi.status import Status

NAME = "bad_day"
HOW = (
    "A sweep of {cameras:,} simulated cameras of which 30 % accept the connection and never "
    "answer and 5 % refuse it; time-out 3 s, one retry."
)
END_WITHIN_S = 10
RUNS = 3
PRESET = "bad_day"
OPEN_FILES = 4_096
_EXPECTED = {Link.OPEN: Status.INTACT, Link.HANG: Status.TIMEOUT, Link.CLOSED: Status.REFUSED}


def measure(options: Options) -> Section:
    """The slowest of some sweeps, and all wrong observations of them."""
    raise_file_limit(OPEN_FILES)
    with scratch_folder() as folder:
        day = today()
        with simulated_fleet(
            options.cameras, folder, commissioned_on=day, preset=PRESET
        ) as simulated:
            results = [_sweep(simulated) for _ in range(RUNS)]
        wrong = [_wrong(simulated, result) for result in results]
    return Section(
        NAME,
        HOW.format(cameras=options.cameras),
        (
            Figure(
                "bad day, wall (slowest)", max(r.wall_s for r in results), "s", bar=END_WITHIN_S
            ),
            Figure("bad day, wrong observations", sum(map(len, wrong)), "", bar=0),
        ),
        notes=_notes(results),
    )


def _sweep(simulated: Simulated) -> SweepResult:
    async def once() -> SweepResult:
        with open_probers() as probers:
            targets = simulated.targets(ProbeMethod.ONVIF)
            return await sweep(targets, probers, SweepOptions(timeout_s=3.0, retries=1))

    return uvloop.run(once())


def _wrong(simulated: Simulated, result: SweepResult) -> list[int]:
    """The cameras whose status is not what the scenario makes of them."""
    behaviours = Timeline(preset(PRESET), simulated.fleet).behaviours_at(0)
    return [
        key
        for key, camera in enumerate(simulated.fleet.cameras)
        if result.observations[key].status
        is not _EXPECTED[behaviours.get(camera.code, HEALTHY).link]
    ]


def _notes(results: list[SweepResult]) -> tuple[str, ...]:
    statuses: Counter[Status] = Counter()
    for result in results:
        statuses.update(result.by_status)
    seen = ", ".join(f"{count // RUNS:,} {status.name}" for status, count in statuses.items())
    cpu_s = median([result.cpu_s for result in results])
    return (f"Of each of {RUNS} sweeps: {seen}; {cpu_s:.2f} s of CPU.",)
