"""Who asks: the one value that stands for a signed-in user, a token or the open demonstration."""

from dataclasses import dataclass

from app.accounts.audit import Actor
from app.accounts.permissions import READING, Permission, Role
from app.accounts.reach import EVERYTHING, Reach


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with rights. `form_token` is what a browser's unsafe requests must carry."""

    name: str
    permissions: frozenset[Permission]
    reach: Reach = EVERYTHING
    address: str | None = None
    role: Role | None = None
    user_id: int | None = None
    session_id: int | None = None
    form_token: str | None = None
    must_change_password: bool = False

    def may(self, permission: str) -> bool:
        return permission in self.permissions

    @property
    def actor(self) -> Actor:
        """What the audit log calls them."""
        return Actor(self.name, self.address)


OPEN_READER = Caller("open", READING)
"""Everybody on this machine, where `intact demo --open` was said."""
