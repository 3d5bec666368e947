"""Compares a month's ledger with what its evidence says by the second way, to the second.

Three things are held against each other on every closed day: the file and the hash that the archive
wrote down for it, each device's seconds and those counted anew, the sums of the cohorts (from which
every rate is made) and the ledger. A sealed month is held against its manifests, too.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import duckdb
from sqlalchemy.orm import Session

from app.config import Settings
from app.database import Database
from app.errors import BadParameter
from app.evidence.archive.day_files import DamagedFile, sha256_of
from app.evidence.archive.queries import archive_of, day_path
from app.evidence.archive.tables import ArchiveDay
from app.evidence.auditing import queries
from app.evidence.auditing.differences import Difference
from app.evidence.auditing.manifests import manifest_differences
from app.evidence.auditing.recomputing import AMOUNTS, AuditedDay, Recount
from app.evidence.ledger import bring_up_to_date
from app.evidence.sealing.queries import is_sealed
from app.tabular import ReportProgress
from kpi.calendar import Month, day_bounds, day_start, days_between, local_day
from kpi.policy import DEFAULT_POLICY

Rows = Mapping[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class AuditReport:
    """`open_days`: days that are not over, so that nothing can be said of them yet."""

    month: Month
    days: int
    device_days: int
    open_days: int
    differences: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        return not self.differences


def audit_month(
    database: Database,
    settings: Settings,
    month: Month,
    now: int,
    report: ReportProgress = lambda _stage, _done, _total: None,
) -> AuditReport:
    """Audit a month as far as it has come. Raises `BadParameter` where it has not begun."""
    if month.first > local_day(now, settings.zone):
        raise BadParameter("--month", f"{month} has not begun")
    bring_up_to_date(database, settings, month.first, month.last, now)
    start, end = day_start(month.first, settings.zone), day_bounds(month.last, settings.zone)[1]
    with database.read() as session:
        facts = queries.facts(session, start, end)
        reached = queries.ledger_reach(session, month.first, month.last)
        differences = list(manifest_differences(session, settings, month))
    closed = [
        day
        for day in days_between(month.first, month.last)
        if day in reached and reached[day][1] >= day_bounds(day, settings.zone)[1]
    ]
    device_days = 0
    with Recount(facts, DEFAULT_POLICY) as recount:
        for done, day in enumerate(closed, 1):
            audit = _DayAudit(database, settings, recount, day)
            differences += audit.differences()
            device_days += audit.devices
            report("days audited", done, len(closed))
    is_open = len(reached) - len(closed)
    return AuditReport(month, len(closed), device_days, is_open, tuple(differences))


class _DayAudit:
    """One closed day."""

    def __init__(self, database: Database, settings: Settings, recount: Recount, day: date) -> None:
        self._database, self._settings, self._recount = database, settings, recount
        self._day = day
        self.devices = 0

    def differences(self) -> Iterator[Difference]:
        with self._database.read() as session:
            archived = queries.archive_days(session, self._day, self._day).get(self._day)
            if archived is not None and archived.written_revision is not None:
                yield from self._of_file(session, archived)
            try:
                counted = self._recount.count(self._evidence(session, archived))
            except duckdb.Error as error:
                said = str(error).splitlines()[0]
                yield Difference(self._day, "samples", "cannot be read", "", said)
                return
            ledger = queries.ledger_of(session, self._day)
            self.devices = len(counted)
            yield from self._of_devices(ledger, counted, queries.codes_of(session))
            sums = queries.cohort_sums(session, self._day)
        yield from self._of_cohorts(sums, ledger)

    def _evidence(self, session: Session, archived: ArchiveDay | None) -> AuditedDay:
        start, end = day_bounds(self._day, self._settings.zone)
        interval_s = queries.evidence_lengths(session, self._day, self._day).get(
            self._day, self._settings.poll_interval
        )
        file = None
        if archived is not None and archived.written_revision is not None:
            file = day_path(archive_of(session), self._day)
        sealed = file is not None and is_sealed(session, self._day)
        hot = None if sealed else queries.hot_of(session, start, end)
        return AuditedDay(self._day, start, end, interval_s, file, hot)

    def _of_file(self, session: Session, archived: ArchiveDay) -> Iterator[Difference]:
        path = day_path(archive_of(session), self._day)
        try:
            found = sha256_of(path)
        except DamagedFile as error:
            yield Difference(self._day, path.name, "file", archived.sha256 or "", str(error))
            return
        if found not in (archived.sha256, archived.next_sha256):
            yield Difference(self._day, path.name, "SHA-256", archived.sha256 or "", found)

    def _of_devices(
        self, ledger: Rows, counted: Rows, codes: Mapping[int, str]
    ) -> Iterator[Difference]:
        for device_id in sorted(ledger.keys() | counted.keys()):
            said, found = ledger.get(device_id), counted.get(device_id)
            if said != found:
                subject = codes.get(device_id, f"#{device_id}")
                yield Difference(self._day, subject, *_told(said, found))

    def _of_cohorts(self, sums: Rows, ledger: Rows) -> Iterator[Difference]:
        """The sums against the ledger, as the devices belonged on the day."""
        cohort_of = self._recount.cohorts()
        added: dict[int, list[int]] = defaultdict(lambda: [0] * (len(AMOUNTS) + 1))
        for device_id, seconds in ledger.items():
            if device_id in cohort_of:
                total = added[cohort_of[device_id]]
                for place, value in enumerate((*seconds, 1)):
                    total[place] += value
        for cohort_id in sorted(sums.keys() | added.keys()):
            said = sums.get(cohort_id)
            found = tuple(added[cohort_id]) if cohort_id in added else None
            if said != found:
                yield Difference(self._day, f"sums of cohort {cohort_id}", *_told(said, found))


def _told(said: tuple[int, ...] | None, found: tuple[int, ...] | None) -> tuple[str, str, str]:
    """(what, recorded, found): the seconds that differ, by name."""
    width = len(said or found or ())
    nothing = (0,) * width
    pairs = zip((*AMOUNTS, "devices"), said or nothing, found or nothing, strict=False)
    differing = [(name, one, other) for name, one, other in pairs if one != other]
    what = ", ".join(name for name, _, _ in differing)
    recorded = ", ".join(str(one) for _, one, _ in differing)
    counted = ", ".join(str(other) for _, _, other in differing)
    return what, "no row" if said is None else recorded, "no row" if found is None else counted
