"""Scenario files: what they may say, and every mistake named."""

from pathlib import Path

import pytest

from collectors.simulator.errors import ScenarioError
from collectors.simulator.faults import KINDS
from collectors.simulator.fleet import build_fleet
from collectors.simulator.scenario import PRESETS, load_scenario, parse_scenario, preset
from collectors.simulator.timeline import Timeline

MISTAKES = [
    ("[[fault]\n", "x.toml: not valid TOML"),
    ("speed = 3\n", "x.toml: speed = 3: not a key here"),
    ("about = 3\n", "x.toml: about = 3: must be text"),
    ("[fault]\nkind = 'hang'\n", "x.toml: fault: must be an array of tables"),
    ("fault = [3]\n", "x.toml: fault 1: 3: must be a table"),
    ("[[fault]]\nshare = 0.1\n", "x.toml: fault 1: kind is missing: give one of auth,"),
    ("[[fault]]\nkind = 'hagn'\nshare = 0.1\n", "fault 1: kind = 'hagn': give one of"),
    ("[[fault]]\nkind = ['hang']\nshare = 0.1\n", "fault 1: kind = ['hang']: give one of"),
    ("[[fault]]\nkind = 'hang'\nshare = 0.1\ncolour = 'red'\n", "colour = 'red': not a key of"),
    ("[[fault]]\nkind = 'hang'\n", "fault 1: no selection: give exactly one of"),
    ("[[fault]]\nkind = 'hang'\nshare = 0.1\ncameras = 2\n", "cameras = 2, share = 0.1: give"),
    ("[[fault]]\nkind = 'hang'\nshare = 1.5\n", "share = 1.5: give a share"),
    ("[[fault]]\nkind = 'hang'\nshare = 0\n", "share = 0: give a share"),
    ("[[fault]]\nkind = 'hang'\nshare = nan\n", "share = nan: give a share"),
    ("[[fault]]\nkind = 'hang'\nshare = true\n", "share = True: give a share"),
    ("[[fault]]\nkind = 'hang'\ncameras = 0\n", "cameras = 0: give a whole number"),
    ("[[fault]]\nkind = 'hang'\ncameras = 1.5\n", "cameras = 1.5: give a whole number"),
    ("[[fault]]\nkind = 'hang'\ncodes = 'R01'\n", "codes = 'R01': give a list"),
    ("[[fault]]\nkind = 'hang'\ncodes = []\n", "codes = []: give a list"),
    ("[[fault]]\nkind = 'hang'\nrooms = [3]\n", "rooms = [3]: give a list"),
    ("[[fault]]\nkind = 'hang'\nshare = 0.1\nstart = -1\n", "start = -1: give seconds"),
    ("[[fault]]\nkind = 'hang'\nshare = 0.1\nstart = false\n", "start = False: give seconds"),
    ("[[fault]]\nkind = 'hang'\nshare = 0.1\nlength = 0\n", "length = 0: give seconds"),
    ("[[fault]]\nkind = 'hang'\nshare = 0.1\nlength = inf\n", "length = inf: give seconds"),
    ("[[fault]]\nkind = 'hang'\nshare = 0.1\nevery = 'day'\n", "every = 'day': give seconds"),
    ("[[fault]]\nkind = 'hang'\nshare = 0.1\nevery = 60\n", "every = 60: needs a length"),
    (
        "[[fault]]\nkind = 'hang'\nshare = 0.1\nlength = 60\nevery = 60\n",
        "every = 60: must be more than the length of 60 seconds",
    ),
    ("[[fault]]\nkind = 'outage'\nshare = 0.1\n", "fault 1: length is missing: give seconds"),
    ("[[fault]]\nkind = 'room_uplink'\nshare = 0.1\n", "a room_uplink takes rooms = [...]"),
    ("[[fault]]\nkind = 'auth'\nshare = 0.1\n", "scheme is missing: give scheme ="),
    ("[[fault]]\nkind = 'auth'\nshare = 0.1\nscheme = 'basic'\n", "scheme = 'basic': give"),
    (
        "[[fault]]\nkind = 'auth'\nshare = 0.1\nscheme = 'http_digest'\nalgorithms = ['MD4']\n",
        "algorithms = ['MD4']: give a list",
    ),
    (
        "[[fault]]\nkind = 'auth'\nshare = 0.1\nscheme = 'ws_token'\nclock_open = 1\n",
        "clock_open = 1: give true or false",
    ),
    (
        "[[fault]]\nkind = 'auth'\nshare = 0.1\nscheme = 'ws_token'\nrefusal_status = 404\n",
        "refusal_status = 404: give 200, 400, 401, 403 or 500",
    ),
    (
        "[[fault]]\nkind = 'auth'\nshare = 0.1\nscheme = 'ws_token'\nrefusal_body = 'pdf'\n",
        "refusal_body = 'pdf': give",
    ),
    (
        "[[fault]]\nkind = 'auth'\nshare = 0.1\nscheme = 'ws_token'\nlockout = 0\n",
        "lockout = 0: give the number of bad passwords",
    ),
    ("[[fault]]\nkind = 'clock_skew'\nshare = 0.1\n", "seconds is missing"),
    ("[[fault]]\nkind = 'clock_skew'\nshare = 0.1\nseconds = 1e12\n", "seconds = 1000000000000.0"),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES, ids=[m for _, m in MISTAKES])
