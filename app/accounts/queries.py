"""All SQL of users, sessions and tokens; that of the audit log is in `audit_queries.py`."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, column, delete, func, select, table, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.accounts.permissions import Role
from app.accounts.tables import ApiToken, SignInFailures, User, WebSession

PLACES = {
    Role.STATION: table("station", column("code")),
    Role.CONTRACTOR: table("contractor", column("code")),
}
"""The register's tables, by name alone: this subject lies below that one and imports none of it."""


def place_exists(session: Session, role: Role, code: str) -> bool:
    """Whether the register has this station (contractor)."""
    places = PLACES[role]
    found = select(places.c.code).where(places.c.code == code)
    return session.scalar(found) is not None


# Users


def user_by_key(session: Session, key: str) -> User | None:
    return session.scalar(select(User).where(User.key == key))


def user_by_external_id(session: Session, external_id: str) -> User | None:
    return session.scalar(select(User).where(User.external_id == external_id))


def user_by_id(session: Session, user_id: int) -> User | None:
    return session.get(User, user_id)


def count_users(session: Session, text: str | None) -> int:
    return session.scalar(select(func.count(User.id)).where(*_named(text))) or 0


def read_users(session: Session, text: str | None, skip: int, count: int) -> Sequence[User]:
    """Users by name."""
    query = select(User).where(*_named(text)).order_by(User.key)
    return session.scalars(query.offset(skip).limit(count)).all()


def _named(text: str | None) -> list[ColumnElement[bool]]:
    return [User.key.contains(text.casefold(), autoescape=True)] if text else []


# Sessions


def session_by_hash(session: Session, token_hash: bytes) -> tuple[WebSession, User] | None:
    query = select(WebSession, User).join(User, User.id == WebSession.user_id)
    row = session.execute(query.where(WebSession.token_hash == token_hash)).one_or_none()
    return None if row is None else (row[0], row[1])


def sessions_of(session: Session, user_id: int) -> Sequence[WebSession]:
    """A user's sessions, the one last used first."""
    query = select(WebSession).where(WebSession.user_id == user_id)
    return session.scalars(query.order_by(WebSession.seen_at.desc(), WebSession.id.desc())).all()


def touch_session(session: Session, session_id: int, now: int) -> None:
    session.execute(update(WebSession).where(WebSession.id == session_id).values(seen_at=now))


def end_session(session: Session, user_id: int, session_id: int) -> bool:
    """End one session of a user; False where there is none such."""
    ended = delete(WebSession).where(WebSession.id == session_id, WebSession.user_id == user_id)
    return session.execute(ended.returning(WebSession.id)).first() is not None


def end_sessions_of(session: Session, user_id: int) -> None:
    session.execute(delete(WebSession).where(WebSession.user_id == user_id))


def drop_lapsed_sessions(session: Session, seen_before: int, created_before: int) -> None:
    lapsed = (WebSession.seen_at < seen_before) | (WebSession.created_at < created_before)
    session.execute(delete(WebSession).where(lapsed))


# Tokens


def token_by_hash(session: Session, token_hash: bytes) -> ApiToken | None:
    return session.scalar(select(ApiToken).where(ApiToken.token_hash == token_hash))


def token_by_id(session: Session, token_id: int) -> ApiToken | None:
    return session.get(ApiToken, token_id)


def count_tokens(session: Session) -> int:
    return session.scalar(select(func.count(ApiToken.id))) or 0


def read_tokens(session: Session, skip: int, count: int) -> Sequence[ApiToken]:
    """The newest first."""
    query = select(ApiToken).order_by(ApiToken.id.desc())
    return session.scalars(query.offset(skip).limit(count)).all()


def touch_token(session: Session, token_id: int, now: int) -> None:
    session.execute(update(ApiToken).where(ApiToken.id == token_id).values(used_at=now))


# Failed sign-ins


def failures_of(session: Session, key: str, now: int) -> SignInFailures:
    """The failures under a key, held for the transaction; a row is made where there is none.

    One that is there is "updated" to what it is, so that nobody deletes it before it is read.
    """
    fresh = {"key": key, "failures": 0, "failed_at": now}
    dialect = session.get_bind().dialect.name
    insert: Any = (sqlite if dialect == "sqlite" else postgresql).insert(SignInFailures)
    held = insert.values(fresh).on_conflict_do_update(
        index_elements=["key"], set_={"key": insert.excluded.key}
    )
    session.connection().execute(held)
    return session.get_one(SignInFailures, key, populate_existing=True)


def drop_failures(session: Session, key: str) -> None:
    session.execute(delete(SignInFailures).where(SignInFailures.key == key))


def drop_failures_before(session: Session, failed_before: int) -> None:
    session.execute(delete(SignInFailures).where(SignInFailures.failed_at < failed_before))
