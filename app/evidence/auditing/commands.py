"""The command that audits a month."""

import time
from dataclasses import asdict
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
    reported_progress,
)
from app.evidence.auditing.auditing import AuditReport, audit_month
from app.evidence.store import refuse_other_zone

SHOWN = 50


def audit_command(
    month: Annotated[str, typer.Option("--month", help="YYYY-MM.")],
    form: Annotated[
        Format, typer.Option("--format", help="How to print (table or json).")
    ] = Format.TABLE,
) -> None:
    """Count a month anew from its raw evidence, by a second way, and compare it with the ledger.

    Exit code 1 and a table of differences where the two do not agree to the second.
    """
    with errors_for_people(), opened() as (settings, database):
        refuse_other_zone(database, settings)
        with reported_progress() as report:
            found = audit_month(database, settings, month_of(month), int(time.time()), report)
    if form is Format.JSON:
        print_json(_document(found))
    else:
        _print(found)
    if not found.agrees:
        raise typer.Exit(1)


def _document(found: AuditReport) -> dict[str, object]:
    return {
        "month": str(found.month),
        "agrees": found.agrees,
        "days": found.days,
        "device_days": found.device_days,
        "open_days": found.open_days,
        "differences": [
            {**asdict(each), "day": None if each.day is None else str(each.day)}
            for each in found.differences
        ],
    }


def _print(found: AuditReport) -> None:
    compared = f"{found.device_days:,} device-days of {found.days} day(s) of {found.month}"
    if found.agrees:
        notices.print(f"{compared}: ledger and evidence agree to the second.")
    else:
        print_table([asdict(each) for each in found.differences[:SHOWN]])
        left = len(found.differences) - SHOWN
        more = f" ({left} more are not shown; --format json has all)" if left > 0 else ""
        notices.print(f"{compared}: {len(found.differences)} difference(s){more}.")
    if found.open_days:
        notices.print(f"{found.open_days} day(s) are not over and were left out.")
