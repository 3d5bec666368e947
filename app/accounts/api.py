"""REST: users and tokens. Both are the security administrator's."""

import time
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field, SecretStr

from app.accounts import queries, tokens, users
from app.accounts.caller import Caller
from app.accounts.guard import Allowed
from app.accounts.passwords import LONGEST
from app.accounts.permissions import Permission, Role
from app.accounts.tables import NAME_LENGTH, ApiToken, User
from app.accounts.tokens import DEFAULT_DAYS, LONGEST_DAYS, Scope
from app.web.problems import problem_responses
from app.web.requests import STORABLE, DatabaseDep, SettingsDep

router = APIRouter(tags=["accounts"], dependencies=[Depends(Allowed(Permission.MANAGE_ACCOUNTS))])

Manager = Annotated[Caller, Depends(Allowed(Permission.MANAGE_ACCOUNTS))]
Name = Annotated[str, Path(max_length=NAME_LENGTH, pattern=STORABLE)]
TokenId = Annotated[int, Path(ge=1, le=2**31 - 1)]
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
PageSize = Annotated[int, Query(ge=1, le=500)]
Code = Annotated[str | None, Field(max_length=64, pattern=STORABLE)]
Password = Annotated[SecretStr | None, Field(max_length=LONGEST)]


class UserItem(BaseModel):
    """A user. Times are local, with their offset."""

    name: str
    role: Role
    station: str | None
    contractor: str | None
    disabled: bool
    must_change_password: bool
    created_at: datetime
    signed_in_at: datetime | None


class UserPage(BaseModel):
    """One page of the users, by name; `total` counts them all."""

    total: int
    page: int
    page_size: int
    items: list[UserItem]


class NewUser(BaseModel):
    """`station` goes with the role `station`, `contractor` with the role `contractor`."""

    name: Annotated[str, Field(max_length=NAME_LENGTH)]
    role: Role
    station: Code = None
    contractor: Code = None
    password: Password = None


class UserChange(BaseModel):
    """What is to be changed. A role replaces station and contractor too."""

    role: Role | None = None
    station: Code = None
    contractor: Code = None
    disabled: bool | None = None


class NewPassword(BaseModel):
    password: Password = None


class UserWithPassword(BaseModel):
    """`password` is told once, and only where it was made up."""

    user: UserItem
    password: str | None


class TokenItem(BaseModel):
    """A token, without its text."""

    id: int
    name: str
    role: Role
    permissions: list[Permission] | None = Field(description="null: all that the role may do")
    station: str | None
    contractor: str | None
    created_by: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


class TokenPage(BaseModel):
    """One page of the tokens, newest first; `total` counts them all."""

    total: int
    page: int
    page_size: int
    items: list[TokenItem]


class NewToken(BaseModel):
    """What a token may do, and for how many days."""

    name: Annotated[str, Field(max_length=NAME_LENGTH)]
    role: Role
    permissions: list[Permission] | None = None
    station: Code = None
    contractor: Code = None
    days: Annotated[int, Field(ge=1, le=LONGEST_DAYS)] = DEFAULT_DAYS


class TokenWithText(BaseModel):
    """`text` is what a request sends; it is told once."""

    token: TokenItem
    text: str


@router.get("/users", responses=problem_responses(422))
def list_users(
    database: DatabaseDep,
    settings: SettingsDep,
    q: Annotated[str | None, Query(max_length=NAME_LENGTH, pattern=STORABLE)] = None,
    page: PageNumber = 1,
    page_size: PageSize = 100,
) -> UserPage:
    """Users by name; `q`: part of the name."""
    with database.read() as session:
        total = queries.count_users(session, q)
        found = queries.read_users(session, q, (page - 1) * page_size, page_size)
    items = [_user(user, settings.zone) for user in found]
    return UserPage(total=total, page=page, page_size=page_size, items=items)


@router.get("/users/{name}", responses=problem_responses(404, 422))
def show_user(database: DatabaseDep, settings: SettingsDep, name: Name) -> UserItem:
    """One user."""
    with database.read() as session:
        return _user(users.find_user(session, name), settings.zone)


