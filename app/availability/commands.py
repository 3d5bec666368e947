"""Commands of the rates."""

import sys
import time
from typing import Annotated

import typer

from app.availability.documents import MonthlyDocument
from app.availability.periods import monthly
from app.availability.selection import Filters
from app.availability.spreadsheet import as_csv, for_people
from app.console import Format, errors_for_people, month_of, opened, print_json, print_table
from app.fleet.roster import Grouping
from app.fleet.tables import DeviceKind

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
