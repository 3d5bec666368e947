"""Alerts as the office handles them: from the overview to what was told, and the rules behind."""

from collections.abc import Callable
from typing import Any

import pytest

from app.accounts.permissions import Role
from app.operations.alerts.tables import Alert
from tests.browser.conftest import Visit
from tests.browser.district import District

Visits = Callable[..., Visit]


@pytest.fixture(autouse=True)
def _swept(district: District, eventful: dict[str, str]) -> None:
    district.sweep()


def stored(district: District, eventful: dict[str, str]) -> Any:
    with district.database.read() as session:
        return session.get(Alert, int(eventful["alert_id"]))


def test_from_the_overview_to_the_cause(visit: Visits) -> None:
    page = visit("/", language="en").page
    page.get_by_role("link", name="Intact rate below target").first.click()
    page.get_by_role("heading", level=1, name="Intact rate below target").wait_for()
    assert page.get_by_text("Fleet intact rate now").is_visible()
    page.get_by_role("link", name="North", exact=True).click()
    page.wait_for_url("**/incidents/*")
    assert page.get_by_role("heading", level=1).is_visible()


def test_is_acknowledged_and_escalated(
    visit: Visits, district: District, eventful: dict[str, str]
) -> None:
    opened = visit(f"/alerts/{eventful['alert_id']}", language="en")
    page = opened.page
    page.get_by_label("Note").fill("On our way")
    page.get_by_role("button", name="Acknowledge").click()
    page.get_by_text("one office").first.wait_for()
    assert page.get_by_role("button", name="Acknowledge").count() == 0
    page.get_by_role("button", name="Escalate").click()
    page.get_by_text("Escalated", exact=True).wait_for()
    alert = stored(district, eventful)
    assert (alert.acknowledged_by, alert.note) == ("one office", "On our way")
    assert alert.escalated_at is not None
    page.get_by_text("escalated", exact=True).wait_for()


def test_a_silence_is_ended(visit: Visits) -> None:
    page = visit("/silences", language="en").page
    row = page.get_by_role("row", name="Uplink is being replaced")
    row.get_by_role("button").click()
    page.get_by_role("heading", name="Over").wait_for()
    assert page.get_by_text("Nothing is silenced").is_visible()


def test_a_rule_with_a_mistake_and_then_right(visit: Visits) -> None:
    opened = visit("/alert-rules", language="en", role=Role.OFFICE)
    page = opened.page
    assert page.get_by_role("link", name="Collector silent").is_visible()
    page.get_by_role("link", name="New rule").click()
    page.get_by_label("Key").fill("north_intact")
    page.get_by_label("Of whom").select_option("station")
    page.get_by_label("Threshold").fill("98")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Not saved").wait_for()
    assert opened.axe() == []
    opened.problems.clear()  # that the refused form was answered with 422
    page.get_by_label("Threshold").fill("0.97")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    assert page.get_by_role("link", name="north_intact").is_visible()
