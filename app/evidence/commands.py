"""Commands of the evidence: imports, and looking at devices by hand."""

import asyncio
import time
from dataclasses import asdict
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from app.accounts.audit import record, shell_actor
from app.config import Settings, load_settings
from app.console import (
    asked_password,
    errors_for_people,
    notices,
    opened,
    print_json,
    print_table,
    reported_progress,
)
from app.database import Database
from app.errors import BadParameter, NotFound
from app.evidence.collecting import Collecting
from app.evidence.leadership import leadership
from app.evidence.ledger import mark_touched
from app.evidence.sample_import import import_samples
from app.evidence.store import refuse_other_zone
from app.evidence.suspensions import import_suspensions
from app.fleet.importing import import_devices
from app.fleet.password_memory import shared_memory
from app.fleet.roster import Grouping, group_names
from app.tabular import ImportResult
from collectors.diagnosis import Step, diagnose
from collectors.limits import raise_file_limit
from collectors.probe import ProbeMethod, Target
from collectors.registry import open_probers
from collectors.sweep import SweepResult
from kpi.calendar import local_day

File = Annotated[Path, typer.Argument(help="The file to read.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check only; write nothing.")]
OPEN_FILES = 4_096
DEFAULT_PORTS = {ProbeMethod.ONVIF: 80, ProbeMethod.TCP: 80, ProbeMethod.PING: 0}


class SweepFormat(StrEnum):
    TABLE = "table"
    JSON = "json"


imports = typer.Typer(help="Take over files: register, suspensions, samples.", no_args_is_help=True)


@imports.command("devices")
def import_devices_command(
    file: File,
    dry_run: DryRun = False,
    effective: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="The day from which known devices belong to their new groups (default: tomorrow).",
        ),
    ] = None,
) -> None:
    """Take a register (一机一档) over from CSV: every row is right, or nothing is imported."""
    with errors_for_people(), opened() as (settings, database), reported_progress() as report:
        refuse_other_zone(database, settings)
        result = import_devices(
            database,
            settings,
            file,
            today=_today(settings),
            on_touched=mark_touched,
            dry_run=dry_run,
            effective=effective.date() if effective else None,
            progress=report,
        )
        if not dry_run:
            _record(database, "devices.import", file, asdict(result))
    _tell("devices", result, dry_run)


@imports.command("suspensions")
def import_suspensions_command(file: File, dry_run: DryRun = False) -> None:
    """Take suspensions (报停) over from CSV."""
    with errors_for_people(), opened() as (settings, database), reported_progress() as report:
        refuse_other_zone(database, settings)
        result = import_suspensions(
            database,
            settings,
            file,
            now=int(time.time()),
            on_touched=mark_touched,
            dry_run=dry_run,
            progress=report,
        )
        if not dry_run:
            _record(database, "suspensions.import", file, asdict(result))
    _tell("suspensions", result, dry_run)


@imports.command("samples")
def import_samples_command(
    file: File,
    interval: Annotated[
        int | None,
        typer.Option(help="Slot length in seconds of days that have no evidence yet."),
    ] = None,
) -> None:
    """Take history of another monitor over, from CSV or Parquet. Repeating it changes nothing."""
    with errors_for_people(), opened() as (settings, database), reported_progress() as report:
        done = import_samples(
            database, settings, file, now=int(time.time()), interval_s=interval, report=report
        )
        _record(
            database,
            "samples.import",
            file,
            {"rows": done.rows, "stored": done.stored.inserted, "conflicts": done.stored.conflicts},
        )
    print(
        f"samples: {done.rows} rows, {done.stored.inserted} stored, "
        f"{done.stored.duplicates} there already, {done.stored.conflicts} conflicts, "
        f"{done.same_slot} of a slot filled by another row, {done.unknown} unknown"
    )


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


def _today(settings: Settings) -> date:
    return local_day(int(time.time()), settings.zone)


def _record(database: Database, action: str, file: Path, details: dict[str, int]) -> None:
    """Write down who took the file over."""
    with database.write() as session:
        record(session, shell_actor(), action, file.name, int(time.time()), details)


def _tell(what: str, result: ImportResult, dry_run: bool) -> None:
    print(
        f"{what}: {result.inserted} inserted, {result.updated} updated, "
        f"{result.unchanged} unchanged" + (" (dry run, nothing written)" if dry_run else "")
    )


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
