"""Commands of the evidence: looking at devices by hand."""

import asyncio
from enum import StrEnum
from typing import Annotated

import typer
import uvloop

from app.config import Settings, load_settings
from app.console import (
    asked_password,
    errors_for_people,
    notices,
    opened,
    print_json,
    print_table,
)
from app.database import Database
from app.errors import BadParameter, NotFound
from app.evidence.collecting import Collecting
from app.evidence.leadership import leadership
from app.evidence.store import refuse_other_zone
from app.fleet.password_memory import shared_memory
from app.fleet.roster import Grouping, group_names
from collectors.diagnosis import Step, diagnose
from collectors.limits import raise_file_limit
from collectors.probe import ProbeMethod, Target
from collectors.registry import open_probers
from collectors.sweep import SweepResult

OPEN_FILES = 4_096
DEFAULT_PORTS = {ProbeMethod.ONVIF: 80, ProbeMethod.TCP: 80, ProbeMethod.PING: 0}


class SweepFormat(StrEnum):
    TABLE = "table"
    JSON = "json"


def sweep_command(
    once: Annotated[bool, typer.Option("--once", help="Sweep now, without phases.")] = False,
    room: Annotated[str | None, typer.Option(help="Only this room (code).")] = None,
    form: Annotated[SweepFormat, typer.Option("--format")] = SweepFormat.TABLE,
) -> None:
    """Ask every device once. Stored as evidence only where no collector is running."""
    with errors_for_people():
        if not once:
            raise BadParameter("--once", "say --once; `intact serve` sweeps each slot by itself")
        with opened() as (settings, database):
            _require_room(database, room)
            refuse_other_zone(database, settings)
            raise_file_limit(OPEN_FILES)
            with leadership(database) as claim:
                result, stored = uvloop.run(_sweep(database, settings, room, claim.renew()))
    _print_sweep(result, stored, form)


async def _sweep(
    database: Database, settings: Settings, room: str | None, keep: bool
) -> tuple[SweepResult, int]:
    with (
        shared_memory(database, settings) as passwords,
        open_probers(settings.clock_tolerance, passwords.memory) as probers,
    ):
        return await Collecting(database, settings, probers).sweep_once(room, keep=keep)


def probe_command(
    address: Annotated[str, typer.Argument(help="Address or host name of the device.")],
    probe: Annotated[ProbeMethod, typer.Option(help="How to ask.")] = ProbeMethod.ONVIF,
    port: Annotated[int | None, typer.Option(min=1, max=65_535)] = None,
    username: Annotated[
        str | None, typer.Option(help="The password is asked for (or read from a pipe).")
    ] = None,
    tls: Annotated[
        bool, typer.Option("--tls", help="Speak TLS; its certificate is not checked.")
    ] = False,
) -> None:
    """Ask one device step by step: what failed and what to do. Never evidence."""
    with errors_for_people():
        settings = load_settings()
        password = asked_password() if username else ""
        target = Target(
            key=0,
            address=address,
            port=port or DEFAULT_PORTS[probe],
            method=probe,
            tls=tls,
            username=username or "",
            password=password,
        )
        steps = asyncio.run(diagnose(target, clock_tolerance_s=settings.clock_tolerance))
    _print_steps(steps)
    if not all(step.ok for step in steps):
        raise typer.Exit(1)


def _require_room(database: Database, room: str | None) -> None:
    with database.read() as session:
        codes = {name.code for name in group_names(session, Grouping.ROOM).values()}
    if room is not None and room not in codes:
        raise NotFound("room", room)


def _print_sweep(result: SweepResult, stored: int, form: SweepFormat) -> None:
    document = {
        "devices": len(result.observations),
        "by_status": {status.name: count for status, count in result.by_status.items()},
        "wall_s": round(result.wall_s, 3),
        "cpu_s": round(result.cpu_s, 3),
        "latency_ms": result.latency_ms,
        "stored": stored,
    }
    if form is SweepFormat.JSON:
        print_json(document)
    else:
        print_table([{"figure": key, "value": value} for key, value in document.items()])


def _print_steps(steps: list[Step]) -> None:
    for step in steps:
        print(f"{'ok  ' if step.ok else 'FAIL'} {step.name}: {step.detail}")
        if step.remedy:
            print(f"     {step.remedy}")
    notices.print("Not stored: a probe by hand is never evidence.")
