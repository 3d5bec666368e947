"""A simulated fleet in a background thread, for tests and small tools."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass

import uvloop

from collectors.simulator.camera import Attempts
from collectors.simulator.errors import AddressError
from collectors.simulator.fleet import Device, EquipmentProbe, SimulatedFleet, build_fleet
from collectors.simulator.scenario import Scenario
from collectors.simulator.server import SimulatorServer
from collectors.simulator.timeline import with_failing_equipment_by_tcp

_PATIENCE_S = 60
_PORT_TRIES = 5


@dataclass(frozen=True, slots=True)
class RunningFleet:
    """A fleet that answers, in another thread of this process."""

    fleet: SimulatedFleet
    _server: SimulatorServer
    _loop: asyncio.AbstractEventLoop

    @property
    def port(self) -> int:
        """The one port of every address."""
        return self.fleet.port

    @property
    def cameras(self) -> tuple[Device, ...]:
        """The cameras that listen."""
        return tuple(device for device in self.fleet.listening if device.kind == "camera")

    def use(self, scenario: Scenario) -> None:
        """Go over to another scenario, whose time begins now; returns when it is in force."""
        if self._loop.is_closed():
            raise RuntimeError("the simulated fleet has ended")
        going_over = asyncio.run_coroutine_threadsafe(self._server.use(scenario), self._loop)
        going_over.result(_PATIENCE_S)

    def attempts(self, camera: Device) -> Attempts:
        """What a camera was asked since the scenario began; it may be answering just now."""
        return self._server.attempts(camera.code)


def free_port() -> int:
    """A port that was free on loopback a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_fleet(
    cameras: int = 6,
    rooms: int = 2,
    *,
    scenario: Scenario | None = None,
    port: int | None = None,
    seed: int = 1,
    equipment_probe: EquipmentProbe = "tcp",
    slice_index: int = 0,
    slices: int = 1,
) -> Iterator[RunningFleet]:
    """Run a fleet for the length of a `with` block; every address listens when it begins.

    Without a `port` a free one is chosen, so that tests do not meet. What goes wrong at the start
    is raised here, what ends the scenario later is raised at the end of the block.
    """
    for remaining in reversed(range(_PORT_TRIES if port is None else 1)):
        fleet = build_fleet(
            cameras,
            rooms,
            free_port() if port is None else port,
            seed,
            equipment_probe=equipment_probe,
            slice_index=slice_index,
            slices=slices,
        )
        fleet = with_failing_equipment_by_tcp(fleet, scenario or Scenario())
        thread = _FleetThread(fleet, scenario)
        try:
            running = thread.begin()
        except AddressError:
            if not remaining:
                raise
            continue
        break
    try:
        yield running
    finally:
        thread.end()


class _FleetThread:
    """The thread and its event loop."""

    def __init__(self, fleet: SimulatedFleet, scenario: Scenario | None) -> None:
        self._fleet, self._scenario = fleet, scenario
        self._ready: Future[RunningFleet] = Future()
        self._ended: Future[None] = Future()
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._main, name="simulated fleet", daemon=True)

    def begin(self) -> RunningFleet:
        self._thread.start()
        return self._ready.result(_PATIENCE_S)

    def end(self) -> None:
        if self._loop is not None and not self._ended.done():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_PATIENCE_S)
        self._ended.result(_PATIENCE_S)

    def _main(self) -> None:
        try:
            uvloop.run(self._serve())
            self._ended.set_result(None)
        except BaseException as error:  # handed to the thread that waits for it
            if self._ready.done():
                self._ended.set_exception(error)
            else:
                self._ready.set_exception(error)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with SimulatorServer(self._fleet, self._scenario) as server:
            self._ready.set_result(RunningFleet(self._fleet, server, self._loop))
            await server.serve(self._stop)
