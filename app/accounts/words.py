"""What roles are called on the screen; the words are texts of the catalogue."""

from collections.abc import Mapping

from app.accounts.permissions import Role
from app.web.language import message

ROLE_WORDS: Mapping[Role, str] = {
    Role.SYSTEM_ADMIN: message("system administrator"),
    Role.SECURITY_ADMIN: message("security administrator"),
    Role.AUDITOR: message("auditor"),
    Role.OFFICE: message("video office"),
    Role.SUPERVISOR: message("supervision unit"),
    Role.STATION: message("police station"),
    Role.CONTRACTOR: message("contractor"),
    Role.WALL: message("video wall"),
}
