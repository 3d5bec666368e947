"""Where a device is not what the register says, and taking over what it says of itself."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.accounts.audit import Actor, record
from app.config import Settings
from app.database import Database
from app.errors import NotFound
from app.fleet.history import Origin
from app.fleet.importing import take_over_rows
from app.fleet.observed_queries import Compared, drifted_codes, read_observed
from app.fleet.queries import devices_by_code
from app.fleet.record import Record, RegisterRow, parse_row
from app.fleet.tables import ChangeSource, Observed
from app.fleet.touched import OnTouched
from app.fleet.write_queries import lock_register
from app.tabular import ImportResult, Problems
from kpi.calendar import local_day


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the device says otherwise; `inspected_at` is when, in UTC seconds."""

    field: Compared
    registered: str | None
    observed: str
    inspected_at: int


def differences(record: Record, observed: Observed | None) -> list[Difference]:
    """What the device told and the register says otherwise, or not at all."""
    if observed is None or observed.inspected_at is None:
        return []
    pairs = [(name, getattr(record, name), getattr(observed, name)) for name in Compared]
    return [
        Difference(name, registered, told, observed.inspected_at)
        for name, registered, told in pairs
        if told is not None and told != registered
    ]


def accept_drift(
    database: Database,
    settings: Settings,
    *,
    actor: Actor,
    source: ChangeSource,
    now: int,
    on_touched: OnTouched,
    codes: Sequence[str] | None = None,
    fields: Collection[Compared] = tuple(Compared),
) -> ImportResult:
    """Write what was observed into the register, by the way of an import; nothing else is touched.

    `codes` None: every device that differs. The audit log says that `actor` did it. Raises
    `NotFound` for a code that the register does not hold, `ImportRefused` where a value does not
    fit into the register.
    """
    with database.write() as session:
        lock_register(session)
        chosen = sorted(drifted_codes(session).values()) if codes is None else list(codes)
        present = devices_by_code(session, chosen)
        unknown = next((code for code in chosen if code not in present), None)
        if unknown is not None:
            raise NotFound("device", unknown)
        observed = read_observed(session, [stored.id for stored in present.values()])
        problems = Problems("observed values")
        rows = [
            _row(number, stored.record, observed.get(stored.id), fields, problems)
            for number, stored in enumerate(present.values(), start=1)
        ]
        changed = [row for row in rows if row is not None]
        today = local_day(now, settings.zone)
        result = take_over_rows(
            session,
            settings,
            changed,
            problems,
            today=today,
            on_touched=on_touched,
            origin=Origin(actor, source, now),
        )
        subject = "" if codes is None else ", ".join(codes)
        record(session, actor, "drift.accept", subject, now, {"updated": result.updated})
        return result


def _row(
    number: int,
    record: Record,
    observed: Observed | None,
    fields: Collection[Compared],
    problems: Problems,
) -> RegisterRow | None:
    """The row of an import that says what the device says; None where that changes nothing."""
    cells = {each.field.value: each.observed for each in differences(record, observed)}
    cells = {name: told for name, told in cells.items() if name in fields}
    return parse_row(number, {"code": record.code} | cells, problems) if cells else None
