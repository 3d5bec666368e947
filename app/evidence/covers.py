"""What lies over the evidence: suspensions and exemptions as covers of devices and times."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import chain
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.accounts.reach import Reach
from app.evidence.exemptions import queries
from app.evidence.exemptions.tables import Exemption, ExemptionScope
from app.evidence.queries import suspension_covers
from app.evidence.sealing.facts import SealedFact, sealed_facts
from kpi.calendar import Month, day_start, local_day
from kpi.ledger import Cover


class Covers(NamedTuple):
    """Both kinds, in the order in which `kpi.ledger.classify` takes them; rows are places in a
    sequence of devices."""

    suspended: list[Cover]
    exempted: list[Cover]


def covers_of(
    session: Session, zone: ZoneInfo, device_ids: Sequence[int], start: int, end: int
) -> Covers:
    """The covers of these devices that touch `[start, end)`."""
    return Covers(
        suspension_covers(session, device_ids, start, end),
        exemption_covers(session, zone, device_ids, start, end),
    )


def by_id(covers: Iterable[Cover], device_ids: Sequence[int]) -> list[Cover]:
    """For `kpi.outages`: their rows are the devices' ids."""
    return [Cover(device_ids[row], begin, until) for row, begin, until in covers]


def covers_by_id(
    session: Session, zone: ZoneInfo, device_ids: Sequence[int], start: int, end: int
) -> list[Cover]:
    """Both kinds together; their rows are the devices' ids."""
    return by_id(chain(*covers_of(session, zone, device_ids, start, end)), device_ids)


def figured_covers(
    session: Session, zone: ZoneInfo, device_ids: Sequence[int], start: int, end: int
) -> Covers:
    """As the figures have them: of a sealed month those of its manifest, whatever came later.

    `[start, end)` lies within one month.
    """
    facts = sealed_facts(session, Month.of(local_day(start, zone)))
    if facts is None:
        return covers_of(session, zone, device_ids, start, end)
    return Covers(*(_covers(session, zone, device_ids, each) for each in facts))


def exemption_covers(
    session: Session, zone: ZoneInfo, device_ids: Sequence[int], start: int, end: int
) -> list[Cover]:
    """Exemptions of a room, project or power district hold for those that belong to it that day."""
    found = queries.exemptions_touching(session, start, end)
    return _covers(session, zone, device_ids, found)


def _covers(
    session: Session,
    zone: ZoneInfo,
    device_ids: Sequence[int],
    facts: Sequence[Exemption] | Sequence[SealedFact],
) -> list[Cover]:
    if not facts:
        return []
    by_scope: dict[ExemptionScope, dict[str, list[Exemption | SealedFact]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for fact in facts:
        by_scope[ExemptionScope(fact.scope)][fact.code].append(fact)
    row_of = {device_id: row for row, device_id in enumerate(device_ids)}
    return [
        Cover(row_of[member.device_id], *span)
        for scope, by_code in by_scope.items()
        for member in queries.members(session, scope, by_code.keys())
        if member.device_id in row_of
        for span in _spans(member.from_day, member.to_day, by_code[member.code], zone)
    ]


def exemptions_of(
    session: Session, zone: ZoneInfo, device_id: int, reach: Reach
) -> list[tuple[int, int | None, Exemption]]:
    """All that ever held for one device, as far as it belonged to what they name (and to reach).

    Those of a device's own stand there whole, however often it changed hands meanwhile.
    """
    belonging = queries.named_by(session, device_id, reach)
    named: dict[ExemptionScope, set[str]] = defaultdict(set)
    for codes, _, _ in belonging:
        for scope, code in codes.items():
            if code is not None:
                named[scope].add(code)
    found: list[tuple[int, int | None, Exemption]] = []
    for each in queries.exemptions_naming(session, named):
        for codes, from_day, to_day in belonging:
            if codes[ExemptionScope(each.scope)] != each.code:
                continue
            for start, end in _spans(from_day, to_day, [each], zone):
                if found and found[-1][1:] == (start, each):
                    start = found.pop()[0]
                found.append((start, end, each))
    return found


def _spans(
    from_day: date,
    to_day: date | None,
    facts: Sequence[Exemption | SealedFact],
    zone: ZoneInfo,
) -> Iterator[tuple[int, int | None]]:
    """The facts as far as the device belongs to what they name."""
    first = 0 if from_day.year == 1 else day_start(from_day, zone)
    last = None if to_day is None else day_start(to_day, zone)
    for each in facts:
        start = max(each.start, first)
        ends = [end for end in (each.end, last) if end is not None]
        end = min(ends) if ends else None
        if end is None or start < end:
            yield start, end
