"""Tokens of other systems: a role (or a part of its permissions), a reach, an end."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.accounts import audit, queries
from app.accounts.audit import Actor
from app.accounts.caller import Caller
from app.accounts.permissions import Permission, Role, permissions_of
from app.accounts.reach import Reach
from app.accounts.secrets import hash_of, new_api_token
from app.accounts.sessions import TOUCHED_EVERY_S, Found
from app.accounts.tables import ApiToken
from app.accounts.users import readable_name, require_place
from app.errors import BadParameter, NotFound
from app.web.language import message

DAY_S = 86_400
LONGEST_DAYS = 3_660
DEFAULT_DAYS = 365
WALL_ENTRY = "/wall/enter"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a token may do. `permissions`: a part of the role's; None: all of them."""

    role: Role
    reach: Reach
    permissions: Collection[Permission] | None = None


def add_token(
    session: Session, name: str, scope: Scope, days: int, actor: Actor, now: int
) -> tuple[ApiToken, str]:
    """A new token and its text, which is shown once and not kept.

    Raises `BadParameter` for a name that is none, a place that is not, or a permission that the
    role has not.
    """
    require_place(session, scope.reach)
    chosen = scope.permissions
    if chosen is not None and not set(chosen) <= permissions_of(scope.role):
        problem = message("holds what the role itself may not do; leave it out")
        raise BadParameter("permissions", problem)
    text = new_api_token()
    token = ApiToken(
        name=readable_name(name),
        token_hash=hash_of(text),
        role=scope.role.value,
        station=scope.reach.station,
        contractor=scope.reach.contractor,
        permissions=None if chosen is None else sorted(chosen),
        created_by=actor.name[:64],
        created_at=now,
        expires_at=now + days * DAY_S,
    )
    session.add(token)
    session.flush()
    details = {"id": token.id, "role": token.role, "days": days, "permissions": token.permissions}
    audit.record(session, actor, "token.add", token.name, now, details | _places(scope.reach))
    return token, text


def revoke_token(session: Session, token_id: int, actor: Actor, now: int) -> ApiToken:
    """From now on the token is nobody's. Raises `NotFound`."""
    token = queries.token_by_id(session, token_id)
    if token is None:
        raise NotFound("token", str(token_id))
    if token.revoked_at is None:
        token.revoked_at = now
        audit.record(session, actor, "token.revoke", token.name, now, {"id": token.id})
    return token


def find_token(session: Session, text: str, address: str, now: int) -> tuple[Found, int] | None:
    """Who asks with this token, and its id; None where it is none, revoked, or at its end."""
    token = queries.token_by_hash(session, hash_of(text))
    if token is None or token.revoked_at is not None or now >= token.expires_at:
        return None
    role = Role(token.role)
    permissions = permissions_of(role) - {Permission.OWN_ACCOUNT}
    if token.permissions is not None:
        permissions &= frozenset(map(Permission, token.permissions))
    caller = Caller(f"token:{token.name}", permissions, token.reach, address, role)
    due = token.used_at is None or now - token.used_at >= TOUCHED_EVERY_S
    return Found(caller, due), token.id


def wall_link(text: str) -> str:
    """Where a wall's screen enters with its token. What follows `#` a browser keeps to itself: it
    is in no request, and so in no log."""
    return f"{WALL_ENTRY}#{text}"


def _places(reach: Reach) -> dict[str, str]:
    named = {"station": reach.station, "contractor": reach.contractor}
    return {name: code for name, code in named.items() if code is not None}
