"""Commands of the simulated fleet and of the demonstration over it."""

import os
import signal
import threading
import time
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from app.config import load_settings
from app.console import errors_for_people, notices
from app.demo.running import Demonstration, run_demonstration
from app.errors import Refused
from collectors.icmp import can_ping
from collectors.simulator.errors import SimulatorError
from collectors.simulator.fleet import SimulatedFleet, build_fleet
from collectors.simulator.scenario import Scenario, load_scenario, preset
from collectors.simulator.server import RegisterFile, run
from kpi.calendar import local_day

Cameras = Annotated[int, typer.Option(min=1, help="How many cameras.")]
Rooms = Annotated[int, typer.Option(min=1, help="How many monitoring rooms.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], hidden=True)]


def simulate_command(
    cameras: Cameras = 3292,
    rooms: Rooms = 28,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="One port for all.")] = 8080,
    seed: Annotated[int, typer.Option(help="Another seed, another district.")] = 1,
    scenario: Annotated[Path | None, typer.Option(help="What fails, and when (TOML).")] = None,
    write_register: Annotated[
        Path | None, typer.Option(help="Write the importer's CSV here once all listen.")
    ] = None,
    preset_name: Annotated[str | None, typer.Option("--preset", hidden=True)] = None,
    commissioned_on: Day = None,
    slice_index: Annotated[int, typer.Option(hidden=True)] = 0,
    slices: Annotated[int, typer.Option(hidden=True)] = 1,
    with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False,
) -> None:
    """Simulate a fleet, each device on a loopback address of its own, until SIGTERM."""
    with errors_for_people():
        day = commissioned_on.date() if commissioned_on else _today()
        register = RegisterFile(write_register, day) if write_register else None
        if with_parent:
            threading.Thread(target=_end_with_parent, daemon=True).start()
        try:
            fleet = build_fleet(
                cameras,
                rooms,
                port,
                seed,
                equipment_probe="ping" if can_ping() else "tcp",
                slice_index=slice_index,
                slices=slices,
            )
            run(fleet, _scenario(scenario, preset_name), register=register, on_ready=_tell_ready)
        except (SimulatorError, OSError) as error:
            raise Refused(str(error)) from error


def demo_command(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of the web pages.")] = 8000,
    data: Annotated[Path, typer.Option(help="Folder of its database.")] = Path("intact-data/demo"),
    cameras: Cameras = 3292,
    rooms: Rooms = 28,
    history_days: Annotated[int, typer.Option(min=0, max=62, help="Invented history.")] = 62,
    open_to_read: Annotated[
        bool, typer.Option("--open", help="This machine may read without signing in.")
    ] = False,
    for_s: Annotated[
        float | None, typer.Option("--for", min=1, help="End after so many seconds.")
    ] = None,
) -> None:
    """Show everything on one machine: simulated fleet, history, live sweeps, the page."""
    with errors_for_people():
        run_demonstration(
            Demonstration(port, data, cameras, rooms, history_days, for_s, open_to_read)
        )


def _scenario(file: Path | None, preset_name: str | None) -> Scenario | None:
    if file is not None:
        return load_scenario(file)
    return preset(preset_name) if preset_name else None


def _end_with_parent() -> None:
    """Stop when the parent's end of standard input closes, however the parent ended."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _today() -> date:
    return local_day(int(time.time()), load_settings().zone)


def _tell_ready(fleet: SimulatedFleet) -> None:
    notices.print(f"{len(fleet.listening)} simulated devices listen on port {fleet.port}")
