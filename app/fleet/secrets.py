"""Passwords of devices, encrypted at rest.

The key is `INTACT_SECRET_KEY`, else a key file in the data directory that is made when the first
password is stored. Whoever loses the key has to import the passwords again; nobody else can read
them.
"""

import os
import stat
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from uuid import uuid4

from cryptography.fernet import Fernet, InvalidToken

from app.config import Settings
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

    @cached_property
    def _fernet(self) -> Fernet:
        if self._given is not None:
            return Fernet(self._given.get_secret_value())
        return _read_key(self._file)


def _make_key(file: Path) -> None:
    """Write a new key and give it its name in one step.

    Of two processes that do so at once one loses the race for the name and uses the other's key; a
    key that is half written never has the name.
    """
    draft = file.with_name(f"{file.name}.{uuid4().hex}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as target:
                target.write(Fernet.generate_key())
                target.flush()
                os.fsync(target.fileno())
            with suppress(FileExistsError):
                os.link(draft, file)
        finally:
            draft.unlink()
    except OSError as error:
        raise ConfigurationError(
            [f"secret_key: {file} cannot be made ({error.strerror}); set INTACT_SECRET_KEY"]
        ) from error


def _read_key(file: Path) -> Fernet:
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        if mode & _OTHERS:
            raise ConfigurationError(
                [f"secret_key: {file} can be used by others (mode {mode:04o}); chmod 600 {file}"]
            )
        return Fernet(file.read_bytes().strip())
    except OSError as error:
        raise ConfigurationError(
            [f"secret_key: {file} cannot be read ({error.strerror}); check its rights"]
        ) from error
    except ValueError:
        raise ConfigurationError(
            [f"secret_key: {file} holds no key; put the former one back, or delete it"]
        ) from None
