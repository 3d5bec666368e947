"""Tables of users, sessions, tokens and the audit log. Secrets are stored as hashes only."""

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.accounts.permissions import Role
from app.accounts.reach import Reach
from app.database import Base, Instant

NAME_LENGTH = 64


class _Rights:
    """What users and tokens share: a role, and the codes that limit what they see."""

    role: Mapped[str] = mapped_column(String(16))
    station: Mapped[str | None] = mapped_column(String(64))
    contractor: Mapped[str | None] = mapped_column(String(64))

    @property
    def reach(self) -> Reach:
        return Reach(self.station, self.contractor)


class User(_Rights, Base):
    """Somebody who signs in. `key` is the name as it is compared (case does not count);
    `external_id` stands for issuer and subject of who signs in at the OpenID provider."""

    __tablename__ = "user_account"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    key: Mapped[str] = mapped_column(String(NAME_LENGTH), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(256))
    external_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    must_change_password: Mapped[bool]
    created_at: Mapped[int] = mapped_column(Instant)
    signed_in_at: Mapped[int | None] = mapped_column(Instant)
    disabled_at: Mapped[int | None] = mapped_column(Instant)

    def given(self, role: Role, reach: Reach) -> None:
        """Take over a role and its reach."""
        self.role, self.station, self.contractor = role.value, reach.station, reach.contractor


class WebSession(Base):
    """A browser that has signed in; the row goes when the session ends."""

    __tablename__ = "web_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[int] = mapped_column(Instant)
    seen_at: Mapped[int] = mapped_column(Instant)
    address: Mapped[str] = mapped_column(String(64))
    agent: Mapped[str] = mapped_column(String(256))


class ApiToken(_Rights, Base):
    """A token of another system. `permissions`: the part of the role's that it has (null: all)."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    permissions: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    created_by: Mapped[str] = mapped_column(String(NAME_LENGTH))
    created_at: Mapped[int] = mapped_column(Instant)
    expires_at: Mapped[int] = mapped_column(Instant)
    used_at: Mapped[int | None] = mapped_column(Instant)
    revoked_at: Mapped[int | None] = mapped_column(Instant)


class SignInFailures(Base):
    """Failed sign-ins in a row under a key: a name (whether there is such a user or not), or an
    address."""

    __tablename__ = "sign_in_failures"

    key: Mapped[str] = mapped_column(String(96), primary_key=True)
    failures: Mapped[int]
    failed_at: Mapped[int] = mapped_column(Instant)


class AuditEntry(Base):
    """One thing done. `hash` covers the entry and the hash before it; ids have no gap.

    The database itself refuses to change an entry, and to delete one of the last 180 days.
    """

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[int] = mapped_column(Instant, index=True)
    actor: Mapped[str] = mapped_column(String(96))
    address: Mapped[str | None] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(128))
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The two ends of the chain, one row: the newest entry, and the last one that was purged."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_id: Mapped[int] = mapped_column(BigInteger)
    last_hash: Mapped[str] = mapped_column(String(64))
    anchor_id: Mapped[int] = mapped_column(BigInteger)
    anchor_hash: Mapped[str] = mapped_column(String(64))
