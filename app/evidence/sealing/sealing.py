"""Seals a month, and amends one that is sealed.

A month is ready when all its slots are past, its days lie in files that hold all that was stored,
and its ledger follows from all that is known. What becomes known afterwards is kept and counted,
and changes nothing: neither the files nor the ledger of a sealed month are touched.

An amendment opens the month (a row says so), lets files and ledger follow, and seals the next
version; the former file of a day that changes is kept beside it under the version that it was
sealed with. Broken off, it is gone on with by the same command.
"""

import os
from collections.abc import Callable

from sqlalchemy.orm import Session

from app.accounts.audit import Actor, record
from app.accounts.audit_queries import audit_head
from app.config import Settings
from app.database import Database
from app.errors import Refused
from app.evidence.archive.archiving import release_day, write_day
from app.evidence.archive.day_files import sha256_of
from app.evidence.archive.queries import archive_of, day_path, former_path
from app.evidence.archive.verifying import verify_days
from app.evidence.ledger import bring_up_to_date
from app.evidence.sealing import queries
from app.evidence.sealing.manifest import (
    about_seal,
    canonical,
    evidence_of,
    sha256_of_text,
    total_of,
)
from app.evidence.sealing.tables import MonthAmendment, MonthSeal
from app.evidence.store import require_zone
from kpi.calendar import Month, day_bounds, existing_end
from kpi.policy import DEFAULT_POLICY, Policy
from kpi.rates import Amounts, percent, reaches

OnSealed = Callable[[Session, MonthSeal], None]
"""Called in the transaction of the seal: whoever tells others of it."""


def seal_month(
    database: Database,
    settings: Settings,
    month: Month,
    actor: Actor,
    now: int,
    *,
    forced: str | None = None,
    on_sealed: OnSealed = lambda _session, _seal: None,
) -> MonthSeal:
    """Seal a month for the first time. `forced`: why, in spite of insufficient evidence.

    Raises `Refused` where the month is not over, sealed already or below the least coverage,
    `DamagedFile` where a file is not as it was written.
    """
    with database.read() as session:
        require_zone(session, settings.timezone)
        if queries.newest_seal(session, month) is not None:
            raise Refused(f"{month} is sealed; change it by `intact amend --month {month}`.")
    _make_ready(database, settings, month, now)
    return _seal(database, settings, month, actor, now, forced, forced is not None, on_sealed)


def amend_month(
    database: Database,
    settings: Settings,
    month: Month,
    actor: Actor,
    now: int,
    reason: str,
    *,
    forced: bool = False,
    on_sealed: OnSealed = lambda _session, _seal: None,
) -> MonthSeal:
    """Let a sealed month follow from all that is known by now, and seal its next version.

    Raises as `seal_month`, and `Refused` where the month is not sealed.
    """
    if not reason.strip():
        raise Refused("An amendment needs a reason; give --reason.")
    _open(database, month, actor, now, reason.strip())
    _keep_former_files(database, month)
    _make_ready(database, settings, month, now)
    return _seal(database, settings, month, actor, now, reason.strip(), forced, on_sealed)


def _make_ready(database: Database, settings: Settings, month: Month, now: int) -> None:
    """Files and ledger of the month hold all that is known."""
    if existing_end(now, settings.poll_interval) < day_bounds(month.last, settings.zone)[1]:
        raise Refused(f"{month} is not over yet.")
    with database.read() as session:
        due = queries.days_not_whole(session, month)
        known = queries.evidence_days(session, month)
    for day in due:
        write_day(database, settings, day, now)
    for report in verify_days(database, month.first, month.last):
        if report.problem is not None:
            raise Refused(f"{report.problem}; put it back from a backup before {month} is sealed.")
    for day in known:
        release_day(database, day)
    bring_up_to_date(database, settings, month.first, month.last, now)


def _seal(
    database: Database,
    settings: Settings,
    month: Month,
    actor: Actor,
    now: int,
    reason: str | None,
    forced: bool,
    on_sealed: OnSealed,
) -> MonthSeal:
    policy = DEFAULT_POLICY
    with database.write() as session:
        queries.lock_month(session, month)
        if any(queries.pending(session, month)):
            raise Refused(f"Evidence of {month} came in just now; say the command again.")
        former = queries.newest_seal(session, month)
        seal = MonthSeal(
            month=str(month),
            version=1 if former is None else former.version + 1,
            sealed_at=now,
            sealed_by=actor.name,
            reason=reason,
            policy=policy.label,
        )
        evidence = evidence_of(session, month, settings.zone, policy)
        if not forced:
            _require_coverage(month, total_of(evidence["figures"]), policy)
        about = about_seal(seal, settings.zone, policy, former, audit_head(session).last_hash)
        seal.manifest = canonical(evidence | about)
        seal.sha256 = sha256_of_text(seal.manifest)
        session.add(seal)
        queries.end_amendment(session, month)
        action = "month.seal" if former is None else "month.amend"
        details = {"version": seal.version, "sha256": seal.sha256, "reason": reason}
        record(session, actor, action, str(month), now, details)
        on_sealed(session, seal)
    return seal


def _require_coverage(month: Month, cameras: Amounts, policy: Policy) -> None:
    least = policy.min_coverage
    if not reaches(cameras.assessed, cameras.to_be_assessed, least, "at_least"):
        shown = percent(cameras.assessed, cameras.to_be_assessed, least)
        raise Refused(
            f"The evidence of {month} is insufficient: its coverage is {shown}, the least is "
            f"{float(least):.0%}; say why by --force to seal it nevertheless."
        )


def _open(database: Database, month: Month, actor: Actor, now: int, reason: str) -> None:
    """Say that a sealed month is being amended, unless it is said already."""
    with database.write() as session:
        if queries.newest_seal(session, month) is None:
            raise Refused(f"{month} is not sealed; seal it by `intact seal --month {month}`.")
        if queries.amendment_of(session, month) is None:
            session.add(
                MonthAmendment(month=str(month), begun_at=now, begun_by=actor.name, reason=reason)
            )
            record(session, actor, "month.open", str(month), now, {"reason": reason})


def _keep_former_files(database: Database, month: Month) -> None:
    """The files as they were sealed stay, as second names of what late samples will replace."""
    with database.read() as session:
        seal, folder = queries.newest_seal(session, month), archive_of(session)
        changing = [row for row in queries.archived_days(session, month) if not row.is_whole]
    if seal is None:
        return
    for row in changing:
        path, kept = day_path(folder, row.day), former_path(folder, row.day, seal.version)
        if not kept.exists() and row.next_sha256 is None and sha256_of(path) == row.sha256:
            os.link(path, kept)
