"""The wall as it hangs there: entered by a token, readable, live, not put off by a restart."""

import time
from collections.abc import Callable, Iterator

import pytest

from app.accounts.audit import Actor
from app.accounts.permissions import Role
from app.accounts.reach import Reach
from app.accounts.tokens import Scope, add_token, revoke_token, wall_link
from app.web import events
from kpi.status import Status
from tests.browser.conftest import Visit
from tests.browser.district import District, served_district

Visits = Callable[..., Visit]
INTERVAL_S = 15
PATIENCE_MS = 60_000
SMALL_TEXT = """least => [...document.querySelectorAll(".wall *")].filter((each) =>
    each.checkVisibility() && !each.closest(".unseen")
    && [...each.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim())
    && parseFloat(getComputedStyle(each).fontSize) < least * innerHeight
).map((each) => each.outerHTML)"""
"""Elements with text whose letters are less than a share of the screen's height."""
OVERFLOW = """() => [
    document.documentElement.scrollWidth - innerWidth,
    document.documentElement.scrollHeight - innerHeight,
    document.querySelector(".panel.shown").getBoundingClientRect().bottom
        - document.getElementById("turner").getBoundingClientRect().top,
]"""
KEYS = ("figures", "stations", "rooms", "changes")


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    """A district of its own: its server is stopped, and its slots are short."""
    with served_district(tmp_path_factory.mktemp("wall"), 1, INTERVAL_S) as district:
        yield district


@pytest.fixture(autouse=True)
def _swept(district: District) -> None:
    district.sweep()


def new_token(district: District, reach: Reach | None = None) -> tuple[int, str]:
    scope = Scope(Role.WALL, reach or Reach())
    with district.database.write() as session:
        token, text = add_token(session, "hall", scope, 1, Actor("test"), int(time.time()))
        return token.id, text


def enter(visit: Visits, text: str, width: int = 1920, language: str = "en") -> Visit:
    opened = visit("/wall/enter", width=width, language=language, role=None)
    opened.page.evaluate("link => { location.href = link }", wall_link(text))
    opened.page.wait_for_url("**/wall")
    opened.page.locator(".panel.shown").wait_for()
    return opened


@pytest.mark.parametrize("width", [1920, 3840])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_reads_well_on_a_wall(visit: Visits, district: District, width: int, language: str) -> None:
    opened = enter(visit, new_token(district)[1], width, language)
    page = opened.page
    for key in KEYS:
        assert page.locator(".panel.shown").get_attribute("data-panel") == key
        small = page.evaluate(SMALL_TEXT, 1 / 32)
        assert small == [], "too small for five metres"
        overflow = page.evaluate(OVERFLOW)
        assert max(overflow) <= 1
        assert opened.axe() == []
        page.keyboard.press("ArrowRight")


def test_figures_are_centimetres_high(visit: Visits, district: District) -> None:
    page = enter(visit, new_token(district)[1]).page
    size = page.evaluate(
        "parseFloat(getComputedStyle(document.querySelector('.intact .large')).fontSize)"
    )
    assert size >= 1080 / 5


def test_no_request_names_the_token(visit: Visits, district: District) -> None:
    district.asked.clear()
    text = new_token(district)[1]
    opened = enter(visit, text)
    opened.page.reload()
    assert text not in opened.page.url
    assert any(asked.startswith("/events") for asked in district.asked)
    assert [asked for asked in district.asked if text in asked] == []
    assert opened.page.evaluate("document.cookie") == "", "no script can read the cookie"


def test_shows_a_camera_that_fails(visit: Visits, district: District) -> None:
    page = enter(visit, new_token(district)[1]).page
    camera = district.cameras()[0]
    page.keyboard.press("ArrowLeft")
    assert page.get_by_text(camera.name).count() == 0
    before = district.swept
    while district.swept == before:
        district.sweep({camera.code: Status.REFUSED})
        page.wait_for_timeout(200)
    page.get_by_text(camera.name).wait_for(timeout=PATIENCE_MS)
    assert page.locator(".panel.shown").get_attribute("data-panel") == "changes"


def test_turns_by_itself_and_holds(visit: Visits, district: District) -> None:
    page = enter(visit, new_token(district)[1]).page
    page.get_by_role("button", name="Hold").click()
    assert page.get_by_role("button", name="Hold").get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="Hold").click()
    page.locator(".panel.shown[data-panel=stations]").wait_for(timeout=PATIENCE_MS)


def test_recovers_from_a_restart_of_the_server(visit: Visits, district: District) -> None:
    opened = enter(visit, new_token(district)[1])
    page = opened.page
    page.evaluate("window.stayed = true")
    district.stop()
    page.get_by_text("The server cannot be reached").wait_for(timeout=PATIENCE_MS)
    district.asked.clear()
    district.serve()
    page.get_by_text("The server cannot be reached").wait_for(state="hidden", timeout=PATIENCE_MS)
    assert any(asked.startswith("/events") for asked in district.asked)
    assert page.evaluate("window.stayed") is True
    opened.problems.clear()  # the requests while nobody served


def test_loads_itself_anew_after_an_upgrade(
    visit: Visits, district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = enter(visit, new_token(district)[1]).page
    page.evaluate("window.stayed = true")
    with page.expect_navigation(timeout=PATIENCE_MS), monkeypatch.context() as upgraded:
        upgraded.setattr(events, "version", lambda: "another")
        page.wait_for_timeout(1000 * events.BEAT_S + 3000)


def test_a_revoked_token_ends_the_stream(visit: Visits, district: District) -> None:
    token_id, text = new_token(district)
    page = enter(visit, text).page
    with district.database.write() as session:
        revoke_token(session, token_id, Actor("test"), int(time.time()))
    page.wait_for_url("**/wall/enter", timeout=PATIENCE_MS)
    page.get_by_text("This screen is not signed in").wait_for()


def test_a_token_of_another_kind_is_refused(visit: Visits, district: District) -> None:
    opened = visit("/wall/enter#intact_nonsense", language="en", role=None)
    opened.page.get_by_text("was revoked, or has come to its end").wait_for()
    assert opened.page.url.endswith("/wall/enter")
    opened.problems.clear()  # the refusal


def test_a_station_s_wall_shows_that_station(visit: Visits, district: District) -> None:
    own, other = sorted({str(camera.station) for camera in district.cameras()})[:2]
    page = enter(visit, new_token(district, Reach(station=own))[1]).page
    page.keyboard.press("ArrowRight")
    assert page.locator(".ranks tbody tr").count() == 1
    assert own in page.locator(".wall-name").inner_text()
    assert other not in page.content()
