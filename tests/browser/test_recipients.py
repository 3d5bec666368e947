"""Recipients in a browser: the way from a form to a test."""

from collections.abc import Callable, Iterator

import pytest

from app.accounts.permissions import Role
from tests.app.operations.delivery.receivers import Receiver
from tests.browser.conftest import Visit

Visits = Callable[..., Visit]
ADMIN = Role.SYSTEM_ADMIN


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def test_from_a_form_to_a_test(visit: Visits, receiver: Receiver) -> None:
    opened = visit("/recipients", language="en", role=ADMIN)
    page = opened.page
    page.get_by_role("link", name="New recipient").click()
    page.get_by_label("Name").fill("Duty room")
    page.get_by_label("Channel").select_option("webhook")
    page.get_by_label("Address (kept").fill(receiver.url)
    page.get_by_role("button", name="Save").click()
    page.get_by_text("The changes have been saved").wait_for()
    page.get_by_role("button", name="Test: Duty room").click()
    page.get_by_text("The test message to Duty room was delivered").wait_for()
    assert receiver.received[0]["event"] == "test"
    page.get_by_role("row", name="Duty room").get_by_text("Delete", exact=True).click()
    page.get_by_role("button", name="Delete it for good: Duty room").click()
    page.get_by_text("The recipient has been deleted").wait_for()
    assert page.get_by_role("row", name="Duty room").count() == 0


@pytest.mark.usefixtures("eventful")
def test_what_was_given_up_is_sent_again(visit: Visits) -> None:
    opened = visit("/deliveries?state=given_up", language="zh", width=390, role=ADMIN)
    page = opened.page
    before = page.get_by_role("button", name="重新发送").count()
    assert before > 0
    page.get_by_role("button", name="重新发送").first.click()
    page.get_by_text("消息已重新排队").wait_for()
    opened = visit("/deliveries?state=given_up", role=ADMIN)
    assert opened.page.get_by_role("button", name="重新发送").count() == before - 1
