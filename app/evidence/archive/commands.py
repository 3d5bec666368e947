"""Commands of the archive."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated

import typer

from app.console import (
    Format,
    errors_for_people,
    month_of,
    notices,
    opened,
    print_json,
    print_table,
)
from app.evidence.archive.archiving import archive_closed_days
from app.evidence.archive.verifying import DayReport, list_days, verify_days
from app.evidence.store import refuse_other_zone

archives = typer.Typer(
    help="The archive: closed days as Parquet files, one a day.", no_args_is_help=True
)
InMonth = Annotated[str | None, typer.Option("--month", help="YYYY-MM; without it all months.")]
Form = Annotated[Format, typer.Option("--format", help="How to print (table or json).")]


@archives.command("run")
def run_command(
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only this day.")
    ] = None,
) -> None:
    """Write the closed days to their files, take late samples in, let old hot samples go.

    The collector does so every hour by itself.
    """
    with errors_for_people(), opened() as (settings, database):
        refuse_other_zone(database, settings)
        only = None if day is None else day.date()
        done = archive_closed_days(database, settings, int(time.time()), only)
    notices.print(
        f"{len(done.written)} day(s) written, hot samples of {len(done.released)} day(s) released."
    )


@archives.command("list")
def list_command(month: InMonth = None, form: Form = Format.TABLE) -> None:
    """The days of the archive."""
    with errors_for_people(), opened() as (_settings, database):
        _print(list_days(database, *_days(month)), form)


@archives.command("verify")
def verify_command(month: InMonth = None, form: Form = Format.TABLE) -> None:
    """Read every file and compare it with what was written. Exit code 1 where one is damaged."""
    with errors_for_people(), opened() as (_settings, database):
        reports = verify_days(database, *_days(month))
    _print(reports, form)
    if any(report.problem for report in reports):
        raise typer.Exit(1)


def _days(month: str | None) -> tuple[date, date]:
    if month is None:
        return date.min, date.max
    chosen = month_of(month)
    return chosen.first, chosen.last


def _print(reports: Sequence[DayReport], form: Format) -> None:
    rows = [{**asdict(report), "day": str(report.day)} for report in reports]
    if form is Format.JSON:
        print_json(rows)
    else:
        print_table(rows)
