"""What the navigation leads to: groups of places, and the way back up from a page."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.web.language import message


@dataclass(frozen=True, slots=True)
class NavItem:
    """A place that the navigation leads to; `label` is a text of the catalogue.

    `permission`: the name of the permission that shows it; None: everybody may go there.
    """

    path: str
    label: str
    permission: str | None = None


@dataclass(frozen=True, slots=True)
class NavGroup:
    """Places that belong together; a page of its own joins here."""

    label: str
    items: Sequence[NavItem]


@dataclass(frozen=True, slots=True)
class Crumb:
    """One step of the way fleet → station → room → camera → slot; without a path: here.

    `label` is shown as it is: a name, or a text that has been translated.
    """

    label: str
    path: str | None = None


NAV = (
    NavGroup(
        message("Now"),
        (
            NavItem("/", message("Overview"), "read_figures"),
            NavItem("/wall", message("Wall"), "read_figures"),
            NavItem("/devices", message("Cameras"), "read_samples"),
            NavItem("/map", message("Map"), "read_samples"),
            NavItem("/alerts", message("Alerts"), "read_alerts"),
            NavItem("/faults", message("Faults"), "read_samples"),
            NavItem("/incidents", message("Incidents"), "read_samples"),
        ),
    ),
    NavGroup(
        message("By responsibility"),
        (
            NavItem("/stations", message("Stations"), "read_figures"),
            NavItem("/rooms", message("Rooms"), "read_figures"),
            NavItem("/projects", message("Projects"), "read_figures"),
            NavItem("/contractors", message("Contractors"), "read_figures"),
        ),
    ),
    NavGroup(
        message("Assessment"),
        (NavItem("/months", message("Months"), "read_figures"),),
    ),
    NavGroup(
        message("System"),
        (
            NavItem("/register", message("Register"), "manage_register"),
            NavItem("/collectors", message("Collectors"), "read_sweeps"),
            NavItem("/jobs", message("Jobs"), "read_sweeps"),
            NavItem("/alert-rules", message("Alert rules"), "read_alert_rules"),
            NavItem("/recipients", message("Recipients"), "read_delivery"),
            NavItem("/deliveries", message("Messages"), "read_delivery"),
            NavItem("/users", message("Users"), "manage_accounts"),
            NavItem("/tokens", message("Tokens"), "manage_accounts"),
            NavItem("/audit", message("Audit log"), "read_audit_log"),
            NavItem("/docs", message("Interface"), "read_interface"),
        ),
    ),
)


class Visitor(Protocol):
    """What a page needs to know of whom it is for."""

    @property
    def name(self) -> str: ...

    @property
    def form_token(self) -> str | None:
        """What the page's forms and requests carry; None where there is no session."""

    def may(self, permission: str) -> bool: ...


def nobody_may(_permission: str) -> bool:
    """What somebody may see who is not signed in."""
    return False


@dataclass(frozen=True, slots=True)
class NavLink:
    """An item as one reader sees it on one page."""

    item: NavItem
    is_current: bool


def navigation(
    path: str, may: Callable[[str], bool] = lambda _permission: True
) -> list[tuple[NavGroup, list[NavLink]]]:
    """The groups of which a reader may see something; the place that holds `path` is current."""
    shown = [
        (group, [item for item in group.items if item.permission is None or may(item.permission)])
        for group in NAV
    ]
    here = _holder(path, (item for _group, items in shown for item in items))
    return [
        (group, [NavLink(item, item is here) for item in items]) for group, items in shown if items
    ]


def _holder(path: str, items: Iterable[NavItem]) -> NavItem | None:
    """The item whose path is the longest beginning of this one, by whole steps."""
    holding = [item for item in items if path == item.path or path.startswith(f"{item.path}/")]
    return max(holding, key=lambda item: len(item.path), default=None)
