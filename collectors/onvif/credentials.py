"""What cameras said about the passwords shown to them."""

import hashlib
import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

DOUBT_S = 3600.0
"""How long a password that once worked is not shown after an answer that may be a refusal."""


class Scheme(Enum):
    """How a camera wants to be shown the password."""

    DIGEST = "HTTP digest"
    TOKEN = "WS-UsernameToken"  # noqa: S105 - a name, no secret


@dataclass(frozen=True, slots=True)
class Accepted:
    """How a password was shown when it was accepted, and how far off the camera's clock was."""

    scheme: Scheme
    clock_offset_s: float | None = None


class CredentialMemory:
    """What worked, and what was refused, for each (address, username, password).

    A camera locks an account for half an hour after a few bad passwords. What was refused once is
    therefore not tried again until one of the three changes. Only keyed hashes are kept, and the
    key lives as long as the process. `clock` tells seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._worked: dict[bytes, Accepted] = {}
        self._refused: set[bytes] = set()
        self._doubted: dict[bytes, float] = {}  # until when, of the monotonic clock

    def _entry(self, address: str, username: str, password: str) -> bytes:
        text = "\0".join((address, username, password)).encode()
        return hashlib.blake2b(text, key=self._key, digest_size=16).digest()

    def worked(self, address: str, username: str, password: str) -> Accepted | None:
        """What was accepted last, if anything."""
        return self._worked.get(self._entry(address, username, password))

    def was_refused(self, address: str, username: str, password: str) -> bool:
        """Whether this password was refused before, so that it must not be tried again."""
        return self._entry(address, username, password) in self._refused

    def is_doubted(self, address: str, username: str, password: str) -> bool:
        """Whether this password met an answer that did not say whether it was wrong."""
        until = self._doubted.get(self._entry(address, username, password), -math.inf)
        return self._clock() < until

    def remember_doubt(self, address: str, username: str, password: str) -> None:
        """The camera may have said no: do not try again unless it asks for a password clearly.

        A password that once worked may meet a camera that is merely confused: it is tried again
        after an hour, longer than accounts stay locked.
        """
        entry = self._entry(address, username, password)
        once_worked = entry in self._worked
        self._doubted[entry] = self._clock() + DOUBT_S if once_worked else math.inf

    def remember_success(
        self, address: str, username: str, password: str, accepted: Accepted
    ) -> None:
        """The camera took it; next time it is shown the same way."""
        self._worked[self._entry(address, username, password)] = accepted

    def remember_refusal(self, address: str, username: str, password: str) -> None:
        """The camera said no: do not try again."""
        entry = self._entry(address, username, password)
        self._refused.add(entry)
        self._worked.pop(entry, None)
