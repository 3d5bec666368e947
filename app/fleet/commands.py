"""Commands of the register."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from app.console import errors_for_people, notices, opened, reported_progress
from app.database import Database
from app.fleet import exporting
from app.fleet.queries import Selection
from app.fleet.tables import DeviceKind
from app.tabular import ReportProgress
from app.tabular.drafts import whole_file

exports = typer.Typer(help="Write files that can be taken over again.", no_args_is_help=True)


@exports.callback()
def about() -> None:
    """Write files that can be taken over again."""


@exports.command("devices")
def export_devices(
    file: Annotated[Path, typer.Argument(help="The file to write; - for standard output.")],
    station: Annotated[str | None, typer.Option(help="Only this station (code).")] = None,
    room: Annotated[str | None, typer.Option(help="Only this room (code).")] = None,
    project: Annotated[str | None, typer.Option(help="Only this project (code).")] = None,
    contractor: Annotated[str | None, typer.Option(help="Only this contractor (code).")] = None,
    kind: Annotated[DeviceKind | None, typer.Option(help="Only this kind.")] = None,
    chinese: Annotated[bool, typer.Option(help="Write Chinese headers.")] = False,
) -> None:
    """Write the register as CSV, or as XLSX where FILE ends so. No passwords in it.

    `intact import devices` reads it back.
    """
    selection = Selection(station, room, project, contractor, kind)
    with errors_for_people(), opened() as (_, database), reported_progress() as report:
        count = _export(database, file, selection, chinese, report)
    notices.print(f"{count} devices written to {file}", markup=False, soft_wrap=True)


def _export(
    database: Database, file: Path, selection: Selection, chinese: bool, report: ReportProgress
) -> int:
    """Write to standard output, or under another name first: a file is there whole or not."""
    if str(file) == "-":
        sys.stdout.flush()
        return exporting.export_devices(
            database, sys.stdout.buffer, selection, chinese=chinese, progress=report
        )
    with whole_file(file) as target:
        return exporting.export_devices(
            database,
            target,
            selection,
            chinese=chinese,
            as_workbook=file.suffix.lower() == ".xlsx",
            progress=report,
        )
