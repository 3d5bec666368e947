"""Serves a simulated fleet: every address its own listener, faults on one timeline."""

import asyncio
import contextlib
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvloop

from collectors.limits import raise_file_limit
from collectors.simulator.camera import Attempts, Camera
from collectors.simulator.endpoint import Endpoint
from collectors.simulator.errors import FileLimitError
from collectors.simulator.faults import HEALTHY
from collectors.simulator.fleet import SimulatedFleet
from collectors.simulator.register import write_register
from collectors.simulator.scenario import Scenario
from collectors.simulator.timeline import Timeline, with_failing_equipment_by_tcp

_SPARE_FILES = 128  # the loop, the logs, the register, the terminal
_MOST_CONNECTIONS = 1024  # of a monitor that bounds its concurrency


def files_needed(addresses: int) -> int:
    """How many files a process needs open to serve so many addresses and their connections."""
    return addresses + min(addresses, _MOST_CONNECTIONS) + _SPARE_FILES


class SimulatorServer:
    """A fleet that answers, as `async with SimulatorServer(fleet, scenario): ...`.

    The scenario's time begins when every address listens. One task applies the faults; where it
    fails (an address was taken while its listener was closed) `serve` raises what happened.

    Raises `ScenarioError` where the scenario does not fit the fleet.
    """

    def __init__(self, fleet: SimulatedFleet, scenario: Scenario | None = None) -> None:
        self.fleet = fleet
        self._timeline = Timeline(scenario or Scenario(), fleet)
        self._endpoints: dict[str, Endpoint] = {}
        self._task: asyncio.Task[None] | None = None
        self._failed: asyncio.Future[None] | None = None  # what ended the timeline

    async def start(self) -> None:
        """Listen on every address, then start the scenario.

        Raises `FileLimitError` or `AddressError`; nothing listens then.
        """
        needed = files_needed(len(self.fleet.listening))
        available = raise_file_limit(needed)
        if available < needed:
            raise FileLimitError(needed, available)
        self._endpoints = {device.code: Endpoint(device) for device in self.fleet.listening}
        try:
            behaviours = self._timeline.behaviours_at(0)
            for code, endpoint in self._endpoints.items():
                await endpoint.apply(behaviours.get(code, HEALTHY))
        except BaseException:
            self._close_all()
            raise
        self._failed = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._follow(self._failed))

    async def use(self, scenario: Scenario) -> None:
        """Go over to another scenario, whose time begins now. Raises `ScenarioError`."""
        if self._failed is None:
            raise RuntimeError("start the simulator first")
        timeline = Timeline(scenario, self.fleet)
        await self._stop_following()
        self._timeline = timeline
        await self._apply(0)
        for endpoint in self._endpoints.values():
            if isinstance(endpoint.state, Camera):
                endpoint.state.forget_attempts()
        self._task = asyncio.create_task(self._follow(self._failed))

    def attempts(self, code: str) -> Attempts:
        """What the camera `code` was asked since the scenario began.

        Raises `LookupError` where no such camera listens here.
        """
        endpoint = self._endpoints[code]
        if not isinstance(endpoint.state, Camera):
            raise LookupError(f"{code} is no camera")
        return endpoint.state.attempts

    async def serve(self, stop: asyncio.Event) -> None:
        """Return when `stop` is set; raise what ended the timeline before that."""
        if self._failed is None:
            raise RuntimeError("start the simulator first")
        waiting = asyncio.create_task(stop.wait())
        either: set[asyncio.Future[Any]] = {waiting, self._failed}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if self._failed.done():
            self._failed.result()

    async def stop(self) -> None:
        """Close every listener and connection."""
        await self._stop_following()
        self._close_all()
        await asyncio.sleep(0)  # closed transports leave the loop in its next turn

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _follow(self, failed: asyncio.Future[None]) -> None:
        """Apply each change of the timeline at its time; a failure goes to whoever serves."""
        loop = asyncio.get_running_loop()
        begin = loop.time()
        change_ms = self._timeline.next_change(0)
        try:
            while change_ms is not None:
                await asyncio.sleep(begin + change_ms / 1000 - loop.time())
                await self._apply(change_ms)
                change_ms = self._timeline.next_change(change_ms)
        except Exception as error:
            if not failed.done():
                failed.set_exception(error)

    async def _apply(self, at_ms: int) -> None:
        behaviours = self._timeline.behaviours_at(at_ms)
        for code, endpoint in self._endpoints.items():
            behaviour = behaviours.get(code, HEALTHY)
            if behaviour != endpoint.state.behaviour:
                await endpoint.apply(behaviour)

    async def _stop_following(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def _close_all(self) -> None:
        for endpoint in self._endpoints.values():
            endpoint.close()


@dataclass(frozen=True, slots=True)
class RegisterFile:
    """Where `run` writes the register, and the date from which all devices are in service."""

    path: Path
    commissioned_on: date


def run(
    fleet: SimulatedFleet,
    scenario: Scenario | None = None,
    *,
    register: RegisterFile | None = None,
    on_ready: Callable[[SimulatedFleet], None] | None = None,
) -> None:
    """Serve the fleet until SIGTERM or SIGINT; for the main thread of a process.

    Once every address of this slice listens, the register of the slice is written and `on_ready`
    called. Equipment that the scenario makes fail is probed by TCP in that register.

    Raises `SimulatorError` (see `errors`), or `OSError` where the register cannot be written.
    """
    scenario = scenario or Scenario()
    fleet = with_failing_equipment_by_tcp(fleet, scenario)
    uvloop.run(_serve_until_signal(fleet, scenario, register, on_ready))


async def _serve_until_signal(
    fleet: SimulatedFleet,
    scenario: Scenario,
    register: RegisterFile | None,
    on_ready: Callable[[SimulatedFleet], None] | None,
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_ in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_, stop.set)
    async with SimulatorServer(fleet, scenario) as server:
        if register is not None:
            write_register(register.path, fleet.part, register.commissioned_on)
        if on_ready is not None:
            on_ready(fleet)
        await server.serve(stop)