@router.post("/users", status_code=201, responses=problem_responses(409, 422))
def add_user(
    database: DatabaseDep, settings: SettingsDep, caller: Manager, new: NewUser
) -> UserWithPassword:
    """A new user, who must change the password at the first sign-in."""
    reach = users.reach_of(new.role, new.station, new.contractor)
    password = _opened(new.password)
    with database.write() as session:
        user, told = users.add_user(
            session, new.name, new.role, reach, password, caller.actor, int(time.time())
        )
    return UserWithPassword(user=_user(user, settings.zone), password=told)


@router.patch("/users/{name}", responses=problem_responses(404, 409, 422))
def change_user(
    database: DatabaseDep, settings: SettingsDep, caller: Manager, name: Name, change: UserChange
) -> UserItem:
    """Change rights, disable or enable; the user's sessions end."""
    now = int(time.time())
    with database.write() as session:
        user = users.find_user(session, name)
        if change.role is not None:
            reach = users.reach_of(change.role, change.station, change.contractor)
            users.change_rights(session, user, change.role, reach, caller.actor, now)
        if change.disabled is not None:
            users.set_disabled(session, user, change.disabled, caller.actor, now)
    return _user(user, settings.zone)


@router.post("/users/{name}/password-reset", responses=problem_responses(404, 422))
def reset_password(
    database: DatabaseDep, settings: SettingsDep, caller: Manager, name: Name, new: NewPassword
) -> UserWithPassword:
    """Another password, made up where none is given; to be changed at the next sign-in."""
    with database.write() as session:
        user = users.find_user(session, name)
        password = _opened(new.password)
        told = users.reset_password(session, user, password, caller.actor, int(time.time()))
    return UserWithPassword(user=_user(user, settings.zone), password=told)


@router.get("/tokens", responses=problem_responses(422))
def list_tokens(
    database: DatabaseDep, settings: SettingsDep, page: PageNumber = 1, page_size: PageSize = 100
) -> TokenPage:
    """Tokens, newest first; those that were revoked too."""
    with database.read() as session:
        total = queries.count_tokens(session)
        found = queries.read_tokens(session, (page - 1) * page_size, page_size)
    items = [_token(token, settings.zone) for token in found]
    return TokenPage(total=total, page=page, page_size=page_size, items=items)


@router.post("/tokens", status_code=201, responses=problem_responses(422))
def add_token(
    database: DatabaseDep, settings: SettingsDep, caller: Manager, new: NewToken
) -> TokenWithText:
    """A new token; its text is told here and nowhere else."""
    reach = users.reach_of(new.role, new.station, new.contractor)
    scope = Scope(new.role, reach, new.permissions)
    with database.write() as session:
        token, text = tokens.add_token(
            session, new.name, scope, new.days, caller.actor, int(time.time())
        )
    return TokenWithText(token=_token(token, settings.zone), text=text)


@router.delete("/tokens/{token_id}", responses=problem_responses(404, 422))
def revoke_token(
    database: DatabaseDep, settings: SettingsDep, caller: Manager, token_id: TokenId
) -> TokenItem:
    """Revoke a token; it stays in the list."""
    with database.write() as session:
        token = tokens.revoke_token(session, token_id, caller.actor, int(time.time()))
    return _token(token, settings.zone)


def _opened(password: SecretStr | None) -> str | None:
    return None if password is None else password.get_secret_value()


def _user(user: User, zone: ZoneInfo) -> UserItem:
    return UserItem(
        name=user.name,
        role=Role(user.role),
        station=user.station,
        contractor=user.contractor,
        disabled=user.disabled_at is not None,
        must_change_password=user.must_change_password,
        created_at=datetime.fromtimestamp(user.created_at, zone),
        signed_in_at=local_or_none(user.signed_in_at, zone),
    )


def _token(token: ApiToken, zone: ZoneInfo) -> TokenItem:
    chosen = token.permissions
    return TokenItem(
        id=token.id,
        name=token.name,
        role=Role(token.role),
        permissions=None if chosen is None else [Permission(each) for each in chosen],
        station=token.station,
        contractor=token.contractor,
        created_by=token.created_by,
        created_at=datetime.fromtimestamp(token.created_at, zone),
        expires_at=datetime.fromtimestamp(token.expires_at, zone),
        used_at=local_or_none(token.used_at, zone),
        revoked_at=local_or_none(token.revoked_at, zone),
    )


def local_or_none(instant: int | None, zone: ZoneInfo) -> datetime | None:
    return None if instant is None else datetime.fromtimestamp(instant, zone)
