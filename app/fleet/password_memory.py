"""What cameras said of their passwords, kept across restarts and shared by all processes.

A camera locks an account after a few bad passwords. A memory that ended with its process would show
a refused one again at each start; two that knew nothing of each other would show it twice. So
whoever asks cameras works with the `memory` of `shared_memory`, and calls `exchange` now and then:
it writes what this process learnt and reads what the others did. Importing another address, user
name or password gives another fingerprint, about which nothing is known: it is tried at once.
"""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from app.config import Settings
from app.database import Database
from app.fleet.password_queries import (
    VerdictRow,
    drop_verdicts_before,
    put_verdicts,
    verdicts_since,
)
from app.fleet.secrets import Secrets
from collectors.onvif.credentials import Accepted, CredentialMemory, Scheme, Verdict

FOREVER = 253_402_300_799
"""The last second of the year 9999."""

KEPT_S = 365 * 86_400
"""A verdict that was not renewed for so long is dropped: at worst a wrong password is shown again
once a year, and what is no longer in the register leaves nothing behind."""

OVERLAP_S = 60
"""Of two readings: another process may commit a little later than it says."""


class PasswordMemory:
    """A `CredentialMemory` with the database behind it.

    Its key follows from the secret key. While no password was ever stored there is none, and so
    nothing that could be kept; after a change of the secret key all is learnt anew.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self.memory = CredentialMemory()
        self._key: bytes | None = None
        self._read_at = 0

    def exchange(self) -> None:
        """Write what was learnt here since the last time, read what others have learnt."""
        if not self._follow_key():
            return
        now = int(time.time())
        learnt = self.memory.unsaved
        if learnt:
            self._write(learnt, now)
        with self._database.read() as session:
            rows = verdicts_since(session, self._read_at - OVERLAP_S)
        self.memory.adopt({row.fingerprint: _verdict(row) for row in rows})
        self._read_at = now

    def _follow_key(self) -> bool:
        """Whether there is a key; where it is another one now, what was learnt is void."""
        key = Secrets(self._settings).derived_key("fingerprints of passwords")
        if key is not None and key != self._key:
            self.memory.change_key(key)
            self._key, self._read_at = key, 0
        return key is not None

    def _write(self, learnt: Mapping[bytes, Verdict], now: int) -> None:
        with self._database.write() as session:
            drop_verdicts_before(session, now - KEPT_S)
            put_verdicts(session, [_row(*item, now) for item in learnt.items()])
        self.memory.mark_saved(learnt)


@contextmanager
def shared_memory(database: Database, settings: Settings) -> Iterator[PasswordMemory]:
    """The memory with all that is known; what it learnt is written at the end, however it ends."""
    passwords = PasswordMemory(database, settings)
    passwords.exchange()
    try:
        yield passwords
    finally:
        passwords.exchange()


def _row(fingerprint: bytes, verdict: Verdict, now: int) -> VerdictRow:
    accepted = verdict.accepted
    offset_s = accepted.clock_offset_s if accepted else None
    return VerdictRow(
        fingerprint,
        accepted.scheme.name if accepted else None,
        None if offset_s is None else round(offset_s),
        _instant(verdict.refused_until),
        _instant(verdict.doubted_until),
        verdict.refusals,
        now,
    )


def _instant(until: float) -> int | None:
    return None if until == -math.inf else math.ceil(min(until, FOREVER))


def _verdict(row: VerdictRow) -> Verdict:
    accepted = None
    if row.scheme is not None:
        accepted = Accepted(Scheme[row.scheme], row.clock_offset_s)
    return Verdict(accepted, _until(row.refused_until), _until(row.doubted_until), row.refusals)


def _until(instant: int | None) -> float:
    if instant is None:
        return -math.inf
    return math.inf if instant == FOREVER else instant