def test_each_mistake_is_named(text: str, message: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        parse_scenario(text, "x.toml")
    assert len(raised.value.problems) == 1, raised.value.problems
    assert message in raised.value.problems[0]
    assert raised.value.problems[0].startswith("x.toml: ")


def test_all_mistakes_come_at_once() -> None:
    text = (
        "a = 1\n[[fault]]\nkind = 'hang'\nshare = 2\nstart = -1\n[[fault]]\nkind = 'x'\nshare=1\n"
    )
    with pytest.raises(ScenarioError) as raised:
        parse_scenario(text)
    assert [problem.split(": ")[1] for problem in raised.value.problems] == [
        "a = 1",
        "fault 1",
        "fault 1",
        "fault 2",
    ]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"none\.toml: cannot be read"):
        load_scenario(tmp_path / "none.toml")


def test_a_file_reads_like_its_text(tmp_path: Path) -> None:
    path = tmp_path / "hang.toml"
    path.write_text("about = '早晨'\n[[fault]]\nkind = 'hang'\ncameras = 1\n", encoding="utf-8")
    scenario = load_scenario(path)
    assert (scenario.source, scenario.about) == (str(path), "早晨")
    assert [fault.kind for fault in scenario.faults] == ["hang"]


UNFIT = [
    ("kind = 'hang'\ncameras = 31", "cameras = 31: the fleet has 30"),
    ("kind = 'hang'\nrooms = ['顶楼']", "rooms = '顶楼': no such room; there are 青石派出所监控室"),
    ("kind = 'hang'\ncodes = ['nobody']", "codes = 'nobody': no such device"),
    ("kind = 'hang'\ncodes = ['V001']", "codes = 'V001': hang does not apply to a vehicle"),
    (
        "kind = 'invalid_xml'\ncodes = ['R01-SW1']",
        "codes = 'R01-SW1': invalid_xml does not apply to a room_equipment",
    ),
]


@pytest.mark.parametrize(("text", "message"), UNFIT, ids=[m for _, m in UNFIT])
def test_what_the_fleet_does_not_have_is_named(text: str, message: str) -> None:
    scenario = parse_scenario(f"[[fault]]\n{text}\n", "x.toml")
    with pytest.raises(ScenarioError) as raised:
        Timeline(scenario, build_fleet(30, 2))
    assert raised.value.problems[0].startswith(f"x.toml: fault 1: {message}")


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize(("cameras", "rooms"), [(3292, 28), (20, 2), (1, 1)])
def test_presets_fit_fleets_of_any_size(name: str, cameras: int, rooms: int) -> None:
    assert preset(name).about
    Timeline(preset(name), build_fleet(cameras, rooms)).behaviours_at(0)


def test_unknown_preset_is_named() -> None:
    with pytest.raises(ScenarioError, match="'sunny' is no preset: choose from healthy, demo"):
        preset("sunny")


def test_every_kind_has_a_line_of_its_own_in_this_table() -> None:
    """A new kind must say here what it needs, so that the message table is looked at."""
    needs = {
        "outage": "length = 5",
        "auth": "scheme = 'ws_token'",
        "wrong_password": "scheme = 'http_digest'",
        "clock_skew": "seconds = -3600",
        "stream_auth": "scheme = 'basic'",
        "stream_wrong_password": "scheme = 'digest'",
    }
    for kind in KINDS:
        who = "rooms = ['a']" if kind == "room_uplink" else "share = 0.5"
        parse_scenario(f"[[fault]]\nkind = '{kind}'\n{who}\n{needs.get(kind, '')}\n")
