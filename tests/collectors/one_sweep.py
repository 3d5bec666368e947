"""A process that sweeps once and prints what it saw: for tests that stop or starve it.

`python -m tests.collectors.one_sweep SPECIFICATION`, a JSON object: `targets` (each address, port,
method), `options` (of `SweepOptions`), `ends_in_s`, and `free_files`: how many files the process
may still open when the sweep begins (null: as many as it likes).
"""

import json
import os
import resource
import sys
from typing import Any

import uvloop

from collectors.probe import ProbeMethod, Target
from collectors.registry import open_probers
from collectors.sweep import SweepOptions, SweepResult, sweep


async def _sweep(asked: dict[str, Any]) -> SweepResult:
    targets = [
        Target(key, address, port, ProbeMethod(method))
        for key, (address, port, method) in enumerate(asked["targets"])
    ]
    with open_probers() as probers:
        if asked.get("free_files") is not None:
            _leave_files(asked["free_files"])
        options = SweepOptions(**asked.get("options", {}))
        return await sweep(targets, probers, options, ends_in_s=asked.get("ends_in_s"))


def _leave_files(count: int) -> None:
    """Lower the limit until only so many files may be opened beside those that are open."""
    highest = max(map(int, os.listdir("/proc/self/fd")))
    held = [os.open("/dev/null", os.O_RDONLY) for _ in range(highest)]  # no gaps are left below
    limit = max(held) + 1 + count
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))


def main() -> None:
    result = uvloop.run(_sweep(json.loads(sys.argv[1])))
    seen = [
        {"status": each.status.name, "latency_ms": each.latency_ms, "detail": each.detail}
        for each in result.observations.values()
    ]
    print(json.dumps({"seen": seen, "lapses": result.lapses, "wall_s": result.wall_s}))


if __name__ == "__main__":
    main()
