"""The command that takes the city's figures over; it stands among the other imports."""

import time
from typing import Annotated

import typer

from app.accounts.audit import shell_actor
from app.console import errors_for_people, month_of, opened, reported_progress
from app.evidence.import_commands import DryRun, File, SkipBad, imports, tell
from app.evidence.store import refuse_other_zone
from app.operations.city.importing import import_city_figures

__all__ = ["imports"]


@imports.command("city-figures")
def import_city_figures_command(
    file: File,
    month: Annotated[str, typer.Option(help="YYYY-MM: the month that the figures are of.")],
    dry_run: DryRun = False,
    skip_bad: SkipBad = False,
) -> None:
    """Take the bureau's (市局) monthly figure per camera over from XLSX or CSV.

    Columns: device_code; intact_rate in per cent, or intact_hours and assessed_hours, or all three.
    A figure told before is changed, what it said is kept. Exit codes as for suspensions.
    """
    with errors_for_people(), opened() as (settings, database), reported_progress() as report:
        refuse_other_zone(database, settings)
        result = import_city_figures(
            database,
            settings,
            file,
            month_of(month),
            now=int(time.time()),
            actor=shell_actor(),
            dry_run=dry_run,
            skip_bad=skip_bad,
            progress=report,
        )
    tell("city figures", result, dry_run)
