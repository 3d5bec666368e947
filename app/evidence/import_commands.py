"""Commands that take files over."""

import time
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from app.accounts.audit import record, shell_actor
from app.config import Settings
from app.console import errors_for_people, notices, opened, reported_progress
from app.evidence.exemptions.importing import import_exemptions
from app.evidence.ledger import mark_touched
from app.evidence.sample_import import import_samples
from app.evidence.store import refuse_other_zone
from app.evidence.suspensions import import_suspensions
from app.fleet.importing import import_devices
from app.tabular import ImportResult
from app.tabular.progress import SetAside
from kpi.calendar import local_day

SOME_REFUSED = 3
"""Exit code of an import that skipped bad rows."""

File = Annotated[Path, typer.Argument(help="The file to read.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check only; write nothing.")]
SkipBad = Annotated[
    bool,
    typer.Option(
        "--skip-bad",
        help="Import the good rows; write the others with their reasons to FILE.refused.xlsx (or "
        ".csv) beside FILE. With --dry-run they are only listed.",
    ),
]

imports = typer.Typer(
    help="Take over files: register, suspensions, samples, figures.", no_args_is_help=True
)


@imports.command("devices")
def import_devices_command(
    file: File,
    dry_run: DryRun = False,
    skip_bad: SkipBad = False,
    effective: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="The day from which known devices belong to their new groups (default: tomorrow).",
        ),
    ] = None,
) -> None:
    """Take a register (一机一档) over from XLSX or CSV: every row is right, or nothing is imported.

    Rows whose code begins with 示例 are examples and left out. Exit code: 0 where all rows are
    imported, 1 where none is, 3 where --skip-bad left some out.
    """
    with errors_for_people(), opened() as (settings, database), reported_progress() as report:
        refuse_other_zone(database, settings)
        result = import_devices(
            database,
            settings,
            file,
            today=_today(settings),
            on_touched=mark_touched,
            dry_run=dry_run,
            skip_bad=skip_bad,
            effective=effective.date() if effective else None,
            progress=report,
        )
    tell("devices", result, dry_run)


@imports.command("suspensions")
def import_suspensions_command(
    file: File, dry_run: DryRun = False, skip_bad: SkipBad = False
) -> None:
    """Take suspensions (报停) over from XLSX or CSV: every row is right, or nothing is imported.

    Rows whose code begins with 示例 are examples and left out. Exit code: 0 where all rows are
    imported, 1 where none is, 3 where --skip-bad left some out.
    """
    with errors_for_people(), opened() as (settings, database), reported_progress() as report:
        refuse_other_zone(database, settings)
        result = import_suspensions(
            database,
            settings,
            file,
            now=int(time.time()),
            on_touched=mark_touched,
            dry_run=dry_run,
            skip_bad=skip_bad,
            progress=report,
        )
    tell("suspensions", result, dry_run)


@imports.command("exemptions")
def import_exemptions_command(
    file: File, dry_run: DryRun = False, skip_bad: SkipBad = False
) -> None:
    """Take exemptions (豁免) over from XLSX or CSV: every row is right, or nothing is imported.

    Columns: scope (device, room, power_district, project), code, from, to, reason, approved_by,
    document. Exit codes as for suspensions.
    """
    with errors_for_people(), opened() as (settings, database), reported_progress() as report:
        refuse_other_zone(database, settings)
        result = import_exemptions(
            database,
            settings,
            file,
            now=int(time.time()),
            actor=shell_actor(),
            on_touched=mark_touched,
            dry_run=dry_run,
            skip_bad=skip_bad,
            progress=report,
        )
    tell("exemptions", result, dry_run)


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
        counts = {"rows": done.rows, "stored": done.stored.inserted}
        counts["conflicts"] = done.stored.conflicts
        with database.write() as session:
            record(session, shell_actor(), "samples.import", file.name, int(time.time()), counts)
    print(
        f"samples: {done.rows} rows, {done.stored.inserted} stored, "
        f"{done.stored.duplicates} there already, {done.stored.conflicts} conflicts, "
        f"{done.same_slot} of a slot filled by another row, {done.unknown} unknown"
    )


def _today(settings: Settings) -> date:
    return local_day(int(time.time()), settings.zone)


def tell(what: str, result: ImportResult, dry_run: bool) -> None:
    """Say what was done. Leaves with exit code 3 where rows were refused."""
    examples = f", examples (示例) left out: {result.examples}" if result.examples else ""
    refused = f", refused: {result.set_aside.rows}" if result.set_aside else ""
    print(
        f"{what}: {result.inserted} inserted, {result.updated} updated, "
        f"{result.unchanged} unchanged{examples}{refused}"
        + (" (dry run, nothing written)" if dry_run else "")
    )
    if result.set_aside:
        _tell_refused(result.set_aside)
        raise typer.Exit(SOME_REFUSED)


def _tell_refused(bad: SetAside) -> None:
    if bad.file is None:
        for problem in bad.problems:
            notices.print(f"  {problem}", markup=False, soft_wrap=True)
    else:
        remedy = f"Refused rows are in {bad.file}: correct them there and import that file."
        notices.print(remedy, markup=False, soft_wrap=True)
