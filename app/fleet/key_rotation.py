"""A new key for the stored passwords, while everything runs.

1. The new key is put before the old one: it encrypts, both open.
2. All passwords are encrypted anew, in one transaction; with them what other subjects keep under
   the key.
3. The old key is taken away.

Killed between any two steps, every password can still be opened; running it again ends it.
"""

from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from app.config import Settings
from app.database import Database
from app.fleet.queries import stored_passwords
from app.fleet.secrets import Secrets
from app.fleet.write_queries import lock_register, update_devices

EncryptAnew = Callable[[Session, Secrets], int]
"""Puts what another subject keeps under the newest key; returns how many that are."""


def rotate_key(database: Database, settings: Settings, others: Sequence[EncryptAnew] = ()) -> int:
    """Encrypt every stored password with a new key; returns how many there are.

    Raises `WrongKey` where one cannot be opened, `Refused` where `INTACT_SECRET_KEY` does not hold
    the new key yet.
    """
    secrets = Secrets(settings)
    secrets.begin_rotation()
    with database.write() as session:
        lock_register(session)
        passwords = stored_passwords(session)
        update_devices(
            session,
            [
                {"id": device_id, "password_encrypted": secrets.with_newest(stored)}
                for device_id, stored in passwords.items()
            ],
        )
        kept_elsewhere = sum(encrypt_anew(session, secrets) for encrypt_anew in others)
    secrets.end_rotation()
    return len(passwords) + kept_elsewhere
