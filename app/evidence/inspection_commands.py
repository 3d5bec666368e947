"""Commands of the deep inspection."""

import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from app.accounts.audit import shell_actor
from app.config import Settings
from app.console import errors_for_people, opened, print_json, print_table, reported_progress
from app.database import Database
from app.errors import BadParameter
from app.evidence.inspecting import Inspected, due, inspect_devices
from app.evidence.inspection_queries import Candidate, candidates
from app.evidence.ledger import mark_touched
from app.evidence.store import refuse_other_zone
from app.fleet.drift import accept_drift
from app.fleet.observed_queries import Compared
from app.fleet.queries import Selection, read_device, require_groups
from app.fleet.tables import ChangeSource
from kpi.calendar import local_day

LOW_PRIORITY = 10


class InspectionFormat(StrEnum):
    TABLE = "table"
    JSON = "json"


def inspect_command(
    device: Annotated[str | None, typer.Option(help="Only this device (code).")] = None,
    room: Annotated[str | None, typer.Option(help="The devices of this room (code).")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every device in service.")] = False,
    form: Annotated[InspectionFormat, typer.Option("--format")] = InspectionFormat.TABLE,
    those_due: Annotated[
        bool, typer.Option("--due", hidden=True, help="Those whose turn it is; prints nothing.")
    ] = False,
) -> None:
    """Ask devices what they are: make, profiles, addresses. Kept beside the register."""
    with errors_for_people():
        if sum((device is not None, room is not None, every, those_due)) != 1:
            raise BadParameter("--device", "say which: --device CODE, --room CODE, or --all")
        with opened() as (settings, database), reported_progress() as report:
            chosen = _chosen(database, settings, device, room)
            if those_due:
                os.nice(LOW_PRIORITY)
                chosen = due(chosen, int(time.time()))
            done = inspect_devices(database, settings, chosen, report) if chosen else []
    if not those_due:
        _print(done, form, settings.zone)


def accept_drift_command(
    device: Annotated[str | None, typer.Option(help="Only this device (code).")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every device that differs.")] = False,
    field: Annotated[
        list[Compared] | None, typer.Option(help="Only this field; may be given more than once.")
    ] = None,
) -> None:
    """Write what devices said of themselves into the register, where it differs."""
    with errors_for_people():
        if every is (device is not None):
            raise BadParameter("--device", "say which: --device CODE, or --all")
        with opened() as (settings, database):
            refuse_other_zone(database, settings)
            result = accept_drift(
                database,
                settings,
                actor=shell_actor(),
                source=ChangeSource.CLI,
                now=int(time.time()),
                on_touched=mark_touched,
                codes=None if device is None else [device],
                fields=field or tuple(Compared),
            )
    print(f"devices: {result.updated} updated")


def _chosen(
    database: Database, settings: Settings, device: str | None, room: str | None
) -> list[Candidate]:
    """Raises `NotFound`, or `BadParameter` for a device that cannot be inspected."""
    today = local_day(int(time.time()), settings.zone)
    with database.read() as session:
        require_groups(session, Selection(room=room))
        found = candidates(session, today, room=room, code=device)
        if device is not None and not found:
            read_device(session, device)
            reason = f"{device} is not in service today, or is not asked by ONVIF"
            raise BadParameter("--device", reason)
    return found


def _print(done: Sequence[Inspected], form: InspectionFormat, zone: ZoneInfo) -> None:
    if form is InspectionFormat.JSON:
        print_json([_document(each, zone) for each in done])
    else:
        print_table([_line(each) for each in done])


def _document(each: Inspected, zone: ZoneInfo) -> dict[str, Any]:
    inspection = each.inspection
    return {
        "code": each.code,
        "asked_at": datetime.fromtimestamp(each.at, zone).isoformat(),
        "outcome": inspection.status.name,
        "detail": inspection.detail,
        "clock_offset_s": inspection.clock_offset_s,
        **asdict(inspection.facts),
    }


def _line(each: Inspected) -> dict[str, object]:
    facts = each.inspection.facts
    return {
        "code": each.code,
        "outcome": each.inspection.status.name,
        "vendor": facts.vendor,
        "model": facts.model,
        "firmware": facts.firmware,
        "resolution": facts.resolution,
        "stream": facts.stream_uri,
        "detail": each.inspection.detail,
    }
