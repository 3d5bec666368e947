"""Signing in: what is checked, counted and told.

1. The try is counted under the name and under the address before the password is looked at, so
   that tries at the same moment count too; where one of them must wait, nothing is checked.
2. Name and password are checked. A name that does not exist costs the same work and gets the same
   answer as a wrong password.
3. Who is right gets a new session with a new secret, and the count is taken back.
"""

from sqlalchemy.orm import Session

from app.accounts import audit, lockout, queries
from app.accounts.audit import Actor
from app.accounts.passwords import matches
from app.accounts.sessions import Browser, open_session
from app.accounts.tables import NAME_LENGTH, User
from app.accounts.users import failures_key, key_of
from app.database import Database
from app.errors import IntactError

NOBODY = "(unknown)"


class SignInFailed(IntactError):
    """Name and password do not belong together; which of them is wrong is not told."""

    status = 401
    title = "Sign-in failed"


class MustWait(IntactError):
    """Too many failures; `wait_s` seconds until the next try."""

    status = 429
    title = "Too many tries"

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"Too many failed sign-ins; try again in {wait_s} s.")
        self.wait_s = wait_s


def sign_in(
    database: Database, name: str, password: str, browser: Browser, now: int
) -> tuple[str, User]:
    """The secret of a new session, and whose it is. Raises `SignInFailed` or `MustWait`."""
    key = key_of(name)[:NAME_LENGTH]
    with database.write() as session:
        waits = _count(session, key, browser, now)
    if waits:
        raise MustWait(waits)
    with database.read() as session:
        user = queries.user_by_key(session, key)
    usable = user is not None and user.disabled_at is None
    right = matches(password, user.password_hash if user else None)
    if user is None or not (usable and right):
        with database.write() as session:
            _tell_failure(session, user, browser, now)
        raise SignInFailed("Name or password is wrong.")
    with database.write() as session:
        _forgive(session, browser.address, now)  # in the order of `_count`: nobody waits crosswise
        queries.drop_failures(session, failures_key(key))
        return enter(session, user.id, browser, now)


def enter(session: Session, user_id: int, browser: Browser, now: int) -> tuple[str, User]:
    """A new session for somebody who has proved who they are."""
    user = queries.user_by_id(session, user_id)
    if user is None or user.disabled_at is not None:
        raise SignInFailed("Name or password is wrong.")
    user.signed_in_at = now
    secret = open_session(session, user, browser, now)
    audit.record(session, Actor(user.name, browser.address), "session.sign_in", user.name, now)
    return secret, user


def sign_out(session: Session, user_id: int, session_id: int, actor: Actor, now: int) -> None:
    """End this session of the user."""
    if queries.end_session(session, user_id, session_id):
        audit.record(session, actor, "session.sign_out", actor.name, now)


def _count(session: Session, key: str, browser: Browser, now: int) -> int:
    """Count a try under name and address; seconds to wait where either must (not counted then)."""
    limits = {
        failures_key(key): lockout.FREE_OF_A_NAME,
        _address_key(browser.address): lockout.FREE_OF_AN_ADDRESS,
    }
    rows = {counted: queries.failures_of(session, counted, now) for counted in sorted(limits)}
    waits = max(
        lockout.wait_s(row.failures, row.failed_at, limits[counted], now)
        for counted, row in rows.items()
    )
    if not waits:
        for row in rows.values():
            row.failures = lockout.counted(row.failures, row.failed_at, now)
            row.failed_at = now
    return waits


def _forgive(session: Session, address: str, now: int) -> None:
    """Take the count of a successful try back from its address."""
    row = queries.failures_of(session, _address_key(address), now)
    row.failures = max(0, row.failures - 1)


def _address_key(address: str) -> str:
    return f"address:{address[:NAME_LENGTH]}"


def _tell_failure(session: Session, user: User | None, browser: Browser, now: int) -> None:
    """What was typed as a name may be a password: only names of users are written down."""
    actor = Actor(NOBODY, browser.address)
    audit.record(session, actor, "session.sign_in_failed", user.name if user else NOBODY, now)
