"""Who fails when: draws, windows, and overlapping faults."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.simulator.faults import HEALTHY, Demand, Link
from collectors.simulator.fleet import build_fleet
from collectors.simulator.habits import invalid_xml
from collectors.simulator.scenario import Fault, Scenario, Selection, parse_scenario, preset
from collectors.simulator.streams import offered
from collectors.simulator.timeline import BoundFault, Timeline, with_failing_equipment_by_tcp

FLEET = build_fleet(100, 3)
ONE = FLEET.cameras[0].code


def _links(timeline: Timeline, at_ms: int) -> dict[Link, int]:
    found = [behaviour.link for behaviour in timeline.behaviours_at(at_ms).values()]
    return {link: found.count(link) for link in Link if link in found}


def test_draws_do_not_overlap() -> None:
    scenario = parse_scenario(
        "[[fault]]\nkind='hang'\nshare=0.3\n[[fault]]\nkind='refused'\ncameras=70\n"
    )
    assert _links(Timeline(scenario, FLEET), 0) == {Link.HANG: 30, Link.CLOSED: 70}


def test_draws_begin_again_when_the_fleet_is_drawn() -> None:
    scenario = parse_scenario(
        "[[fault]]\nkind='reset'\nshare=0.9\n[[fault]]\nkind='refused'\nshare=0.2\n"
    )
    assert _links(Timeline(scenario, FLEET), 0) == {Link.RESET: 80, Link.CLOSED: 20}


def test_the_seed_draws() -> None:
    scenario = parse_scenario("[[fault]]\nkind='hang'\ncameras=5\n")

    def drawn(seed: int) -> set[str]:
        return set(Timeline(scenario, build_fleet(100, 3, seed=seed)).behaviours_at(0))

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


@pytest.mark.parametrize(
    ("start", "length", "every", "changes"),
    [
        (0, None, None, []),
        (1000, None, None, [1000]),
        (0, 500, None, [500]),
        (1000, 500, None, [1000, 1500]),
        (1000, 500, 2000, [1000, 1500, 3000, 3500, 5000]),
        (0, 500, 501, [500, 501, 1001, 1002, 1502]),
    ],
)
def test_windows(start: int, length: int | None, every: int | None, changes: list[int]) -> None:
    bound = BoundFault(Fault("hang", Selection(cameras=1), start, length, every), (ONE,))
    seen: list[int] = []
    at = 0
    while len(seen) < 5 and (following := bound.next_change(at)) is not None:
        assert bound.is_active(following) != bound.is_active(following - 1)
        assert bound.is_active(at) == bound.is_active(following - 1)
        seen.append(following)
        at = following
    assert seen == changes


@given(
    start=st.integers(0, 40),
    length=st.none() | st.integers(1, 20),
    pause=st.none() | st.integers(1, 20),
    at=st.integers(0, 150),
)
def test_windows_agree_with_a_walk_in_milliseconds(
    start: int, length: int | None, pause: int | None, at: int
) -> None:
    every = length + pause if length is not None and pause is not None else None
    bound = BoundFault(Fault("hang", Selection(cameras=1), start, length, every), (ONE,))
    first = next(
        (t for t in range(at + 1, at + 200) if bound.is_active(t) != bound.is_active(t - 1)), None
    )
    assert bound.next_change(at) == first


OVERLAPS = [
    (("hang", "", "refused", ""), Link.CLOSED),
    (("refused", "", "hang", ""), Link.CLOSED),
    (("reset", "", "hang", ""), Link.HANG),
    (("hang", "", "reset", ""), Link.HANG),
    (("refused", "", "invalid_xml", ""), Link.CLOSED),
]


@pytest.mark.parametrize(("kinds", "link"), OVERLAPS)
def test_the_harsher_link_wins(kinds: tuple[str, str, str, str], link: Link) -> None:
    text = "".join(
        f"[[fault]]\nkind='{kind}'\n{extra}\ncodes=['{ONE}']\n"
        for kind, extra in (kinds[:2], kinds[2:])
    )
    assert Timeline(parse_scenario(text), FLEET).behaviours_at(0)[ONE].link is link


def test_an_uplink_down_hides_all_else_and_reaches_the_equipment() -> None:
    text = (
        "[[fault]]\nkind='room_uplink'\nrooms=['青石派出所监控室']\n"
        "[[fault]]\nkind='refused'\nshare=1\n"
    )
    behaviours = Timeline(parse_scenario(text), FLEET).behaviours_at(0)
    for device in FLEET.by_room["青石派出所监控室"]:
        assert behaviours[device.code].link is Link.UNREACHABLE
    for device in FLEET.by_room["柳溪派出所监控室"]:
        expected = Link.CLOSED if device.kind == "camera" else None
        assert (behaviours[device.code].link if device.code in behaviours else None) is expected


def test_other_faults_combine_and_the_later_demand_wins() -> None:
    text = "".join(
        f"[[fault]]\ncodes=['{ONE}']\n{lines}\n"
        for lines in (
            "kind='wrong_password'\nscheme='http_digest'",
            "kind='auth'\nscheme='ws_token'\nclock_open=true",
            "kind='clock_skew'\nseconds=10",
            "kind='clock_skew'\nseconds=-20",
            "kind='invalid_xml'",
            "kind='invalid_xml'",
        )
    )
    behaviour = Timeline(parse_scenario(text), FLEET).behaviours_at(0)[ONE]
    assert behaviour.demand == Demand("ws_token", clock_open=True)
    assert behaviour.password_changed
    assert behaviour.clock_skew_s == -20
    assert behaviour.habits == (invalid_xml,)
    assert behaviour.link is HEALTHY.link


def test_the_demo_rests_at_99_4_percent_and_crosses_the_target() -> None:
    fleet = build_fleet()
    timeline = Timeline(preset("demo"), fleet)

    def impaired(at_s: int) -> int:
        behaviours = timeline.behaviours_at(at_s * 1000)
        return sum(
            1
            for code, behaviour in behaviours.items()
            if fleet.by_code[code].kind == "camera"
            and (
                behaviour.link
                or behaviour.password_changed
                or behaviour.habits
                or behaviour.stream is not offered
            )
        )

    assert impaired(0) == 19
    assert impaired(359) == 19
    assert 100 * (3292 - impaired(360)) < 98 * 3292
    assert impaired(360) >= 118
    assert impaired(360 + 1200 - 1) >= 118
    assert impaired(360 + 1200) == 19
    assert impaired(2400) == 19 + 70
    assert 100 * (3292 - impaired(2400)) < 98 * 3292


def test_a_bad_day_is_30_percent_hang_and_5_percent_refused() -> None:
    assert _links(Timeline(preset("bad_day"), FLEET), 0) == {Link.HANG: 30, Link.CLOSED: 5}


def test_equipment_that_fails_is_probed_by_tcp() -> None:
    scenario = parse_scenario(
        "[[fault]]\nkind='room_uplink'\nrooms=['青石派出所监控室']\nstart=9\nlength=9\n"
    )
    fleet = with_failing_equipment_by_tcp(FLEET, scenario)
    probes = {device.code: device.probe for device in fleet.devices if device.code[0] == "R"}
    assert probes["R01-SW1"] == probes["R01-NVR1"] == "tcp"
    assert probes["R02-SW1"] == "ping"
    assert with_failing_equipment_by_tcp(FLEET, Scenario()) == FLEET
