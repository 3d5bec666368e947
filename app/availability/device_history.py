"""What lies behind the state of one device: what it was excused from, and what its record said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.accounts.reach import Reach
from app.evidence.covers import exemptions_of
from app.evidence.exemptions.tables import ExemptionScope
from app.evidence.suspension_queries import suspensions_of
from app.fleet.form import FIELD_LABELS, VALUE_NAMES
from app.fleet.history import CREATED, history_of
from app.fleet.record import PASSWORD
from app.fleet.tables import ChangeSource, DeviceChange
from app.web.language import message
from app.web.listing import Column, Listing

CHANGE_COLUMNS = (Column("at", message("When")),)
CHANGES_SHOWN = 20
NEWEST_CHANGES = Listing(CHANGE_COLUMNS, "at", descending=True, page=1, text="")
LABELS = {**FIELD_LABELS, CREATED: message("entered into the register")}
SOURCE_NAMES = {
    ChangeSource.IMPORT: message("by file"),
    ChangeSource.FORM: message("by form"),
    ChangeSource.CLI: message("by command"),
}
SCOPE_NAMES = {
    ExemptionScope.DEVICE: message("this device"),
    ExemptionScope.ROOM: message("Room"),
    ExemptionScope.POWER_DISTRICT: message("Power district"),
    ExemptionScope.PROJECT: message("Project"),
}


@dataclass(frozen=True, slots=True)
class Excuse:
    """A suspension or an exemption (`kind`: its class), as far as the device belongs to `of`.

    `of` is the word for an exemption's scope with its code; `end` None: open.
    """

    kind: str
    start: datetime
    end: datetime | None
    of: tuple[str, str] | None
    reason: str
    approved_by: str
    document: str | None


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """A change as it is shown; `words` translate what the field's values are called."""

    at: datetime
    actor: str
    source: str
    label: str
    before: str | None
    after: str | None
    is_secret: bool
    is_new: bool
    words: Mapping[str, str]


def excuses(session: Session, zone: ZoneInfo, device_id: int, reach: Reach) -> list[Excuse]:
    """Suspensions and exemptions together, the newest start first."""

    def local(instant: int | None) -> datetime | None:
        return None if instant is None else datetime.fromtimestamp(instant, zone)

    found = [
        Excuse(
            "suspended",
            datetime.fromtimestamp(each.start, zone),
            local(each.end),
            None,
            each.reason,
            each.approved_by,
            each.document,
        )
        for each in suspensions_of(session, [device_id])
    ]
    for start, end, fact in exemptions_of(session, zone, device_id, reach):
        scope = ExemptionScope(fact.scope)
        of = (SCOPE_NAMES[scope], "" if scope is ExemptionScope.DEVICE else fact.code)
        found.append(
            Excuse(
                "exempted",
                datetime.fromtimestamp(start, zone),
                local(end),
                of,
                fact.reason,
                fact.approved_by,
                fact.document,
            )
        )
    return sorted(found, key=lambda each: each.start, reverse=True)


def changes(
    session: Session, zone: ZoneInfo, device_id: int, reach: Reach, wanted: Listing
) -> tuple[Sequence[ChangeLine], Listing]:
    """A page of the history of its record, the newest first, and the list within all of it."""
    total, _ = history_of(session, zone, device_id, reach, 0, 0)
    page = replace(wanted, rows=CHANGES_SHOWN).of(total)
    _, found = history_of(session, zone, device_id, reach, page.skip, page.rows)
    return [_line(each, zone) for each in found], page


def _line(each: DeviceChange, zone: ZoneInfo) -> ChangeLine:
    return ChangeLine(
        at=datetime.fromtimestamp(each.at, zone),
        actor=each.actor,
        source=SOURCE_NAMES[each.source],
        label=LABELS.get(each.field, each.field),
        before=each.before,
        after=each.after,
        is_secret=each.field == PASSWORD,
        is_new=each.field == CREATED,
        words=VALUE_NAMES.get(each.field, {}),
    )
