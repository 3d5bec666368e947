"""Sweeps with every second camera behind HTTP digest: what a request costs, against open cameras.

Two simulated fleets, one open, one that asks every request for digest; the mixed sweep takes each
second camera from the guarded one. A guarded camera is sent two requests: one without a password,
which asks for the challenge, and one that answers it.
"""

import time
from functools import partial

import uvloop

from bench.figures import Figure, Options, Section, alternately, median
from bench.installation import scratch_folder, today
from bench.simulated import Simulated, simulated_fleet
from collectors.limits import raise_file_limit
from collectors.onvif.credentials import CredentialMemory
from collectors.probe import ProbeMethod, Target
from collectors.registry import open_probers
from collectors.sweep import SweepResult, sweep
from kpi.status import Status

NAME = "guarded"
HOW = (
    "CPU per request sent: a sweep of {cameras:,} simulated cameras of which every second one asks "
    "for HTTP digest (MD5 and SHA-256 offered, a new nonce each time), against a sweep of as many "
    "open ones; one process for all sweeps, as the collector has it."
)
BAR = 1.2
OPEN_FILES = 4_096
SETTLE_S = 0.5
"""Between two sweeps: what the simulators and the kernel still have to close."""
DIGEST = """
[[fault]]
kind = "auth"
share = 1.0
scheme = "http_digest"
"""


def measure(options: Options) -> Section:
    """Both sweeps in turn, `options.repetitions` times."""
    raise_file_limit(OPEN_FILES)
    day = today()
    with (
        scratch_folder() as folder,
        scratch_folder() as other,
        simulated_fleet(options.cameras, folder, commissioned_on=day) as free,
        simulated_fleet(options.cameras, other, commissioned_on=day, faults=DIGEST) as guarded,
    ):
        memory = CredentialMemory()
        mixed, bare = alternately(
            partial(_sweep, _mixed(free, guarded), memory),
            partial(_sweep, free.targets(ProbeMethod.ONVIF), memory),
            options.repetitions,
        )
    return Section(
        NAME,
        HOW.format(cameras=options.cameras),
        _figures(options, mixed, bare),
        notes=_notes(options, mixed, bare),
    )


def _mixed(free: Simulated, guarded: Simulated) -> list[Target]:
    targets = free.targets(ProbeMethod.ONVIF)
    for key, camera in list(enumerate(guarded.fleet.cameras))[1::2]:
        targets[key] = Target(
            key,
            camera.address,
            guarded.fleet.port,
            ProbeMethod.ONVIF,
            username=camera.username,
            password=camera.password,
        )
    return targets


def _sweep(targets: list[Target], memory: CredentialMemory) -> SweepResult:
    async def once() -> SweepResult:
        with open_probers(memory=memory) as probers:
            return await sweep(targets, probers)

    time.sleep(SETTLE_S)
    return uvloop.run(once())


def _requests(options: Options) -> int:
    """Of a mixed sweep."""
    return options.cameras + options.cameras // 2


def _figures(
    options: Options, mixed: list[SweepResult], bare: list[SweepResult]
) -> tuple[Figure, ...]:
    ours = median([each.cpu_s for each in mixed]) / _requests(options)
    peer = median([each.cpu_s for each in bare]) / options.cameras
    return (
        Figure("every second behind digest, CPU per request", 1e6 * ours, "µs", 1e6 * peer, BAR),
    )


def _notes(options: Options, mixed: list[SweepResult], bare: list[SweepResult]) -> tuple[str, ...]:
    intact = [min(_intact(each) for each in results) for results in (mixed, bare)]
    cpu_s, wall_s = (
        [median([getattr(each, name) for each in results]) for results in (mixed, bare)]
        for name in ("cpu_s", "wall_s")
    )
    return (
        f"INTACT in the worst sweep: {intact[0]:,} of {options.cameras:,} mixed, {intact[1]:,} "
        f"open: {_requests(options):,} requests against {options.cameras:,}. A mixed sweep took "
        f"{cpu_s[0]:.2f} s of CPU and {wall_s[0]:.2f} s of wall, an open one {cpu_s[1]:.2f} s and "
        f"{wall_s[1]:.2f} s.",
    )


def _intact(result: SweepResult) -> int:
    return result.by_status.get(Status.INTACT, 0)
