"""Users: how one is added, changed, disabled, and given another password."""

import unicodedata

from sqlalchemy.orm import Session

from app.accounts import audit, queries
from app.accounts.audit import Actor
from app.accounts.passwords import hashed, made_up, matches, refuse_weak
from app.accounts.permissions import Role
from app.accounts.reach import Reach
from app.accounts.tables import NAME_LENGTH, User
from app.errors import BadParameter, NotFound, Refused
from app.web.language import message


def key_of(name: str) -> str:
    """The name as it is compared: neither case nor width of letters counts."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def readable_name(name: str) -> str:
    """The name of a user or token as it is kept. Raises `BadParameter`."""
    kept = unicodedata.normalize("NFKC", name).strip()
    if not 0 < len(kept) <= NAME_LENGTH or len(key_of(kept)) > NAME_LENGTH:
        raise BadParameter("name", message("must have 1 to 64 characters"))
    if not kept.isprintable() or set(kept) & set("/:\\"):
        raise BadParameter("name", message("must not hold a slash, a colon or control characters"))
    return kept


def reach_of(role: Role, station: str | None, contractor: str | None) -> Reach:
    """The reach of a role; a wall may hang in a station.

    Raises `BadParameter` where role and codes do not fit together.
    """
    given = {Role.STATION: station or None, Role.CONTRACTOR: contractor or None}
    for limited_role, code in given.items():
        if code is None and role is limited_role:
            problem = message("is needed for this role; name whose devices it sees")
            raise BadParameter(limited_role.value, problem)
        if code is not None and role not in (limited_role, Role.WALL):
            problem = message("does not belong to this role; leave it out")
            raise BadParameter(limited_role.value, problem)
    return Reach(given[Role.STATION], given[Role.CONTRACTOR])


def require_place(session: Session, reach: Reach) -> None:
    """Raises `BadParameter` for a station or contractor that the register does not hold."""
    for role, code in ((Role.STATION, reach.station), (Role.CONTRACTOR, reach.contractor)):
        if code is not None and not queries.place_exists(session, role, code):
            problem = message("is not in the register; use the code of one that is")
            raise BadParameter(role.value, problem)


def find_user(session: Session, name: str) -> User:
    """Raises `NotFound`."""
    user = queries.user_by_key(session, key_of(name))
    if user is None:
        raise NotFound("user", name)
    return user


def add_user(
    session: Session,
    name: str,
    role: Role,
    reach: Reach,
    password: str | None,
    actor: Actor,
    now: int,
    *,
    must_change: bool = True,
) -> tuple[User, str | None]:
    """A new user; without a password one is made up and returned, to be told once.

    Raises `BadParameter`, for a name that is taken too.
    """
    kept = readable_name(name)
    require_place(session, reach)
    if queries.user_by_key(session, key_of(kept)) is not None:
        raise BadParameter("name", message("is taken already; choose another"))
    told = None
    if password is None:
        password = told = made_up()
    refuse_weak(password, kept)
    user = User(
        name=kept,
        key=key_of(kept),
        password_hash=hashed(password),
        must_change_password=must_change,
        created_at=now,
    )
    user.given(role, reach)
    session.add(user)
    session.flush()
    audit.record(session, actor, "user.add", kept, now, _rights(user))
    return user, told


def change_rights(
    session: Session, user: User, role: Role, reach: Reach, actor: Actor, now: int
) -> None:
    """Give another role or reach; the user signs in anew. Raises `BadParameter`, `Refused`."""
    _refuse_oneself(user, actor)
    require_place(session, reach)
    before = _rights(user)
    user.given(role, reach)
    if _rights(user) == before:
        return
    queries.end_sessions_of(session, user.id)
    audit.record(session, actor, "user.rights", user.name, now, {"from": before} | _rights(user))


def set_disabled(session: Session, user: User, disabled: bool, actor: Actor, now: int) -> None:
    """Disable (every session ends) or enable. Raises `Refused` for one's own account."""
    _refuse_oneself(user, actor)
    if disabled is (user.disabled_at is not None):
        return
    user.disabled_at = now if disabled else None
    if disabled:
        queries.end_sessions_of(session, user.id)
    audit.record(session, actor, "user.disable" if disabled else "user.enable", user.name, now)


def reset_password(
    session: Session, user: User, password: str | None, actor: Actor, now: int
) -> str | None:
    """Another password, to be changed at the next sign-in; returned where it was made up.

    Every session ends, and failed sign-ins are forgotten. Raises `Refused` for a provider's user.
    """
    if user.external_id is not None:
        raise Refused(message("The password of this user is the provider's."))
    told = None
    if password is None:
        password = told = made_up()
    _set_password(session, user, password, must_change=True)
    queries.drop_failures(session, failures_key(user.key))
    audit.record(session, actor, "user.reset_password", user.name, now)
    return told


def change_password(
    session: Session, user: User, present: str, wanted: str, actor: Actor, now: int
) -> None:
    """The user's own change; every session ends, the caller opens a new one.

    Raises `BadParameter` where the present one is wrong or the wanted one is weak or the same.
    """
    if not matches(present, user.password_hash):
        raise BadParameter("present", message("is not the present password"))
    if present == wanted:
        raise BadParameter("password", message("is the present one; choose another"))
    _set_password(session, user, wanted, must_change=False)
    audit.record(session, actor, "user.change_password", user.name, now)


def failures_key(user_key: str) -> str:
    """Under which failed sign-ins of a name are counted."""
    return f"name:{user_key[:NAME_LENGTH]}"


def _set_password(session: Session, user: User, password: str, *, must_change: bool) -> None:
    refuse_weak(password, user.name)
    user.password_hash = hashed(password)
    user.must_change_password = must_change
    queries.end_sessions_of(session, user.id)


def _refuse_oneself(user: User, actor: Actor) -> None:
    """Nobody may lock themselves out, or give themselves rights."""
    if actor.name == user.name:
        raise Refused(message("Your own account is changed by another security administrator."))


def _rights(user: User) -> dict[str, str]:
    named = {"role": user.role, "station": user.station, "contractor": user.contractor}
    return {name: value for name, value in named.items() if value is not None}
