"""The outages of a selection of devices in a run of days, from their failing samples.

Read day by day: a device-day belongs to the groups that the device had on that day, and a day has
its own slot length. What lasts over midnight is one outage all the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.availability.selection import Selection
from app.config import Settings
from app.evidence.covers import covers_by_id
from app.evidence.queries import slot_lengths
from app.evidence.samples import failing_samples, joined
from app.fleet.roster import GroupName, in_service_on, names_of
from app.fleet.tables import Assignment, Device
from app.web.words import STATUS_WORDS, class_name
from kpi.calendar import day_bounds, days_between, existing_end
from kpi.outages import Outage, outages
from kpi.policy import DEFAULT_POLICY
from kpi.status import SlotClass, Status


@dataclass(frozen=True, slots=True)
class OutageLine:
    """An outage as a list shows it; `status` is a text of the catalogue.

    `is_earlier`: it reaches back to where the list begins, maybe further; `goes_on`: it has not
    ended yet.
    """

    device: GroupName
    start: datetime
    end: datetime
    seconds: int
    status: str
    slot_class: str
    is_earlier: bool
    goes_on: bool


def outages_of(
    session: Session, settings: Settings, selection: Selection, first: date, last: date, now: int
) -> list[Outage]:
    """The outages of the days `first` to `last`, in order of device and start.

    Only slots that exist are told. Costs what has failed, not what was sampled.
    """
    lengths = slot_lengths(session, first, last)
    parts = []
    for day in days_between(first, last):
        if day in lengths:
            start, end = day_bounds(day, settings.zone)
            reached = min(end, existing_end(now, lengths[day]))
            devices = _devices_on(selection, day)
            parts.append(failing_samples(session, devices, start, reached, lengths[day]))
    samples = joined(parts)
    device_ids = sorted(set(samples.device.tolist()))
    start, end = day_bounds(first, settings.zone)[0], day_bounds(last, settings.zone)[1]
    covers = covers_by_id(session, settings.zone, device_ids, start, end)
    return outages(samples, DEFAULT_POLICY.class_table(), covers)


def _devices_on(selection: Selection, day: date) -> Select[int]:
    members = (
        select(Device.id)
        .join(Assignment, Assignment.device_id == Device.id)
        .where(in_service_on(day), Assignment.cohort_id.in_(selection.cohorts.keys()))
    )
    if selection.device_id is not None:
        members = members.where(Device.id == selection.device_id)
    return members


def outage_lines(
    session: Session, settings: Settings, found: Sequence[Outage], first: date, now: int
) -> list[OutageLine]:
    """Those outages in words."""
    names = names_of(session, {each.device for each in found})
    table = DEFAULT_POLICY.class_table()
    begun = day_bounds(first, settings.zone)[0]
    reached = existing_end(now, settings.poll_interval)
    return [
        OutageLine(
            device=names[each.device],
            start=datetime.fromtimestamp(each.start, settings.zone),
            end=datetime.fromtimestamp(each.end, settings.zone),
            seconds=each.seconds,
            status=STATUS_WORDS[Status(each.status)],
            slot_class=class_name(SlotClass(table[each.status])),
            is_earlier=each.start == begun,
            goes_on=each.end >= reached,
        )
        for each in found
    ]
