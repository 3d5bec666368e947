"""What is remembered of passwords, for how long, and what a clock that jumps does to it."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from collectors.onvif import credentials
from collectors.onvif.credentials import Accepted, CredentialMemory, Scheme, Verdict
from collectors.onvif.prober import OnvifProber
from collectors.probe import Observation, ProbeMethod, Target
from collectors.simulator.fleet import Device
from collectors.simulator.running import RunningFleet, running_fleet
from collectors.simulator.scenario import parse_scenario
from kpi.status import Status

Run = Callable[[Any], Any]

HOUR_S = 3600.0
NEVER = math.inf
WHO = ("10.0.0.1", "admin", "hunter2")
OTHER = ("10.0.0.2", "admin", "hunter2")
INTACT, CLOCK_WRONG, AUTH_FAILED = Status.INTACT, Status.CLOCK_WRONG, Status.AUTH_FAILED


@dataclass
class Clock:
    """A memory's own clock, moved by hand."""

    now_s: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass(kw_only=True)
class Remembering:
    """A memory and its clock."""

    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.memory = CredentialMemory(b"k" * 32, self.clock)

    def hours_refused(self) -> float:
        return (self.memory.refused_until(*WHO) - self.clock.now_s) / HOUR_S


def test_no_password_is_kept() -> None:
    memory = CredentialMemory()
    memory.remember_refusal(*WHO)
    assert memory.was_refused(*WHO)
    assert not memory.was_refused(*OTHER)
    assert not memory.was_refused("10.0.0.1", "admin", "hunter3")
    assert "hunter2" not in repr(vars(memory))


@pytest.mark.parametrize(
    ("once_worked", "clock_unknown", "pauses"),
    [
        (False, False, [NEVER]),
        (False, True, [NEVER]),
        (True, False, [NEVER]),
        (True, True, [1, 2, 4, 8, 16, 24, 24]),
    ],
)
def test_how_long_a_refusal_holds(
    once_worked: bool, clock_unknown: bool, pauses: list[float]
) -> None:
    remembering = Remembering()
    memory = remembering.memory
    if once_worked:
        memory.remember_success(*WHO, Accepted(Scheme.TOKEN, 0.0))
    for hours in pauses:
        memory.remember_refusal(*WHO, clock_unknown=clock_unknown)
        assert memory.was_refused(*WHO)
        assert remembering.hours_refused() == hours
        assert memory.worked(*WHO) is None
        remembering.clock.now_s += (hours if hours < NEVER else 1e6) * HOUR_S
        assert memory.was_refused(*WHO) is (hours == NEVER)
    if once_worked and clock_unknown:
        memory.remember_success(*WHO, Accepted(Scheme.TOKEN, 5.0))
        memory.remember_refusal(*WHO, clock_unknown=True)
        assert remembering.hours_refused() == 1, "the pauses begin anew"


def test_a_doubt_ends_after_an_hour_where_the_password_once_worked() -> None:
    remembering = Remembering()
    memory, begun_s = remembering.memory, remembering.clock.now_s
    memory.remember_success(*WHO, Accepted(Scheme.TOKEN))
    for who in (WHO, OTHER):
        assert not memory.is_doubted(*who)
        memory.remember_doubt(*who)
    seen = []
    for later_s in (0.0, 3599.0, 3600.0, 1e9):
        remembering.clock.now_s = begun_s + later_s
        seen.append((memory.is_doubted(*WHO), memory.is_doubted(*OTHER)))
    assert seen == [(True, True), (True, True), (False, True), (False, True)]
    assert not memory.was_refused(*OTHER)


def test_what_was_saved_is_known_to_the_next_process() -> None:
    first, second, stranger = (
        CredentialMemory(key) for key in (b"one key", b"one key", b"another key")
    )
    first.remember_success(*WHO, Accepted(Scheme.TOKEN, 7.0))
    first.remember_refusal(*OTHER)
    saved = first.unsaved
    first.mark_saved(saved)
    assert first.unsaved == {}
    for memory in (second, stranger):
        memory.adopt(saved)
        assert memory.unsaved == {}
    assert second.worked(*WHO) == Accepted(Scheme.TOKEN, 7.0)
    assert second.was_refused(*OTHER)
    assert not stranger.was_refused(*OTHER)
    assert stranger.worked(*WHO) is None


def test_only_what_matters_is_saved_again() -> None:
    memory = CredentialMemory()
    offsets, unsaved = (0.0, 20.0, 40.0, 59.0, 60.0, 90.0, 121.0), []
    for offset_s in offsets:
        memory.remember_success(*WHO, Accepted(Scheme.TOKEN, offset_s))
        unsaved.append(len(memory.unsaved))
        memory.mark_saved(memory.unsaved)
    assert unsaved == [1, 0, 0, 0, 1, 0, 1], "a minute off what is saved, however slowly"
    memory.remember_success(*WHO, Accepted(Scheme.DIGEST, 121.0))
    assert len(memory.unsaved) == 1


