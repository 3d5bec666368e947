"""Child processes: starting and stopping them, what they cost in CPU and memory."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

STOP_WITHIN_S = 10
MB = 1e6
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class NotReadyError(RuntimeError):
    """A process ended, or was not ready in time."""


def python_module(*arguments: str) -> list[str]:
    """The command that runs a module with this interpreter."""
    return [sys.executable, "-m", *arguments]


@contextmanager
def child(
    command: Sequence[str], environment: Mapping[str, str] | None = None, log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process for the length of a `with` block; ended by SIGTERM, by SIGKILL where it must be."""
    with (log or Path(os.devnull)).open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def await_ready(
    process: subprocess.Popen[bytes], is_ready: Callable[[], bool], within_s: float = 120
) -> None:
    """Wait until `is_ready`. Raises `NotReadyError`."""
    deadline = time.monotonic() + within_s
    while not is_ready():
        if process.poll() is not None:
            raise NotReadyError(f"{process.args!r} ended with {process.returncode}")
        if time.monotonic() > deadline:
            raise NotReadyError(f"{process.args!r} was not ready within {within_s:g} s")
        time.sleep(0.05)


def listens(port: int) -> bool:
    """Whether something on this host takes connections at a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, its children not counted (/proc/PID/stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes (10⁶ bytes): `rss` resident, `pss` with shared pages divided by their sharers."""

    rss: float
    pss: float

    def __add__(self, other: "Memory") -> "Memory":
        return Memory(self.rss + other.rss, self.pss + other.pss)


def memory_of(pid: int) -> Memory:
    """From /proc/PID/smaps_rollup."""
    kilobytes: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, amount, *_ = line.split()
        kilobytes[name.rstrip(":")] = int(amount)
    return Memory(kilobytes["Rss"] * 1024 / MB, kilobytes["Pss"] * 1024 / MB)
