"""Passwords of devices, encrypted at rest.

The key is `INTACT_SECRET_KEY`, else a key file in the data directory that is made when the first
password is stored. Whoever loses the key has to import the passwords again; nobody else can read
them. Either may hold several keys, the newest first: that one encrypts, each of them opens, so that
a key can be changed while everything runs (see `app.fleet.key_rotation`).
"""

import hashlib
import os
import stat
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from uuid import uuid4

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.config import Settings, split_keys
from app.errors import ConfigurationError, Refused

KEY_FILE = "secret.key"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class WrongKey(Refused):
    """A stored password that the present key does not open."""


class Secrets:
    """Encrypts and decrypts passwords; the key is looked up when it is first needed."""

    def __init__(self, settings: Settings) -> None:
        self._given = settings.secret_key
        self._file = settings.data_dir / KEY_FILE

    def encrypt(self, password: str) -> bytes:
        """The password as it is stored; makes the key file where there is no key yet.

        Raises `ConfigurationError` where the key file cannot be used.
        """
        if self._given is None and not self._file.exists():
            _make_key(self._file)
        return self._fernet.encrypt(password.encode())

    def decrypt(self, stored: bytes) -> str:
        """The password. Raises `WrongKey`, or `ConfigurationError` for an unusable key file."""
        if self._given is None and not self._file.exists():
            raise WrongKey(
                f"Passwords are stored, but their key {self._file} is missing. Put it back or set "
                "INTACT_SECRET_KEY, or import the passwords again."
            )
        try:
            return self._fernet.decrypt(stored).decode()
        except InvalidToken:
            source = "INTACT_SECRET_KEY" if self._given else str(self._file)
            raise WrongKey(
                f"A stored password cannot be opened with the key in {source}. Put the former key "
                "back, or import the passwords again."
            ) from None

    def with_newest(self, stored: bytes) -> bytes:
        """The same password under the newest key. Raises `WrongKey`."""
        return self.encrypt(self.decrypt(stored))

    def derived_key(self, purpose: str) -> bytes | None:
        """Another key, for `purpose` alone, which follows from the newest one.

        None while there is none. Raises `ConfigurationError` for an unusable key file.
        """
        if self._given is None and not self._file.exists():
            return None
        newest = urlsafe_b64decode(self._keys[0])
        return hashlib.blake2b(purpose.encode(), key=newest, digest_size=32).digest()

    def begin_rotation(self) -> None:
        """Put a new key before those of the key file; `INTACT_SECRET_KEY` is changed by hand.

        Raises `Refused` where that holds one key only.
        """
        if self._given is not None:
            if len(self._keys) < 2:
                raise Refused(
                    "INTACT_SECRET_KEY holds one key. Put the new one before it, with a comma "
                    "between, and run this again; then take the old one away."
                )
        elif self._file.exists():
            _replace(self._file, [Fernet.generate_key().decode(), *self._keys])
            self._forget()

    def end_rotation(self) -> None:
        """Leave the newest key alone in the key file."""
        if self._given is None and self._file.exists():
            _replace(self._file, self._keys[:1])
            self._forget()

    @cached_property
    def _keys(self) -> list[str]:
        if self._given is not None:
            return split_keys(self._given.get_secret_value())
        return _read_keys(self._file)

    @cached_property
    def _fernet(self) -> MultiFernet:
        return MultiFernet([Fernet(key) for key in self._keys])

    def _forget(self) -> None:
        """The file has changed: read it again when it is needed."""
        for name in ("_keys", "_fernet"):
            self.__dict__.pop(name, None)


def _make_key(file: Path) -> None:
    """Write a new key and give it its name in one step.

    Of two processes that do so at once one loses the race for the name and uses the other's key; a
    key that is half written never has the name.
    """
    with _drafted(file, [Fernet.generate_key().decode()]) as draft, suppress(FileExistsError):
        os.link(draft, file)


def _replace(file: Path, keys: list[str]) -> None:
    """Put these keys into the place of the key file in one step."""
    with _drafted(file, keys) as draft:
        draft.rename(file)


@contextmanager
def _drafted(file: Path, keys: list[str]) -> Iterator[Path]:
    """A file of mode 0600 beside the key file that holds the keys; taken away at the end."""
    draft = file.with_name(f"{file.name}.{uuid4().hex}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w") as target:
                target.write("\n".join(keys))
                target.flush()
                os.fsync(target.fileno())
            yield draft
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(
            [f"secret_key: {file} cannot be made ({error.strerror}); set INTACT_SECRET_KEY"]
        ) from error


def _read_keys(file: Path) -> list[str]:
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        if mode & _OTHERS:
            raise ConfigurationError(
                [f"secret_key: {file} can be used by others (mode {mode:04o}); chmod 600 {file}"]
            )
        return split_keys(file.read_text(encoding="ascii"))
    except OSError as error:
        raise ConfigurationError(
            [f"secret_key: {file} cannot be read ({error.strerror}); check its rights"]
        ) from error
    except ValueError:
        raise ConfigurationError(
            [f"secret_key: {file} holds no key; put the former one back, or delete it"]
        ) from None
