"""What the sheets are called, their columns and rows. Titles are texts of the catalogue."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.evidence.exemptions.tables import Exemption, ExemptionScope
from app.operations.workbook.contents import MonthContents, Outages
from app.web.language import message
from app.web.words import CLASS_WORDS, STATUS_WORDS, class_name
from kpi.explained import Excuse
from kpi.policy import DEFAULT_POLICY
from kpi.status import SlotClass, Status

Columns = Sequence[tuple[str, str, int]]
"""(title, number format, width in characters)"""
Translate = Callable[[str], str]
MINUTE = "%Y-%m-%d %H:%M"

SHEETS = {
    "summary": message("Summary"),
    "station": message("Stations"),
    "project": message("Projects"),
    "contractor": message("Contractors"),
    "device": message("Cameras"),
    "outages": message("Outages"),
    "suspensions": message("Suspensions"),
    "exemptions": message("Exemptions"),
}
AMOUNTS = (
    ("intact", message("Intact (s)")),
    ("impaired", message("Impaired (s)")),
    ("offline", message("Offline (s)")),
    ("unknown", message("Unknown (s)")),
    ("suspended", message("Suspended (s)")),
    ("exempted", message("Exempted (s)")),
)
OUTAGE_COLUMNS: Columns = (
    (message("Code"), "@", 22),
    (message("Name"), "@", 28),
    (message("From"), "yyyy-mm-dd hh:mm:ss", 20),
    (message("To"), "yyyy-mm-dd hh:mm:ss", 20),
    (message("Seconds"), "#,##0", 12),
    (message("Cause"), "@", 18),
    (message("Class"), "@", 10),
    (message("Not counted"), "@", 12),
    (message("Incident"), "#,##0", 10),
)
SUSPENSION_COLUMNS: Columns = (
    (message("Code"), "@", 22),
    (message("Name"), "@", 28),
    (message("From"), "yyyy-mm-dd hh:mm:ss", 20),
    (message("To"), "yyyy-mm-dd hh:mm:ss", 20),
    (message("Reason"), "@", 40),
    (message("Approved by"), "@", 20),
    (message("Document"), "@", 30),
)
EXEMPTION_COLUMNS: Columns = (
    (message("Of whom"), "@", 14),
    *SUSPENSION_COLUMNS[:1],
    *SUSPENSION_COLUMNS[2:],
)
EXCUSE_WORDS = {
    Excuse.NONE: "",
    Excuse.SUSPENDED: message("suspended"),
    Excuse.EXEMPTED: message("exempted"),
}
SCOPE_WORDS = {
    ExemptionScope.DEVICE: message("Camera"),
    ExemptionScope.ROOM: message("Room"),
    ExemptionScope.POWER_DISTRICT: message("Power district"),
    ExemptionScope.PROJECT: message("Project"),
}


def facts(contents: MonthContents, _: Translate) -> Iterator[tuple[str, str]]:
    """What holds of the whole workbook."""
    document, until = contents.total, contents.reached.until
    yield _("Calendar month"), str(contents.month)
    state = _("complete")
    if until is not None:
        state = _("not over: so far, until %(until)s") % {"until": until.strftime(MINUTE)}
    yield _("State"), state
    yield _("Time zone"), document.timezone
    yield _("Policy"), document.policy
    if document.sealed and document.sealed_at is not None:
        version = {"version": document.version, "at": document.sealed_at.strftime(MINUTE)}
        yield _("Sealed"), _("version %(version)d, %(at)s") % version
        yield _("SHA-256 of the manifest"), document.manifest_sha256 or ""
    yield _("Head of the audit log"), contents.audit_head
    yield _("Written"), contents.written_at.strftime(MINUTE)
    if contents.outages.total > len(contents.outages.incidents):
        yield (
            _("Outages left out, the shortest"),
            str(contents.outages.total - len(contents.outages.incidents)),
        )


def outage_rows(outages: Outages, zone: ZoneInfo, _: Translate) -> Iterator[Sequence[Any]]:
    table = DEFAULT_POLICY.class_table()
    columns = (column.tolist() for column in outages.found)
    for device, start, end, status, excuse, incident in zip(
        *columns, outages.incidents, strict=True
    ):
        name = outages.names[device]
        yield (
            name.code,
            name.name,
            _local(start, zone),
            _local(end, zone),
            end - start,
            _(STATUS_WORDS[Status(status)]),
            _(CLASS_WORDS[class_name(SlotClass(table[status]))]),
            _(EXCUSE_WORDS[Excuse(excuse)]) if excuse else None,
            incident,
        )


def suspension_rows(contents: MonthContents, zone: ZoneInfo) -> Iterator[Sequence[Any]]:
    for name, fact in contents.suspensions:
        span = (_local(fact.start, zone), _local(fact.end, zone))
        yield name.code, name.name, *span, fact.reason, fact.approved_by, fact.document


def exemption_rows(
    found: Sequence[Exemption], zone: ZoneInfo, _: Translate
) -> Iterator[Sequence[Any]]:
    for fact in found:
        span = (_local(fact.start, zone), _local(fact.end, zone))
        scope = _(SCOPE_WORDS[ExemptionScope(fact.scope)])
        yield scope, fact.code, *span, fact.reason, fact.approved_by, fact.document


def _local(instant: int | None, zone: ZoneInfo) -> datetime | None:
    return None if instant is None else datetime.fromtimestamp(instant, zone)
