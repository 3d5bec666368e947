"""Recipients and messages in a browser: readable everywhere, and the way from a form to a test."""

from collections.abc import Callable, Iterator

import pytest

from app.accounts.permissions import Role
from app.operations.delivery import queries
from app.operations.delivery.sending import deliver
from app.operations.delivery.tables import Channel, Severity
from app.web.language import Language
from tests.app.operations.delivery.conftest import NOW, Register
from tests.app.operations.delivery.receivers import Receiver
from tests.browser.conftest import Visit
from tests.browser.district import District

Visits = Callable[..., Visit]
ADMIN = Role.SYSTEM_ADMIN
SUMMARY = {
    "zh": "全网完好率 96.90%（目标 ≥ 98%），自 2027-01-15 16:00 起：3292 台中 102 台不完好。",
    "en": "Fleet intact rate 96.90 % (target ≥ 98%), below target since 2027-01-15 16:00.",
}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="module")
def told(district: District) -> District:
    """Recipients, and messages to them in each state."""
    register = Register(district.database, district.settings)
    register.add("视频办值班群", Channel.ALERTMANAGER, "http://127.0.0.1:1/")
    register.add("Night shift", Channel.WEBHOOK, "http://127.0.0.1:1/", Language.ENGLISH)
    with district.database.write() as session:
        for event, severity in (("opened", Severity.CRITICAL), ("resolved", Severity.WARNING)):
            body = {"summary": SUMMARY}
            queries.enqueue(session, None, event, None, body, NOW, severity)
    deliver(district.database, district.settings, NOW)
    deliver(district.database, district.settings, NOW + 86_400)
    return district


@pytest.mark.parametrize(
    ("width", "scheme", "language"),
    [(390, "dark", "zh"), (1440, "light", "zh"), (1440, "dark", "en"), (3840, "light", "en")],
)
@pytest.mark.parametrize("path", ["/recipients", "/recipients/new", "/deliveries"])
def test_reads_well_everywhere(
    visit: Visits, told: District, path: str, width: int, scheme: str, language: str
) -> None:
    opened = visit(path, width=width, scheme=scheme, language=language, role=ADMIN)
    assert opened.width() <= width
    assert opened.axe() == []


def test_from_a_form_to_a_test(visit: Visits, told: District, receiver: Receiver) -> None:
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


def test_what_was_given_up_is_sent_again(visit: Visits, told: District) -> None:
    opened = visit("/deliveries?state=given_up", language="zh", width=390, role=ADMIN)
    page = opened.page
    before = page.get_by_role("button", name="重新发送").count()
    assert before > 0
    page.get_by_role("button", name="重新发送").first.click()
    page.get_by_text("消息已重新排队").wait_for()
    opened = visit("/deliveries?state=given_up", role=ADMIN)
    assert opened.page.get_by_role("button", name="重新发送").count() == before - 1
