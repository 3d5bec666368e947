"""The inspections that are due, in a process of their own that ends when they are done.

The parsed WSDL would stay in the collector's memory, and its reading would take the sweeps' time.
"""

import asyncio
import contextlib
import sys

import structlog

from app.evidence.job_log import JobFailed

log = structlog.get_logger()
EVERY_S = 300
FIRST_AFTER_S = 90
"""The first sweep of a new collector has then told who answers."""
STOP_WITHIN_S = 2.0


class InspectionProcess:
    """Starts `intact inspect --due`, one at a time."""

    def __init__(self) -> None:
        self._child: asyncio.subprocess.Process | None = None

    async def run(self) -> None:
        """Start it and wait for its end. Raises `JobFailed`."""
        child = await self.start()
        code = await child.wait()
        if code > 0:  # below: ended by us
            log.warning("inspections failed; their own words are above", code=code)
            raise JobFailed(f"exit code {code}")

    async def start(self) -> asyncio.subprocess.Process:
        """Start it; `stop` ends it."""
        command = (sys.executable, "-m", "app.cli", "inspect", "--due")
        self._child = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL
        )
        return self._child

    async def stop(self) -> None:
        """End it where it runs; what it has not kept yet is inspected another time."""
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
