"""The command that writes a month's workbook."""

import time
from pathlib import Path
from typing import Annotated

import typer

from app.availability.selection import Filters
from app.console import errors_for_people, month_of, notices, opened
from app.operations.workbook.contents import month_contents
from app.web.language import DEFAULT, Language


def workbook_command(
    month: Annotated[str, typer.Option("--month", help="YYYY-MM.")],
    out: Annotated[Path, typer.Option("--out", help="The file to write (XLSX).")],
    lang: Annotated[Language, typer.Option("--lang", help="Of its texts.")] = DEFAULT,
) -> None:
    """Write the workbook of a month: figures, outages, suspensions, exemptions, with formulas."""
    from app.operations.workbook.writing import write_workbook

    with errors_for_people(), opened() as (settings, database):
        contents = month_contents(database, settings, month_of(month), Filters(), int(time.time()))
        draft = out.with_name(out.name + ".draft")
        with draft.open("wb") as target:
            write_workbook(target, contents, lang, settings.zone)
        draft.replace(out)
    notices.print(f"{out}: {contents.outages.total:,} outages of {contents.month}.")
