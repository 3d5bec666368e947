"""Whom an ID token stands for: the provider gives the rights anew at each sign-in."""

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.accounts import audit, queries, users
from app.accounts.audit import Actor
from app.accounts.permissions import Role
from app.accounts.reach import Reach
from app.accounts.signing_in import SignInFailed
from app.accounts.tables import User
from app.config import Settings
from app.errors import BadParameter, ConfigurationError
from app.web.language import message

PROVIDER = Actor("oidc")
NO_ROLE = message("Your account has no role here; ask the security administrator.")


def check_roles(settings: Settings) -> None:
    """Raises `ConfigurationError` for a role that is none."""
    unknown = sorted(set(settings.oidc_roles.values()) - {role.value for role in Role})
    if unknown:
        known = ", ".join(Role)
        raise ConfigurationError(
            [f"oidc_roles: there is no role {name!r}; use {known}" for name in unknown]
        )


def user_of(session: Session, settings: Settings, claims: Mapping[str, Any], now: int) -> User:
    """The user of these claims, made at the first sign-in, with the rights that they give.

    Raises `SignInFailed` where they give none, or the name is a local user's.
    """
    try:
        role, reach = _rights(settings, claims)
        users.require_place(session, reach)
        user = queries.user_by_external_id(session, _external_id(claims))
        if user is None:
            return _add(session, claims, role, reach, now)
        if (user.role, user.reach) != (role.value, reach):
            users.change_rights(session, user, role, reach, PROVIDER, now)
        return user
    except BadParameter as error:
        raise SignInFailed(NO_ROLE) from error


def _add(session: Session, claims: Mapping[str, Any], role: Role, reach: Reach, now: int) -> User:
    name = users.readable_name(str(claims.get("preferred_username") or claims["sub"]))
    if queries.user_by_key(session, users.key_of(name)) is not None:
        raise SignInFailed(message("A local user has this name already."))
    user = User(
        name=name,
        key=users.key_of(name),
        external_id=_external_id(claims),
        must_change_password=False,
        created_at=now,
    )
    user.given(role, reach)
    session.add(user)
    session.flush()
    audit.record(session, PROVIDER, "user.add", name, now, {"role": role.value})
    return user


def _rights(settings: Settings, claims: Mapping[str, Any]) -> tuple[Role, Reach]:
    """The first role of `oidc_roles` that the claims give. Raises `BadParameter`."""
    given = claims.get(settings.oidc_role_claim, [])
    values = {given} if isinstance(given, str) else set(map(str, given))
    names = [name for value, name in settings.oidc_roles.items() if value in values]
    if not names:
        raise BadParameter("role", NO_ROLE)
    role = Role(names[0])
    station = claims.get(settings.oidc_station_claim) if role is Role.STATION else None
    contractor = claims.get(settings.oidc_contractor_claim) if role is Role.CONTRACTOR else None
    return role, users.reach_of(role, _text(station), _text(contractor))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.isprintable() else None


def _external_id(claims: Mapping[str, Any]) -> str:
    """Issuer and subject, which together never change. Source: OpenID Connect Core §5.7."""
    return hashlib.sha256(f"{claims['iss']}\n{claims['sub']}".encode()).hexdigest()
