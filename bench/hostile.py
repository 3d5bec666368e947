"""A fleet that does everything wrong, swept hundreds of times: does the memory grow?

For every habit, delivery and link fault of the simulator there are three cameras: open, behind a
WS-UsernameToken and behind HTTP digest. The register has wrong passwords for both, and they change
with every tenth sweep, as if somebody kept importing other wrong ones.
"""

import gc
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import uvloop

from bench.figures import Figure, Options, Section
from bench.installation import scratch_folder, today
from bench.processes import memory_of
from bench.simulated import Simulated, simulated_fleet
from collectors.limits import raise_file_limit
from collectors.onvif.credentials import MOST_ENTRIES, CredentialMemory
from collectors.onvif.prober import OnvifProber
from collectors.probe import ProbeMethod, Target
from collectors.simulator.deliveries import DELIVERIES
from collectors.simulator.fleet import build_fleet
from collectors.simulator.habits import HABITS
from collectors.sweep import SweepOptions, sweep
from kpi.status import Status

NAME = "hostile"
HOW = (
    "Resident memory of one process that sweeps {cameras} simulated cameras {sweeps} times: every "
    "habit and attack that the simulator knows, each open, behind a token and behind digest, with "
    "wrong passwords that change every tenth sweep. Against the same process after its first "
    "{warm} sweeps."
)
SWEEPS, WARM_SWEEPS, CHANGE_EVERY = 400, 50, 10
BAR = 1.05
OPEN_FILES = 4_096
KINDS = (*HABITS, *DELIVERIES, "hang", "reset", "refused", "one_at_a_time", "bad_certificate")
DEMANDS = ("", "ws_token", "http_digest")
OPTIONS = SweepOptions(timeout_s=0.3, retries=0)


def measure(options: Options) -> Section:
    """One run; `options` do not change it."""
    raise_file_limit(OPEN_FILES)
    cameras = len(KINDS) * len(DEMANDS)
    with (
        scratch_folder() as folder,
        simulated_fleet(cameras, folder, commissioned_on=today(), faults=_faults()) as fleet,
    ):
        memory, statuses = CredentialMemory(), Counter[Status]()
        rss = uvloop.run(_sweep_all(fleet, memory, statuses))
    return Section(
        NAME,
        HOW.format(cameras=cameras, sweeps=SWEEPS, warm=WARM_SWEEPS),
        (
            Figure("hostile fleet, memory at the end (RSS)", rss[-1], "MB", rss[0], BAR),
            Figure("memory of passwords, full, beyond an empty process", _full(), "MB"),
        ),
        notes=_notes(rss, memory, statuses),
    )


def _faults() -> str:
    """The scenario: which camera does what."""
    codes = iter(camera.code for camera in build_fleet(len(KINDS) * len(DEMANDS), port=1).cameras)
    tables = []
    for kind in KINDS:
        for scheme in DEMANDS:
            where = f"codes = {json.dumps([next(codes)])}\n"
            tables.append(f'[[fault]]\nkind = "{kind}"\n{where}')
            if scheme:
                tables.append(f'[[fault]]\nkind = "wrong_password"\nscheme = "{scheme}"\n{where}')
    return "\n".join(tables)


async def _sweep_all(
    fleet: Simulated, memory: CredentialMemory, statuses: Counter[Status]
) -> list[float]:
    """MB after the first sweeps, then after every fifty more."""
    prober, rss = OnvifProber(memory=memory), []
    targets = fleet.targets(ProbeMethod.ONVIF)
    for number in range(1, SWEEPS + 1):
        password = f"wrong-{number // CHANGE_EVERY}"
        asked = [_with_password(target, password) for target in targets]
        result = await sweep(asked, {ProbeMethod.ONVIF: prober}, OPTIONS)
        statuses.update(result.by_status)
        if number % WARM_SWEEPS == 0:
            gc.collect()
            rss.append(memory_of(os.getpid()).rss)
    return rss


def _with_password(target: Target, password: str) -> Target:
    return replace(target, username="admin", password=password)


def _full() -> float:
    """MB that a memory takes which was shown twice as many passwords as it keeps."""
    before = memory_of(os.getpid()).rss
    memory = CredentialMemory()
    for number in range(2 * MOST_ENTRIES):
        memory.remember_refusal("10.0.0.1", "admin", str(number))
    assert memory.size == MOST_ENTRIES
    return memory_of(os.getpid()).rss - before


def _notes(
    rss: Sequence[float], memory: CredentialMemory, statuses: Counter[Status]
) -> tuple[str, ...]:
    course = ", ".join(f"{each:.1f}" for each in rss)
    seen = ", ".join(f"{count:,} {status.name}" for status, count in sorted(statuses.items()))
    return (
        f"After every {WARM_SWEEPS} sweeps: {course} MB; {memory.size:,} verdicts on passwords "
        "remembered at the end. Seen in all: " + seen + ".",
        f"The memory of passwords keeps {MOST_ENTRIES:,} at most, the skeletons of answers 256.",
    )
