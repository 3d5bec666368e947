"""The log of who did what: each entry's hash covers the hash before it.

hash = SHA-256(previous hash ‖ canonical JSON of the entry), both in UTF-8; the first previous hash
is 64 zeros. An entry that was changed, left out or put in breaks the chain from there on. Purging
takes the oldest entries away and keeps the hash of the last of them as the chain's anchor.
"""

import getpass
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.accounts import audit_queries as queries
from app.accounts.tables import AuditEntry
from app.errors import Refused

DAY_S = 86_400
KEPT_AT_LEAST_DAYS = 180
FIELDS = ("id", "at", "actor", "address", "action", "subject", "details")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it, and from which address (None: at this machine's shell)."""

    name: str
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """A chain that holds: how many entries, and the hash of the newest."""

    entries: int
    first_id: int
    last_hash: str


def shell_actor() -> Actor:
    """Whoever has the shell: the operating system's user."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for its user
        name = str(os.getuid())
    return Actor(f"shell:{name}"[:96])


def record(
    session: Session,
    actor: Actor,
    action: str,
    subject: str,
    now: int,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Append an entry, in the transaction of what it tells of. `action` reads `user.add`."""
    head = queries.lock_audit_head(session)
    entry = AuditEntry(
        id=head.last_id + 1,
        at=now,
        actor=actor.name[:96],
        address=actor.address,
        action=action,
        subject=subject[:128],
        details=dict(details or {}),
    )
    entry.hash = link(head.last_hash, entry)
    session.add(entry)
    head.last_id, head.last_hash = entry.id, entry.hash
    session.flush()


def link(previous: str, entry: AuditEntry) -> str:
    """The hash of an entry that follows the one with the hash `previous`."""
    values = {name: getattr(entry, name) for name in FIELDS}
    canonical = json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256((previous + canonical).encode()).hexdigest()


def verify(session: Session) -> Verified:
    """Walk the whole chain. Raises `Refused` naming the first entry that does not fit."""
    head = queries.audit_head(session)
    expected, previous = head.anchor_id + 1, head.anchor_hash
    for entry in queries.audit_chain(session):
        if entry.id != expected:
            raise Refused(f"The audit log has a gap: entry {expected} is missing.")
        if entry.hash != link(previous, entry):
            raise Refused(f"The audit log was changed at entry {entry.id} or before it.")
        expected, previous = entry.id + 1, entry.hash
    if (expected - 1, previous) != (head.last_id, head.last_hash):
        raise Refused(f"The audit log ends at entry {expected - 1}; it had {head.last_id}.")
    return Verified(head.last_id - head.anchor_id, head.anchor_id + 1, previous)


def purge(session: Session, now: int, days: int) -> int:
    """Take away the entries older than `days` (at least 180); returns how many.

    The newest entry always stays. The chain must hold before: nobody purges traces of a change.
    """
    head = queries.lock_audit_head(session)
    limit = now - max(days, KEPT_AT_LEAST_DAYS) * DAY_S
    last = queries.last_entry_before(session, limit, head.last_id)
    if last is None:
        return 0
    verify(session)
    purged = last.id - head.anchor_id
    queries.delete_audit_through(session, last.id)
    head.anchor_id, head.anchor_hash = last.id, last.hash
    session.flush()
    record(session, Actor("intact"), "audit.purge", "", now, {"through": last.id})
    return purged
