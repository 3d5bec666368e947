"""Holds a sealed month against its manifests: all that they name must be as it was.

Every version's text must have its hash, follow the version before it, and stand with that hash in
the audit log, whose chain must hold. What the newest version says of files, facts, register, ledger
and figures must be what is there; the files that an earlier version names must lie beside them.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

from sqlalchemy.orm import Session

from app.accounts import audit
from app.accounts.audit_queries import entries_about, oldest_entry_at
from app.config import Settings
from app.errors import Refused
from app.evidence.archive.day_files import DamagedFile, sha256_of
from app.evidence.archive.queries import archive_of, former_path
from app.evidence.auditing.differences import Difference
from app.evidence.sealing import queries
from app.evidence.sealing.manifest import canonical, evidence_of, sha256_of_text
from app.evidence.sealing.tables import MonthSeal
from kpi.calendar import Month
from kpi.policy import DEFAULT_POLICY

Document = Mapping[str, Any]
ACTIONS = ("month.seal", "month.amend")


def manifest_differences(
    session: Session, settings: Settings, month: Month
) -> Iterator[Difference]:
    """What is no longer as it was sealed; nothing for a month that is open."""
    versions = queries.seals(session, month)
    if not versions:
        return
    yield from _of_texts(session, month, versions)
    try:
        manifests = [json.loads(seal.manifest) for seal in versions]
    except ValueError:
        return  # its hash has been told of
    now = evidence_of(session, month, settings.zone, DEFAULT_POLICY)
    yield from _of_evidence(manifests[-1], now)
    for earlier, later in pairwise(manifests):
        yield from _of_former_files(session, earlier, later)


def _of_texts(
    session: Session, month: Month, versions: Sequence[MonthSeal]
) -> Iterator[Difference]:
    try:
        audit.verify(session)
    except Refused as error:
        yield Difference(None, "audit log", "chain", "", str(error))
    logged = {
        entry.details.get("version"): entry.details.get("sha256")
        for entry in entries_about(session, str(month), ACTIONS)
    }
    former, oldest = None, oldest_entry_at(session)
    for seal in versions:
        subject = f"manifest, version {seal.version}"
        found = sha256_of_text(seal.manifest)
        if found != seal.sha256:
            yield Difference(None, subject, "SHA-256", seal.sha256, found)
        is_purged = seal.version not in logged and oldest is not None and seal.sealed_at < oldest
        if not is_purged and logged.get(seal.version) != seal.sha256:
            said = logged.get(seal.version) or "no entry"
            yield Difference(None, subject, "SHA-256 in the audit log", seal.sha256, said)
        if f'"former_sha256":{json.dumps(former)}' not in seal.manifest:
            yield Difference(None, subject, "former version", "", str(former))
        former = seal.sha256


def _of_evidence(sealed: Document, now: Document) -> Iterator[Difference]:
    yield from _of_days(sealed["days"], now["days"])
    for name in ("suspensions", "exemptions"):
        yield from _of_facts(name, sealed["facts"][name], now["facts"][name])
    sections = {**sealed["register"], "ledger": sealed["ledger"]}
    present = {**now["register"], "ledger": now["ledger"]}
    for name, said in sections.items():
        if said != present[name]:
            yield Difference(None, name, "since sealing", _short(said), _short(present[name]))
    yield from _of_figures(sealed["figures"], now["figures"])


def _of_days(sealed: Sequence[Document], now: Sequence[Document]) -> Iterator[Difference]:
    before = {each["day"]: each for each in sealed}
    after = {each["day"]: each for each in now}
    for day in sorted(before.keys() | after.keys()):
        said, found = before.get(day, {}), after.get(day, {})
        if said != found:
            hashes = str(said.get("sha256")), str(found.get("sha256"))
            yield Difference(date.fromisoformat(day), "file", "since sealing", *hashes)


def _of_facts(
    name: str, sealed: Sequence[Document], now: Sequence[Document]
) -> Iterator[Difference]:
    before = {canonical(each): each for each in sealed}
    after = {canonical(each): each for each in now}
    for text in before.keys() - after.keys():
        yield Difference(None, name, "gone or changed since sealing", _fact(before[text]), "")
    for text in after.keys() - before.keys():
        yield Difference(None, name, "new or changed since sealing", "", _fact(after[text]))


def _of_figures(sealed: Document, now: Document) -> Iterator[Difference]:
    before, after = dict(_flat(sealed)), dict(_flat(now))
    for name in sorted(before.keys() | after.keys()):
        said, found = before.get(name), after.get(name)
        if said != found:
            yield Difference(None, f"figures {name}", "since sealing", _rates(said), _rates(found))


def _flat(figures: Document) -> Iterator[tuple[str, Document]]:
    for kind, groupings in figures.items():
        yield f"{kind} total", groupings["total"]
        for grouping, rows in groupings.items():
            if grouping != "total":
                for code, row in rows.items():
                    yield f"{kind} {grouping} {code or '–'}", row


def _rates(row: Document | None) -> str:
    if row is None:
        return "no row"
    return f"{row['intact_rate']}, {row['suspended_rate']}, {row['intact']} s intact"


def _fact(fact: Document) -> str:
    whom = fact.get("device") or f"{fact.get('scope')} {fact.get('code')}"
    return f"{whom}: {fact['from']} – {fact['to']}, {fact['reason']} ({fact['approved_by']})"


def _short(section: Document) -> str:
    return f"{section['rows']} rows, {section['sha256'][:12]}…"


def _of_former_files(session: Session, earlier: Document, later: Document) -> Iterator[Difference]:
    """The files of an earlier version that are not those of the next one."""
    folder, version = archive_of(session), earlier["version"]
    kept = {each["day"]: each["sha256"] for each in later["days"]}
    for each in earlier["days"]:
        day, sha256 = date.fromisoformat(each["day"]), each["sha256"]
        if kept.get(each["day"]) == sha256:
            continue
        path = former_path(folder, day, version)
        try:
            found = sha256_of(path)
        except DamagedFile as error:
            found = str(error)
        if found != sha256:
            yield Difference(day, path.name, f"file of version {version}", sha256, found)
