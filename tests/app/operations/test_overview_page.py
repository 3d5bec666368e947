"""The page: what it says in each state, in both languages, and how large it may be."""

import re
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from app.availability.figures import NO_FIGURE, figure
from app.config import Settings
from app.database import Database
from app.errors import Refused
from app.evidence.host_log import note_host
from app.evidence.judging import HostFact, HostReport
from app.evidence.tables import DeviceState, HostEventKind
from app.fleet.roster import device_ids_by_code
from app.operations import overview as module
from app.operations import pages
from app.operations.alerts.watching import watch
from app.operations.overview import StationLine, _worst_first
from app.operations.wall import NewsView, Wall
from kpi.calendar import day_start
from kpi.rates import Amounts

ASSET = re.compile(r"""(?:src|href|action|url\()\s*=?\s*["']?(https?:)?//""", re.IGNORECASE)


@pytest.fixture
def noon(fleet: Any, settings: Settings) -> int:
    return day_start(fleet.since, settings.zone) + 12 * 3600


class _Clock:
    def __init__(self, now: int) -> None:
        self._now = now

    def time(self) -> float:
        return self._now


@pytest.fixture
def page(browse: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Fetches the page as it is at a time."""
    browser = browse(settings)

    def fetch(now: int, query: str = "lang=en") -> str:
        monkeypatch.setattr(pages, "time", _Clock(now))
        answer = browser.get(f"/?{query}")
        assert answer.status_code == 200
        text: str = answer.text
        return text

    return fetch


def words(html: str) -> str:
    """What a reader sees, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.split("</head>")[1]))


def test_without_devices_it_says_how_to_begin(page: Any) -> None:
    english, chinese = page(1_800_000_000), page(1_800_000_000, "lang=zh")
    for html in (english, chinese):
        assert "intact import devices" in html
        assert "intact serve" in html
    assert "No devices are registered yet" in english
    assert "尚未登记设备" in chinese


def test_before_the_first_sweep(page: Any, fleet: Any, noon: int) -> None:
    fleet.register({"S1": 10})
    assert "No sweep has finished yet" in page(noon)


def test_healthy_fleet(page: Any, fleet: Any, noon: int) -> None:
    fleet.register({"S1": 500, "S2": 500})
    fleet.sweep(noon, S1=Amounts(offline=5), S2=Amounts(suspended=10))
    seen = words(page(noon + 20))
    assert "Intact rate 99.49 % met target ≥ 98%" in seen
    assert "Suspended rate 1.00 % met target ≤ 3%" in seen
    assert "Last sweep 15 s ago" in seen
    assert "rate below target" not in seen
    assert "stopped" not in seen


def test_a_miss_never_reads_as_the_target(page: Any, fleet: Any, noon: int) -> None:
    fleet.register({"S1": 10_000})
    fleet.sweep(noon, S1=Amounts(offline=201))
    assert "Intact rate 97.99 % missed" in words(page(noon + 20))


def test_alert_comes_first_and_the_worst_station_on_top(
    page: Any, database: Database, settings: Settings, fleet: Any, noon: int
) -> None:
    fleet.register({"S1": 500, "S2": 500, "S3": 500})
    lost = {"S2": Amounts(offline=100), "S3": Amounts(impaired=10)}
    for slot in range(5):
        fleet.sweep(noon + 60 * slot, **lost)
    watch(database, settings, noon + 246, noon)
    seen = words(page(noon + 250))
    places = [
        seen.index(text) for text in ("Fleet intact rate 92.67 %", "Online rate", "Stations,")
    ]
    assert places == sorted(places)
    rows = [seen.index(f"{code} 派出所", places[-1]) for code in ("S2", "S3", "S1")]
    assert rows == sorted(rows)
    assert "全网完好率 92.67%（目标 ≥ 98%）" in page(noon + 250, "lang=zh")


def test_stopped_collector_is_shouted_about(page: Any, fleet: Any, noon: int) -> None:
    fleet.register({"S1": 500})
    fleet.sweep(noon)
    now = noon + 5 + 17 * 60
    seen = words(page(now))
    assert "The collector has stopped No sweep has finished for 17 min." in seen
    assert "Intact rate – no evidence" in seen
    assert "100.00" not in seen
    assert "采集已停止" in page(now, "lang=zh")


@pytest.mark.parametrize(
    ("kind", "english", "chinese"),
    [
        (HostEventKind.CLOCK_SUSPECTED, "clock of the collector's host is", "怀疑采集主机时钟有误"),
        (HostEventKind.CUT_OFF, "no canary address answers", "哨兵地址均无应答"),
    ],
)
def test_what_puts_the_collector_in_doubt_is_told_while_it_lasts(
    page: Any,
    fleet: Any,
    noon: int,
    database: Database,
    kind: HostEventKind,
    english: str,
    chinese: str,
) -> None:
    fleet.register({"S1": 10})
    fleet.sweep(noon)
    with database.write() as session:
        note_host(session, HostReport((HostFact(kind, noon, None, 0.0, ""),)), noon)
    assert english in words(page(noon + 20)).replace("&#39;", "'")
    assert "2026-03-01 12:00:00" in words(page(noon + 20))
    assert chinese in words(page(noon + 20, "lang=zh"))
    with database.write() as session:
        note_host(session, HostReport((), frozenset({kind})), noon + 60)
    assert english not in words(page(noon + 80)).replace("&#39;", "'")


