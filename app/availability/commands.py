"""Commands of the rates."""

import sys
import time
from typing import Annotated

import typer

from app.availability.budgets import BudgetRow, budgets
from app.availability.documents import MonthlyDocument
from app.availability.periods import monthly
from app.availability.selection import Filters
from app.availability.spreadsheet import as_csv, for_people
from app.console import Format, errors_for_people, month_of, opened, print_json, print_table
from app.fleet.roster import Grouping
from app.fleet.tables import DeviceKind
from kpi.calendar import Month, local_day

Code = Annotated[str | None, typer.Option(help="Only this one (code).")]


def show_kpi(
    month: Annotated[str, typer.Option(help="YYYY-MM")],
    group_by: Annotated[Grouping, typer.Option(help="What a row stands for.")] = Grouping.FLEET,
    kind: Annotated[DeviceKind, typer.Option(help="Kind of device.")] = DeviceKind.CAMERA,
    station: Code = None,
    room: Code = None,
    project: Code = None,
    contractor: Code = None,
    device: Code = None,
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.TABLE,
) -> None:
    """The intact rate, online rate, suspended rate and coverage of a month."""
    filters = Filters(kind, station, room, project, contractor, device)
    with errors_for_people(), opened() as (settings, database):
        now = int(time.time())
        document = monthly(database, settings, month_of(month), group_by, filters, now)
    _print(document, form)


def show_budget(
    month: Annotated[
        str | None, typer.Option(help="YYYY-MM; without it the present month.")
    ] = None,
    group_by: Annotated[Grouping, typer.Option(help="What a row stands for.")] = Grouping.FLEET,
    kind: Annotated[DeviceKind, typer.Option(help="Kind of device.")] = DeviceKind.CAMERA,
    station: Code = None,
    room: Code = None,
    project: Code = None,
    contractor: Code = None,
    form: Annotated[
        Format, typer.Option("--format", help="How to print (table or json).")
    ] = Format.TABLE,
) -> None:
    """The error budget of a month: what may be missed, what is spent of it and how fast."""
    filters = Filters(kind, station, room, project, contractor)
    with errors_for_people(), opened() as (settings, database):
        now = int(time.time())
        chosen = month_of(month) if month else Month.of(local_day(now, settings.zone))
        document = budgets(database, settings, chosen, group_by, filters, now)
    if form is Format.JSON:
        print_json(document.model_dump(mode="json"))
        return
    title = f"{document.month} ({document.timezone}, policy {document.policy})"
    print_table([_budget_line(row) for row in document.rows], title)


def _budget_line(row: BudgetRow) -> dict[str, object]:
    """A row in hours."""
    at = row.breaks_at
    return {
        "group": row.group,
        "name": row.name,
        "budget h": f"{row.budget_s / 3600:,.1f}",
        "spent h": f"{row.spent_s / 3600:,.1f}",
        "left h": f"{row.left_s / 3600:,.1f}",
        **{
            f"burn {window}": None if rate is None else f"{rate:.2f}"
            for window, rate in row.burn.items()
        },
        "outlook": row.outlook.value,
        "breaks at": None if at is None else f"{at:%Y-%m-%d %H:%M}",
    }


def _print(document: MonthlyDocument, form: Format) -> None:
    if form is Format.JSON:
        print_json(document.model_dump(mode="json"))
    elif form is Format.CSV:
        sys.stdout.write(as_csv(document))
    else:
        rows = [for_people(row) for row in document.rows]
        if document.rows != [document.total]:
            rows.append(for_people(document.total) | {"group": "total", "name": None})
        title = f"{document.month} ({document.timezone}, policy {document.policy})"
        print_table(rows, title)
