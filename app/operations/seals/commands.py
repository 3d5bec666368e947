"""Commands that seal a month, amend one that is sealed, and list the seals."""

import time
from datetime import datetime
from functools import partial
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from sqlalchemy.orm import Session

from app.accounts.audit import shell_actor
from app.config import Settings
from app.console import (
    Format,
    errors_for_people,
    month_of,
    notices,
    opened,
    print_json,
    print_table,
)
from app.evidence.sealing import queries
from app.evidence.sealing.sealing import amend_month, seal_month
from app.evidence.sealing.tables import MonthSeal
from app.evidence.store import refuse_other_zone
from app.operations.seals.api import seal_item
from app.operations.seals.telling import tell_of_seal

MonthOption = Annotated[str, typer.Option("--month", help="YYYY-MM.")]


def seal_command(
    month: MonthOption,
    forced: Annotated[
        str | None, typer.Option("--force", help="Why, in spite of insufficient evidence.")
    ] = None,
) -> None:
    """Seal a month that is over: its figures stand, and change only by an amendment."""
    with errors_for_people(), opened() as (settings, database):
        refuse_other_zone(database, settings)
        seal = seal_month(
            database,
            settings,
            month_of(month),
            shell_actor(),
            int(time.time()),
            forced=forced,
            on_sealed=partial(_tell, settings),
        )
    _print_sealed(seal, settings.zone)


def amend_command(
    month: MonthOption,
    reason: Annotated[str, typer.Option("--reason", help="Why the figures change.")],
    forced: Annotated[
        bool, typer.Option("--force", help="In spite of insufficient evidence.")
    ] = False,
) -> None:
    """Let a sealed month follow from all that is known by now; the former version is kept."""
    with errors_for_people(), opened() as (settings, database):
        refuse_other_zone(database, settings)
        seal = amend_month(
            database,
            settings,
            month_of(month),
            shell_actor(),
            int(time.time()),
            reason,
            forced=forced,
            on_sealed=partial(_tell, settings),
        )
    _print_sealed(seal, settings.zone)


def seals_command(
    month: Annotated[str | None, typer.Option("--month", help="Only this one (YYYY-MM).")] = None,
    form: Annotated[
        Format, typer.Option("--format", help="How to print (table or json).")
    ] = Format.TABLE,
) -> None:
    """The sealed months, the newest first, each with its versions."""
    with errors_for_people(), opened() as (settings, database), database.read() as session:
        found = queries.seals(session, None if month is None else month_of(month))
        rows = [seal_item(each, settings.zone).model_dump(mode="json") for each in found]
    if form is Format.JSON:
        print_json(rows)
    elif rows:
        print_table(rows)
    else:
        notices.print("No month is sealed.")


def _tell(settings: Settings, session: Session, seal: MonthSeal) -> None:
    if tell_of_seal(session, settings, seal) == 0:
        notices.print(
            "Nobody is told of this seal: add the supervisor and the auditor as recipients, or "
            "hand them the hash below on paper."
        )


def _print_sealed(seal: MonthSeal, zone: ZoneInfo) -> None:
    at = datetime.fromtimestamp(seal.sealed_at, zone)
    notices.print(f"{seal.month} is sealed as version {seal.version} ({at:%Y-%m-%d %H:%M}).")
    print(f"sha256 {seal.sha256}")
