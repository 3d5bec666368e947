"""The real processes of the tests: `serve` with its collector over a small simulated fleet."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import IO, Any

import psutil

from collectors.simulator.register import write_register
from collectors.simulator.running import RunningFleet, free_port

INTERVAL_S = 2
PATIENCE_S = 40
INTACT = [sys.executable, "-m", "app.cli"]


def installed(folder: Path, fleet: RunningFleet, **settings: str) -> dict[str, str]:
    """The environment of a database with the simulated register, in slots of two seconds."""
    register = folder / "register.csv"
    write_register(register, fleet.fleet.part, date(2026, 1, 1))
    clean = {name: value for name, value in os.environ.items() if not name.startswith("INTACT_")}
    variables = clean | {
        "INTACT_DATA_DIR": str(folder / "data"),
        "INTACT_POLL_INTERVAL": str(INTERVAL_S),
        **settings,
    }
    for command in (["db", "upgrade"], ["import", "devices", str(register)]):
        subprocess.run([*INTACT, *command], env=variables, check=True, stdout=subprocess.DEVNULL)
    return variables


@contextmanager
def serving(
    environment: dict[str, str], log: IO[bytes] | None = None
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    port = free_port()
    command = [*INTACT, "serve", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def token(environment: dict[str, str], role: str = "supervisor") -> dict[str, str]:
    """The header of a system that may do what this role may; usually: read the figures."""
    command = [*INTACT, "token", "add", "tests", "--role", role]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return {"Authorization": f"Bearer {done.stdout.strip()}"}


def eventually(ask: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError(f"waited {PATIENCE_S} s in vain for {what}")


def collector_of(process: subprocess.Popen[bytes]) -> psutil.Process | None:
    for child in psutil.Process(process.pid).children():
        with suppress(psutil.Error):  # one that was killed a moment ago
            if "collect" in child.cmdline():
                return child
    return None
