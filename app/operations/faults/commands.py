"""Commands of the faults."""

import time
from datetime import datetime
from typing import Annotated

import typer

from app.availability.selection import Filters, select_devices
from app.console import Format, errors_for_people, notices, opened, print_json, print_table
from app.errors import BadParameter
from app.evidence.store import refuse_other_zone
from app.fleet.roster import Grouping
from app.operations.faults import list_queries, queries
from app.operations.faults.api import fault_item
from app.operations.faults.keeping import keep_faults, mark_for_rebuild
from app.operations.faults.list_queries import FaultsAsked
from kpi.calendar import local_day

faults_group = typer.Typer(help="Faults: devices that fail.", no_args_is_help=True)
MOST_LISTED = 1_000


@faults_group.command("list")
def list_command(
    state: Annotated[str, typer.Option(help="open, closed or all.")] = "open",
    form: Annotated[Format, typer.Option("--format", help="table or json.")] = Format.TABLE,
) -> None:
    """The newest faults of cameras."""
    with errors_for_people(), opened() as (settings, database), database.read() as session:
        if state not in ("open", "closed", "all"):
            raise BadParameter("--state", f"{state!r} is none of open, closed, all")
        cohorts = select_devices(session, Grouping.FLEET, Filters()).cohorts.keys()
        found = list_queries.read_faults(session, FaultsAsked(cohorts, state), limit=MOST_LISTED)
        rows = [fault_item(each, settings.zone).model_dump(mode="json") for each in found]
    if form is Format.JSON:
        print_json(rows)
    else:
        print_table(rows)


@faults_group.command("rebuild")
def rebuild_command(
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Only from this day on.")
    ] = None,
) -> None:
    """Derive the faults anew from the evidence, from this day on or all of them.

    What comes out is what is there, unless the database was changed by hand: late evidence is
    followed by itself.
    """
    with errors_for_people(), opened() as (settings, database):
        refuse_other_zone(database, settings)
        now = int(time.time())
        with database.write() as session:
            days = queries.evidence_days(session)
            if days is not None:
                begin = days[0] if first is None else max(days[0], first.date())
                devices = queries.all_devices(session)
                last = local_day(now, settings.zone)
                mark_for_rebuild(session, settings, begin, last, devices)
        keep_faults(database, settings, now)
    notices.print("The faults follow from the evidence.")