def test_what_is_learnt_while_it_is_saved_stays_unsaved() -> None:
    memory = CredentialMemory()
    memory.remember_success(*WHO, Accepted(Scheme.TOKEN, 0.0))
    saved = memory.unsaved
    memory.remember_refusal(*WHO)
    memory.mark_saved(saved)
    assert [verdict.refused_until for verdict in memory.unsaved.values()] == [NEVER]
    memory.adopt(saved)
    assert memory.was_refused(*WHO), "what another process saved before is no news"


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked for goes on being remembered, however many others come and go."""
    monkeypatch.setattr(credentials, "MOST_ENTRIES", 100)
    memory = CredentialMemory()
    memory.remember_refusal(*WHO)
    for number in range(1000):
        memory.remember_refusal("10.0.0.3", "admin", str(number))
        assert memory.was_refused(*WHO)
    assert memory.size == 100
    assert len(memory.unsaved) == 100
    memory.adopt({str(number).encode(): Verdict() for number in range(1000)})
    assert memory.size == 100


# --- a camera whose clock jumps ---


def fault(kind: str, settings: str = "") -> str:
    return f'[[fault]]\nkind = "{kind}"\nshare = 1.0\n{settings}\n'


TOKEN = fault("auth", 'scheme = "ws_token"\nlockout = 2')
DIGEST = fault("auth", 'scheme = "http_digest"')


def skew(hours: float) -> str:
    return fault("clock_skew", f"seconds = {hours * HOUR_S}")


@pytest.fixture(scope="module")
def fleet() -> Iterator[RunningFleet]:
    with running_fleet(cameras=1, rooms=1) as running:
        yield running


@dataclass(kw_only=True)
class Watch(Remembering):
    """Asks one simulated camera again and again, with one memory."""

    fleet: RunningFleet
    run: Run

    @property
    def camera(self) -> Device:
        return self.fleet.cameras[0]

    def use(self, faults: str) -> None:
        self.fleet.use(parse_scenario(faults))

    def look(self, times: int = 1) -> Status:
        """What the last of some probes says."""
        camera, seen = self.camera, Observation(Status.UNKNOWN)
        assert camera.port is not None
        target = Target(
            1,
            camera.address,
            camera.port,
            ProbeMethod.ONVIF,
            username=camera.username,
            password=camera.password,
        )
        for _ in range(times):
            seen = self.run(OnvifProber(memory=self.memory)(target, math.inf))
        return seen.status

    @property
    def shown(self) -> int:
        """Passwords shown since the scenario began."""
        return self.fleet.attempts(self.camera).shown


@pytest.fixture
def watch(fleet: RunningFleet, run: Run) -> Watch:
    watch = Watch(fleet=fleet, run=run)
    watch.use(TOKEN)
    assert watch.look() is INTACT
    return watch


def test_a_clock_that_jumps_untold_costs_one_try_a_pause(watch: Watch) -> None:
    watch.use(TOKEN + skew(5))
    for tries, pause_hours in enumerate((1, 2, 4, 8, 16, 24, 24), start=1):
        assert watch.look(times=3) is AUTH_FAILED
        assert watch.shown == tries
        watch.clock.now_s += pause_hours * HOUR_S - 1
        assert watch.look() is AUTH_FAILED
        assert watch.shown == tries
        watch.clock.now_s += 1


def test_a_clock_that_is_set_right_is_found_after_an_hour(watch: Watch) -> None:
    """It was hours off and known to be; somebody set it. Our own clock is tried next."""
    watch.use(TOKEN + skew(-8) + fault("date_header"))
    assert watch.look() is CLOCK_WRONG
    watch.use(TOKEN)
    assert watch.look(times=3) is AUTH_FAILED
    assert watch.shown == 1
    watch.clock.now_s += HOUR_S
    assert watch.look() is INTACT
    assert watch.look() is INTACT
    assert watch.shown == 3


def test_a_clock_that_jumps_and_is_told_costs_nothing(watch: Watch) -> None:
    watch.use(TOKEN + skew(5) + fault("date_header"))
    assert watch.look() is CLOCK_WRONG
    assert watch.fleet.attempts(watch.camera).bad == 0


def test_another_way_of_asking_is_found_after_the_pause(watch: Watch) -> None:
    """It took the token once; since its update it takes HTTP digest only."""
    watch.use(DIGEST)
    assert watch.look(times=3) is AUTH_FAILED
    watch.clock.now_s += HOUR_S
    assert watch.look() is INTACT


@pytest.mark.parametrize("told", ["", fault("date_header")])
def test_a_password_that_is_wrong_by_a_told_clock_is_wrong(watch: Watch, told: str) -> None:
    """Where the clock is told the password is to blame and is not tried again."""
    watch.use(fault("wrong_password", 'scheme = "ws_token"') + told)
    assert watch.look(times=3) is AUTH_FAILED
    for _ in range(3):
        watch.clock.now_s += 24 * HOUR_S
        assert watch.look(times=3) is AUTH_FAILED
    assert watch.shown == (1 if told else 4)


def test_a_digest_has_no_clock(watch: Watch) -> None:
    watch.memory = CredentialMemory(clock=watch.clock)
    watch.use(DIGEST)
    assert watch.look() is INTACT
    watch.use(fault("wrong_password", 'scheme = "http_digest"'))
    assert watch.look() is AUTH_FAILED
    watch.clock.now_s += 1000 * HOUR_S
    assert watch.look(times=3) is AUTH_FAILED
    assert watch.shown == 1


@pytest.mark.parametrize("scheme", ["ws_token", "http_digest"])
def test_a_camera_that_answers_openly_is_intact_whatever_the_password(
    watch: Watch, scheme: str
) -> None:
    watch.memory.remember_refusal(
        watch.camera.address, watch.camera.username, watch.camera.password
    )
    watch.use(fault("wrong_password", f'scheme = "{scheme}"\nclock_open = true\nlockout = 1'))
    assert watch.look(times=3) is INTACT
    watch.use("")
    assert watch.look(times=3) is INTACT
    assert watch.shown == 0
