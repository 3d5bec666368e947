"""What cameras said about the passwords shown to them.

A camera locks an account for half an hour after a few bad passwords. So a password that was refused
is not shown again until the address, the user name or the password changes. One exception: a
WS-UsernameToken carries the time, and a camera whose clock has jumped refuses it whatever the
password is. Where the password once worked and the camera did not tell its clock, it is shown once
more after an hour, longer than accounts stay locked, then after two, four … at most once a day.

Only keyed hashes are kept, never a password. Source: DESIGN §5.
"""

import hashlib
import math
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from threading import Lock

FIRST_PAUSE_S = 3600.0
"""How long a password that once worked is not shown after an answer that may be a refusal."""

LONGEST_PAUSE_S = 86_400.0
STEADY_S = 60.0
"""A clock offset that differs by less is still the same: cameras allow five minutes."""

MOST_ENTRIES = 65_536
"""Passwords of cameras that are remembered; those unused for longest are dropped first."""


class Scheme(Enum):
    """How a camera wants to be shown the password."""

    DIGEST = "HTTP digest"
    TOKEN = "WS-UsernameToken"  # noqa: S105 - a name, no secret


@dataclass(frozen=True, slots=True)
class Accepted:
    """How a password was shown when it was accepted, and how far off the camera's clock was."""

    scheme: Scheme
    clock_offset_s: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a camera said of one password. Instants are seconds since 1970; infinity is for ever.

    `accepted` is how it last worked. It is shown no more before `refused_until`, and before
    `doubted_until` only where the camera asks for a password clearly. `refusals` came one after
    the other since it worked; where it never did there are none.
    """

    accepted: Accepted | None = None
    refused_until: float = -math.inf
    doubted_until: float = -math.inf
    refusals: int = 0


class CredentialMemory:
    """The verdict on each (address, username, password) that was shown.

    Entries are named by a hash with `key`, which is one for the life of the process unless given.
    `clock` tells seconds since 1970. What differs from what is kept elsewhere is in `unsaved`: this
    is how whoever has a database keeps it beyond the process, from another thread if need be.
    """

    def __init__(self, key: bytes | None = None, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._key = key or secrets.token_bytes(32)
        self._lock = Lock()
        self._verdicts: dict[bytes, Verdict] = {}  # the last used at the end
        self._saved: dict[bytes, Verdict] = {}  # as it is kept elsewhere
        self._unsaved: set[bytes] = set()

    def worked(self, address: str, username: str, password: str) -> Accepted | None:
        """What was accepted last, if anything."""
        return self._look_up(address, username, password).accepted

    def was_refused(self, address: str, username: str, password: str) -> bool:
        """Whether this password was refused, so that it must not be shown now."""
        return self._clock() < self.refused_until(address, username, password)

    def refused_until(self, address: str, username: str, password: str) -> float:
        """When a password that was refused may be shown again, in seconds since 1970."""
        return self._look_up(address, username, password).refused_until

    def is_doubted(self, address: str, username: str, password: str) -> bool:
        """Whether this password met an answer that did not say whether it was wrong."""
        return self._clock() < self._look_up(address, username, password).doubted_until

    def remember_success(
        self, address: str, username: str, password: str, accepted: Accepted
    ) -> None:
        """The camera took it; next time it is shown the same way."""
        self._conclude(address, username, password, Verdict(accepted))

    def remember_doubt(self, address: str, username: str, password: str) -> None:
        """The camera may have said no: do not try again unless it asks for a password clearly.

        A password that once worked may meet a camera that is merely confused: it is tried again
        after a pause.
        """
        verdict = self._look_up(address, username, password)
        pause_s = FIRST_PAUSE_S if verdict.accepted else math.inf
        doubted = replace(verdict, doubted_until=self._clock() + pause_s)
        self._conclude(address, username, password, doubted)

    def remember_refusal(
        self, address: str, username: str, password: str, *, clock_unknown: bool = False
    ) -> None:
        """The camera said no: do not try again.

        With `clock_unknown` the time in the token may have been wrong, not the password: where it
        worked before it is tried again after a pause, as if nothing were known of the camera.
        """
        verdict = self._look_up(address, username, password)
        refused = Verdict(refused_until=math.inf)
        if clock_unknown and (verdict.accepted or verdict.refusals):
            pause_s = min(FIRST_PAUSE_S * 2**verdict.refusals, LONGEST_PAUSE_S)
            until = self._clock() + pause_s
            refused = Verdict(refused_until=until, refusals=verdict.refusals + 1)
        self._conclude(address, username, password, refused)

    # -- beyond the process ------------------------------------------------------------------

    def change_key(self, key: bytes) -> None:
        """Name entries by another key; what has been learnt is forgotten."""
        with self._lock:
            self._key = key
            for entries in (self._verdicts, self._saved, self._unsaved):
                entries.clear()

    @property
    def unsaved(self) -> dict[bytes, Verdict]:
        """What was learnt here and is to be kept, by the hash that names it."""
        with self._lock:
            return {entry: self._verdicts[entry] for entry in self._unsaved}

    def mark_saved(self, verdicts: Mapping[bytes, Verdict]) -> None:
        """These are kept elsewhere now; what was learnt since stays unsaved."""
        with self._lock:
            for entry, verdict in verdicts.items():
                if entry in self._verdicts:
                    self._saved[entry] = verdict
                    self._note(entry)

    def adopt(self, verdicts: Mapping[bytes, Verdict]) -> None:
        """Take over what another process or an earlier one learnt; what is unsaved here stays."""
        with self._lock:
            for entry, verdict in verdicts.items():
                if entry not in self._unsaved:
                    self._put(entry, verdict)
                    self._saved[entry] = verdict

    @property
    def size(self) -> int:
        """How many verdicts are remembered."""
        return len(self._verdicts)

    def _entry(self, address: str, username: str, password: str) -> bytes:
        text = "\0".join((address, username, password)).encode()
        return hashlib.blake2b(text, key=self._key, digest_size=16).digest()

    def _look_up(self, address: str, username: str, password: str) -> Verdict:
        with self._lock:
            entry = self._entry(address, username, password)
            verdict = self._verdicts.pop(entry, None)
            if verdict is None:
                return _NOTHING
            self._verdicts[entry] = verdict
            return verdict

    def _conclude(self, address: str, username: str, password: str, verdict: Verdict) -> None:
        with self._lock:
            entry = self._entry(address, username, password)
            self._put(entry, verdict)
            self._note(entry)

    def _note(self, entry: bytes) -> None:
        """Whether the verdict is to be saved."""
        if _is_same(self._saved.get(entry, _NOTHING), self._verdicts[entry]):
            self._unsaved.discard(entry)
        else:
            self._unsaved.add(entry)

    def _put(self, entry: bytes, verdict: Verdict) -> None:
        self._verdicts[entry] = verdict
        if len(self._verdicts) > MOST_ENTRIES:
            oldest = next(iter(self._verdicts))
            del self._verdicts[oldest]
            self._saved.pop(oldest, None)
            self._unsaved.discard(oldest)


_NOTHING = Verdict()


def _is_same(one: Verdict, other: Verdict) -> bool:
    """Whether two verdicts differ in nothing but seconds of the camera's clock."""
    if one.accepted is None or other.accepted is None:
        return one == other
    ours, theirs = one.accepted.clock_offset_s, other.accepted.clock_offset_s
    if ours is None or theirs is None or abs(ours - theirs) >= STEADY_S:
        return one == other
    return replace(one, accepted=replace(one.accepted, clock_offset_s=theirs)) == other