def test_thin_evidence_is_no_verdict(page: Any, fleet: Any, noon: int) -> None:
    fleet.register({"S1": 1000})
    fleet.sweep(noon, S1=Amounts(unknown=60))
    seen = words(page(noon + 20))
    assert "Intact rate 100.00 % evidence insufficient" in seen
    assert "Coverage now 94.00 %" in seen
    assert "证据不足" in page(noon + 20, "lang=zh")


def test_nothing_comes_from_elsewhere(page: Any, fleet: Any, noon: int) -> None:
    fleet.register({"S1": 5})
    fleet.sweep(noon)
    for query in ("lang=zh", "lang=en"):
        html = page(noon + 20, query)
        assert not ASSET.search(html)
        assert "<script>" not in html
        assert "style=" not in html, "the policy forbids inline styles"


def test_tells_what_changed_in_the_last_hour(
    page: Any, database: Database, fleet: Any, noon: int
) -> None:
    fleet.register({"S1": 20})
    fleet.sweep(noon)
    state = {"clock_offset_s": None, "detail": ""}
    with database.write() as session:
        codes = device_ids_by_code(session)
        for number in range(15):
            device_id = codes[f"S1-{number:04d}"]
            since = noon - 60 * number
            session.add(
                DeviceState(device_id=device_id, status=20, since=since, previous=0, **state)
            )
        for code, since, previous in (("S1-0015", noon - 7200, 0), ("S1-0016", noon, None)):
            session.add(
                DeviceState(
                    device_id=codes[code], status=20, since=since, previous=previous, **state
                )
            )
    seen = words(page(noon + 20))
    assert "12:00 S1-0000 S1 派出所 no answer in time" in seen
    assert "3 more" in seen
    assert "S1-0015" not in seen, "longer ago"
    assert "S1-0016" not in seen, "seen for the first time"


def test_bar_of_the_day_and_its_words(page: Any, fleet: Any, noon: int) -> None:
    fleet.register({"S1": 100})
    for slot in range(30):
        lost = Amounts(offline=10) if slot >= 15 else Amounts()
        fleet.sweep(noon + 60 * slot, S1=lost)
    html = page(noon + 31 * 60 + 10)
    assert 'aria-label="Today: target met 15 min, far below target 15 min, no evidence 12 h' in html
    assert 'class="bad" d="M49 0h1v10h-1z"' in html


def test_times_are_local(page: Any, fleet: Any, noon: int) -> None:
    fleet.register({"S1": 5})
    fleet.sweep(noon)
    assert 'datetime="2026-03-01T12:00:05+08:00"' in page(noon + 20)


def test_page_does_not_grow_with_the_fleet(page: Any, fleet: Any, noon: int) -> None:
    fleet.register({f"S{number:02d}": 5 for number in range(28)})
    worst = Amounts(offline=1, impaired=1, unknown=1, suspended=1)
    fleet.sweep(noon, **dict.fromkeys(fleet.cohorts, worst))
    sizes = [len(page(noon + 20, query).encode()) for query in ("lang=zh", "lang=en")]
    assert max(sizes) < 60_000
    fleet.register({f"T{number:03d}": 1 for number in range(200)})
    fleet.sweep(noon + 60)
    html = page(noon + 80)
    assert len(html.encode()) < 90_000
    assert "168 more stations" in html


@pytest.mark.parametrize(
    "error", [Refused("The evidence is of another zone."), OperationalError("", {}, Exception())]
)
def test_month_that_cannot_be_had_costs_no_page(
    page: Any, fleet: Any, noon: int, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    fleet.register({"S1": 100})
    fleet.sweep(noon)

    def refuse(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr(module, "seconds_by_day", refuse)
    seen = words(page(noon + 20))
    assert "Intact rate 100.00 % met" in seen
    assert "another zone" in seen or "being brought up to date" in seen


def test_station_names_are_text(page: Any, fleet: Any, noon: int) -> None:
    fleet.register({"<b>&": 5})
    fleet.sweep(noon)
    html = page(noon + 20)
    assert "<b>&" not in html
    assert "&lt;b&gt;&amp; 派出所" in html


def line(code: str, **amounts: int) -> StationLine:
    sums = Amounts(**amounts)
    rate = figure("intact", sums)
    return StationLine(code, code, sums.in_service, sums, rate, NO_FIGURE, NO_FIGURE, None)


def test_order_of_stations() -> None:
    lines = [
        line("blind", unknown=9),
        line("good", intact=9),
        line("few", intact=1, offline=1),
        line("many", intact=10, offline=10),
        line("down", offline=3),
    ]
    ordered = [each.code for each in sorted(lines, key=_worst_first)]
    assert ordered == ["down", "many", "few", "good", "blind"]


def test_news_differ_with_a_sweep_and_not_else(
    fleet: Any, settings: Settings, database: Database, noon: int
) -> None:
    source = Wall(database, settings)
    fleet.register({"S1": 3})
    told = [source.render(NewsView())]
    for tick in (noon, noon + settings.poll_interval):
        fleet.sweep(tick)
        told.append(source.render(NewsView()))
    assert len(set(told)) == 3
    assert re.fullmatch(r"[0-9a-f]{16}", told[-1])  # ids of others' alerts cannot be read out of it
