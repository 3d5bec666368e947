"""What the navigation shows, and to whom."""

import pytest

from app.web import navigation as module
from app.web.navigation import NavGroup, NavItem, navigation

GROUPS = (
    NavGroup("One", (NavItem("/", "Home"), NavItem("/things", "Things"))),
    NavGroup("Two", (NavItem("/secret", "Secret", "see_secrets"),)),
)


@pytest.fixture(autouse=True)
def _groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NAV", GROUPS)


@pytest.mark.parametrize(
    ("path", "current"),
    [
        ("/", ["/"]),
        ("/things", ["/things"]),
        ("/things/a/b", ["/things"]),
        ("/thingsandmore", []),
        ("/nowhere", []),
    ],
)
def test_the_place_that_holds_the_page_is_current(path: str, current: list[str]) -> None:
    links = [link for _group, links in navigation(path) for link in links]
    assert [link.item.path for link in links if link.is_current] == current


def test_a_group_of_which_nothing_is_seen_is_left_out() -> None:
    assert [group.label for group, _links in navigation("/", lambda _: False)] == ["One"]
    assert [group.label for group, _links in navigation("/", lambda _: True)] == ["One", "Two"]
