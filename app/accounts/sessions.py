"""Sessions of browsers: kept here, known to the browser by a secret in a cookie."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.accounts import queries
from app.accounts.caller import Caller
from app.accounts.permissions import Role, permissions_of
from app.accounts.secrets import form_token_of, hash_of, new_session_secret
from app.accounts.tables import User, WebSession
from app.config import Settings

TOUCHED_EVERY_S = 60


@dataclass(frozen=True, slots=True)
class Browser:
    """Where a session comes from."""

    address: str
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A session that holds; `due`: it is time to note that it was used."""

    caller: Caller
    due: bool


def open_session(session: Session, user: User, browser: Browser, now: int) -> str:
    """A new session of the user; returns its secret, which nothing here keeps."""
    secret = new_session_secret()
    row = WebSession(
        user_id=user.id,
        token_hash=hash_of(secret),
        created_at=now,
        seen_at=now,
        address=browser.address[:64],
        agent=browser.agent[:256],
    )
    session.add(row)
    session.flush()
    return secret


def find_session(
    session: Session, settings: Settings, secret: str, address: str, now: int
) -> Found | None:
    """Whose session it is; None where it is not (any more) one, or its user is disabled."""
    found = queries.session_by_hash(session, hash_of(secret))
    if found is None:
        return None
    row, user = found
    if user.disabled_at is not None or _lapsed(row, settings, now):
        return None
    role = Role(user.role)
    caller = Caller(
        name=user.name,
        permissions=permissions_of(role),
        reach=user.reach,
        address=address,
        role=role,
        user_id=user.id,
        session_id=row.id,
        form_token=form_token_of(secret),
        must_change_password=user.must_change_password,
    )
    return Found(caller, now - row.seen_at >= TOUCHED_EVERY_S)


def _lapsed(row: WebSession, settings: Settings, now: int) -> bool:
    idle, age = now - row.seen_at, now - row.created_at
    return idle >= settings.session_idle + TOUCHED_EVERY_S or age >= settings.session_lifetime


def drop_lapsed(session: Session, settings: Settings, now: int) -> None:
    """Take the rows of sessions away that have ended by themselves."""
    queries.drop_lapsed_sessions(
        session, now - settings.session_idle - TOUCHED_EVERY_S, now - settings.session_lifetime
    )
