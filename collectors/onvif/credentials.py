"""What cameras said about the passwords shown to them."""

import hashlib
import secrets
from dataclasses import dataclass
from enum import Enum


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
    key lives as long as the process.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._worked: dict[bytes, Accepted] = {}
        self._refused: set[bytes] = set()

    def _entry(self, address: str, username: str, password: str) -> bytes:
        text = "\0".join((address, username, password)).encode()
        return hashlib.blake2b(text, key=self._key, digest_size=16).digest()

    def worked(self, address: str, username: str, password: str) -> Accepted | None:
        """What was accepted last, if anything."""
        return self._worked.get(self._entry(address, username, password))

    def was_refused(self, address: str, username: str, password: str) -> bool:
        """Whether this password was refused before, so that it must not be tried again."""
        return self._entry(address, username, password) in self._refused

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
