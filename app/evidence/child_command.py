"""Work of the collector in a process of its own that ends when it is done.

What it needs (a parsed WSDL, a day of samples) would stay in the collector's memory, and would take
the sweeps' time.
"""

import asyncio
import contextlib
import sys

import structlog

from app.evidence.job_log import JobFailed

log = structlog.get_logger()
STOP_WITHIN_S = 2.0


class ChildCommand:
    """Starts `intact` with these arguments, one process at a time."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self._child: asyncio.subprocess.Process | None = None

    async def run(self) -> None:
        """Start it and wait for its end. Raises `JobFailed`."""
        child = await self.start()
        code = await child.wait()
        if code > 0:  # below: ended by us
            told = " ".join(self._arguments)
            log.warning("it failed; its own words are above", command=told, code=code)
            raise JobFailed(f"exit code {code}")

    async def start(self) -> asyncio.subprocess.Process:
        """Start it; `stop` ends it."""
        command = (sys.executable, "-m", "app.cli", *self._arguments)
        self._child = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL
        )
        return self._child

    async def stop(self) -> None:
        """End it where it runs; what it has not kept yet is done another time."""
        child = self._child
        if child is None or child.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
            try:
                await asyncio.wait_for(child.wait(), STOP_WITHIN_S)
            except TimeoutError:
                child.kill()
                await child.wait()
