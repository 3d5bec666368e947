"""The figures of this minute: what the last finished sweep counted.

When that sweep is older than three slots there is no evidence of now: every device in service that
is not suspended is unknown. Source: DESIGN §2.
"""

from collections import defaultdict
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.availability import queries
from app.availability.documents import NowDocument, NowRow, now_fields
from app.availability.selection import FLEET, Filters, Selection, select_devices
from app.config import Settings
from app.database import Database
from app.evidence.covers import covers_of
from app.evidence.queries import device_states, last_sweep
from app.evidence.tables import Sweep
from app.evidence.video_queries import good_video_at
from app.fleet.roster import Grouping, roster
from kpi.calendar import local_day
from kpi.policy import DEFAULT_POLICY
from kpi.rates import Amounts
from kpi.status import SlotClass, Status

STALE_SLOTS = 3


class DeviceNow(NamedTuple):
    """A device in service, where it belongs, and what it counts as now."""

    device_id: int
    cohort_id: int
    slot_class: SlotClass
    by_video: bool
    """Whether a good video check holds."""

    @property
    def amounts(self) -> Amounts:
        """One device."""
        intact_by_video = self.by_video and self.slot_class is SlotClass.INTACT
        counted = {self.slot_class.name.lower(): 1, "intact_by_video": int(intact_by_video)}
        return Amounts(**counted)


def is_stale(sweep: Sweep | None, now: int) -> bool:
    """Whether the last finished sweep says nothing about now any more."""
    return sweep is None or now - sweep.finished_at > STALE_SLOTS * sweep.interval_s


def present(
    database: Database, settings: Settings, grouping: Grouping, filters: Filters, now: int
) -> NowDocument:
    """The rates of the last finished sweep. Raises `NotFound` for an unknown code."""
    with database.read() as session:
        selection = select_devices(session, grouping, filters)
        sweep = last_sweep(session)
        parts = _parts(session, settings, selection, sweep, now)
    rows = [_row(selection, group, amounts) for group, amounts in parts.items()]
    rows.sort(key=lambda row: (row.group is None, row.group or ""))
    at = None if sweep is None else datetime.fromtimestamp(sweep.tick, settings.zone)
    return NowDocument(
        tick=at and at.isoformat(),
        stale=is_stale(sweep, now),
        timezone=settings.timezone,
        policy=DEFAULT_POLICY.label,
        total=NowRow(**now_fields(FLEET, Amounts.total(parts.values()), DEFAULT_POLICY)),
        rows=rows,
    )


def _parts(
    session: Session, settings: Settings, selection: Selection, sweep: Sweep | None, now: int
) -> dict[int | None, Amounts]:
    parts: dict[int | None, Amounts] = defaultdict(Amounts)
    if selection.grouping is not Grouping.DEVICE and selection.device_id is None:
        for cohort_id, amounts in cohorts_now(session, settings, now).items():
            if cohort_id in selection.cohorts:
                parts[selection.group_of(cohort_id)] += amounts
        return parts
    for seen in devices_now(session, settings, now):
        if seen.cohort_id not in selection.cohorts:
            continue
        if selection.device_id in (None, seen.device_id):
            by_device = selection.grouping is Grouping.DEVICE
            group = seen.device_id if by_device else selection.group_of(seen.cohort_id)
            parts[group] += seen.amounts
    return parts


def cohorts_now(session: Session, settings: Settings, now: int) -> dict[int, Amounts]:
    """Cohort id → its devices by class: what the last sweep counted, while that says anything."""
    sweep = last_sweep(session)
    if sweep is not None and not is_stale(sweep, now):
        return queries.counts_at(session, sweep.tick)
    parts: dict[int, Amounts] = defaultdict(Amounts)
    for seen in devices_now(session, settings, now):
        parts[seen.cohort_id] += seen.amounts
    return parts


def devices_now(
    session: Session, settings: Settings, now: int, *, critical_only: bool = False
) -> list[DeviceNow]:
    """Every device in service: at the last sweep, or now where that one is too old.

    `critical_only`: those alone that a room cannot do without.
    """
    sweep = last_sweep(session)
    at = now if sweep is None or is_stale(sweep, now) else sweep.tick
    members = roster(session, local_day(at, settings.zone), critical_only=critical_only)
    device_ids = list(members)
    suspended, exempted = (
        {device_ids[cover.row] for cover in covers}
        for covers in covers_of(session, settings.zone, device_ids, at, at + 1)
    )
    few = device_ids if critical_only else None
    states = {} if is_stale(sweep, now) else device_states(session, few)
    good_video = good_video_at(session, at)
    table = DEFAULT_POLICY.class_table()

    def slot_class(device_id: int) -> SlotClass:
        if device_id in suspended:
            return SlotClass.SUSPENDED
        if device_id in exempted:
            return SlotClass.EXEMPTED
        state = states.get(device_id)
        return SlotClass(table[Status.UNKNOWN if state is None else state.status])

    return [
        DeviceNow(device, cohort, slot_class(device), device in good_video)
        for device, cohort in members.items()
    ]


def _row(selection: Selection, group: int | None, amounts: Amounts) -> NowRow:
    return NowRow(**now_fields(selection.name_of(group), amounts, DEFAULT_POLICY))
