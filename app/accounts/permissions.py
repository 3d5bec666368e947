"""The policy: which role may do what. Every endpoint names one of these permissions.

The rights of the system administrator (settings, register), the security administrator (accounts,
rights) and the auditor (logs) are disjoint: 三员分立. Whose devices somebody sees says `reach.py`.
"""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    SYSTEM_ADMIN = "system_admin"
    SECURITY_ADMIN = "security_admin"
    AUDITOR = "auditor"
    OFFICE = "office"
    SUPERVISOR = "supervisor"
    STATION = "station"
    CONTRACTOR = "contractor"
    WALL = "wall"


class Permission(StrEnum):
    """What an endpoint asks for."""

    READ_FIGURES = "read_figures"
    READ_ALERTS = "read_alerts"
    READ_DELIVERY = "read_delivery"
    READ_REGISTER = "read_register"
    READ_SAMPLES = "read_samples"
    READ_SWEEPS = "read_sweeps"
    PROBE_DEVICES = "probe_devices"
    READ_METRICS = "read_metrics"
    MANAGE_DELIVERY = "manage_delivery"
    HANDLE_ALERTS = "handle_alerts"
    READ_ALERT_RULES = "read_alert_rules"
    MANAGE_ALERT_RULES = "manage_alert_rules"
    READ_SEALS = "read_seals"
    READ_EXEMPTIONS = "read_exemptions"
    MANAGE_EXEMPTIONS = "manage_exemptions"
    MANAGE_REGISTER = "manage_register"
    MANAGE_ACCOUNTS = "manage_accounts"
    READ_AUDIT_LOG = "read_audit_log"
    READ_INTERFACE = "read_interface"
    OWN_ACCOUNT = "own_account"


EVERYBODY = frozenset(Role)
CENTRE = frozenset({Role.SYSTEM_ADMIN, Role.OFFICE, Role.SUPERVISOR})
LIMITED = frozenset({Role.STATION, Role.CONTRACTOR})
"""Roles that see no more than what is theirs."""

PERMISSIONS: Mapping[Permission, frozenset[Role]] = {
    Permission.READ_FIGURES: CENTRE | LIMITED | {Role.WALL},
    Permission.READ_ALERTS: CENTRE | LIMITED | {Role.WALL},
    Permission.READ_DELIVERY: frozenset({Role.SYSTEM_ADMIN, Role.OFFICE}),
    Permission.READ_REGISTER: CENTRE | LIMITED,
    Permission.READ_SAMPLES: CENTRE | LIMITED,
    Permission.READ_SWEEPS: CENTRE,
    Permission.PROBE_DEVICES: CENTRE | LIMITED,
    Permission.READ_METRICS: CENTRE | {Role.WALL},
    Permission.HANDLE_ALERTS: frozenset({Role.OFFICE, Role.SUPERVISOR, Role.SYSTEM_ADMIN}),
    Permission.READ_ALERT_RULES: CENTRE,
    Permission.MANAGE_ALERT_RULES: frozenset({Role.OFFICE, Role.SYSTEM_ADMIN}),
    Permission.MANAGE_DELIVERY: frozenset({Role.SYSTEM_ADMIN}),
    Permission.READ_SEALS: frozenset({Role.OFFICE, Role.SUPERVISOR, Role.AUDITOR}),
    Permission.READ_EXEMPTIONS: CENTRE,
    Permission.MANAGE_EXEMPTIONS: frozenset({Role.OFFICE}),
    Permission.MANAGE_REGISTER: frozenset({Role.SYSTEM_ADMIN}),
    Permission.MANAGE_ACCOUNTS: frozenset({Role.SECURITY_ADMIN}),
    Permission.READ_AUDIT_LOG: frozenset({Role.AUDITOR}),
    Permission.READ_INTERFACE: EVERYBODY,
    Permission.OWN_ACCOUNT: EVERYBODY,
}

READING = frozenset(each for each in Permission if each.value.startswith("read_")) - {
    Permission.READ_AUDIT_LOG,
    Permission.READ_SEALS,
}
"""What `intact demo --open` leaves open on loopback."""


def permissions_of(role: Role) -> frozenset[Permission]:
    """Everything that a role may do."""
    return frozenset(each for each, roles in PERMISSIONS.items() if role in roles)
