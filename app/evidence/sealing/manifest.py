"""The manifest of a month: all that its figures rest on, in one document and one hash.

    month, version, sealed_at, sealed_by, reason, former_sha256, timezone, policy, audit_head
    days        file of each day: slots, samples, size, SHA-256
    facts       suspensions and exemptions, as far as they reach into the month
    register    SHA-256 of the devices and of where they belonged, of the good video checks
    ledger      SHA-256 of every device-day
    figures     seconds by class and rates: of the fleet, by station, room, project, contractor

Canonical JSON: keys sorted, no blanks, UTF-8. Instants are local ISO 8601, amounts whole seconds.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.evidence.archive.tables import ArchiveDay
from app.evidence.queries import STORED_AMOUNTS
from app.evidence.sealing import queries
from app.evidence.sealing.tables import MonthSeal
from kpi.calendar import Month, day_bounds, day_start
from kpi.policy import Policy
from kpi.rates import Amounts, percent

FORMAT = 1
GROUPINGS = ("station", "room", "project", "contractor")
Document = dict[str, Any]


def evidence_of(session: Session, month: Month, zone: ZoneInfo, policy: Policy) -> Document:
    """What the figures of a month rest on, as the database has it now."""
    start, end = day_start(month.first, zone), day_bounds(month.last, zone)[1]
    return {
        "days": [_day(row) for row in queries.archived_days(session, month)],
        "facts": {
            "suspensions": [
                {"device": row[0], **_span(row[1], row[2], start, end, zone), **_why(row[3:])}
                for row in queries.suspension_rows(session, start, end)
            ],
            "exemptions": [
                {"scope": row[0], "code": row[1], **_span(row[2], row[3], start, end, zone)}
                | _why(row[4:])
                for row in queries.exemption_rows(session, start, end)
            ],
        },
        "register": {
            "devices": _hash(_service(queries.device_rows(session), month)),
            "assignments": _hash(_belonging(queries.assignment_rows(session), month)),
            "video_checks": _hash(
                (code, max(begin, start), min(until, end))
                for code, begin, until in queries.check_rows(session, start, end)
            ),
        },
        "ledger": _hash(queries.ledger_rows(session, month)),
        "figures": figures_of(session, month, policy),
    }


def canonical(document: Mapping[str, Any]) -> str:
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def sha256_of_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def about_seal(
    seal: MonthSeal, zone: ZoneInfo, policy: Policy, former: MonthSeal | None, audit_head: str
) -> Document:
    """Which version this is, by whom and why, under which policy, and what it follows."""
    return {
        "format": FORMAT,
        "month": seal.month,
        "version": seal.version,
        "sealed_at": _local(seal.sealed_at, zone),
        "sealed_by": seal.sealed_by,
        "reason": seal.reason,
        "former_sha256": None if former is None else former.sha256,
        "timezone": zone.key,
        "policy": _policy(policy),
        "audit_head": audit_head,
    }


def _policy(policy: Policy) -> Document:
    """A policy in full, so that the figures can be made again without the product."""
    return {
        "label": policy.label,
        "intact_target": str(policy.intact_target),
        "suspended_target": str(policy.suspended_target),
        "min_coverage": str(policy.min_coverage),
        "projects": None if policy.projects is None else sorted(policy.projects),
        "classes": {str(int(code)): each.name for code, each in policy.classes.items()},
    }


def figures_of(session: Session, month: Month, policy: Policy) -> Document:
    """Kind → `total` and, by grouping and code ("": none), seconds and rates."""
    sums: dict[str, dict[tuple[str, str], Amounts]] = defaultdict(lambda: defaultdict(Amounts))
    for kind, station, room, project, contractor, *seconds in queries.group_sums(session, month):
        amounts = Amounts(*(int(value) for value in seconds))
        groups = zip(GROUPINGS, (station, room, project, contractor), strict=True)
        for key in (("total", ""), *((name, code or "") for name, code in groups)):
            sums[kind.value][key] += amounts
    told: Document = {}
    for kind, by_key in sums.items():
        rows = told.setdefault(kind, {"total": {}, **{name: {} for name in GROUPINGS}})
        for (name, code), amounts in by_key.items():
            row = _row(amounts, policy)
            if name == "total":
                rows["total"] = row
            else:
                rows[name][code] = row
    return told


def total_of(figures: Document) -> Amounts:
    """The cameras of the whole fleet."""
    row = figures.get("camera", {}).get("total", {})
    return Amounts(**{name: row.get(name, 0) for name in STORED_AMOUNTS})


def _row(amounts: Amounts, policy: Policy) -> Document:
    seconds = {name: getattr(amounts, name) for name in STORED_AMOUNTS}
    return seconds | {
        "intact_rate": percent(amounts.intact, amounts.assessed, policy.intact_target),
        "suspended_rate": percent(
            amounts.suspended, amounts.in_service, policy.suspended_target, "at_most"
        ),
        "coverage": percent(amounts.assessed, amounts.to_be_assessed, policy.min_coverage),
    }


def _day(row: ArchiveDay) -> Document:
    return {
        "day": str(row.day),
        "interval_s": row.interval_s,
        "samples": row.samples,
        "size_bytes": row.size_bytes,
        "sha256": row.sha256,
    }


def _span(begin: int, until: int | None, start: int, end: int, zone: ZoneInfo) -> Document:
    """A stretch as far as it lies in the month: what happens to it later is another month's."""
    last = end if until is None else min(until, end)
    return {"from": _local(max(begin, start), zone), "to": _local(last, zone)}


def _local(instant: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(instant, zone).isoformat()


def _why(columns: Iterable[str | None]) -> Document:
    return dict(zip(("reason", "approved_by", "document"), columns, strict=True))


def _service(rows: Iterable[Any], month: Month) -> Iterable[tuple[Any, ...]]:
    """Devices in service in the month, and when."""
    for code, kind, first, decommissioned in rows:
        begin, end = _within(first, decommissioned, month)
        if begin < end:
            yield code, kind.value, begin, end


def _belonging(rows: Iterable[Any], month: Month) -> Iterable[tuple[Any, ...]]:
    for code, from_day, to_day, *groups in rows:
        begin, end = _within(from_day, to_day, month)
        if begin < end:
            yield code, begin, end, *groups


def _within(first: date, end: date | None, month: Month) -> tuple[date, date]:
    following = month.last + timedelta(days=1)
    return max(first, month.first), following if end is None else min(end, following)


def _hash(rows: Iterable[tuple[Any, ...]]) -> Document:
    """Rows and SHA-256 of their lines, the cells parted by tabs."""
    digest, count = hashlib.sha256(), 0
    for row in rows:
        line = "\t".join("" if cell is None else str(cell) for cell in row)
        digest.update(f"{line}\n".encode())
        count += 1
    return {"rows": count, "sha256": digest.hexdigest()}
