"""What can go wrong with a simulated device, and who wins where faults overlap.

A fault kind changes a `Behaviour`. The behaviours of all active faults of a device are applied in
the order of the file, field by field:

- `link`: the harsher wins, whatever the order: unreachable, closed, hang, reset, open;
- `demand`, `clock_skew_s`: the later fault of the file wins;
- `password_changed`: one fault is enough;
- `habits`: each is applied once, in the order of the file.

So a camera may demand a password, be an hour off and lose its uplink at the same time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import partial
from math import isfinite
from typing import Literal, TypeGuard

from collectors.simulator.habits import HABITS, Habit

Scheme = Literal["ws_token", "http_digest"]
SCHEMES: tuple[Scheme, ...] = ("ws_token", "http_digest")
ALGORITHMS = ("MD5", "SHA-256")


class Link(IntEnum):
    """How a device meets a connection; the greater is the harsher."""

    OPEN = 0
    RESET = 1
    """Accepts, then resets the connection: a camera at the first request, equipment at once."""
    HANG = 2
    """Accepts, then says nothing."""
    CLOSED = 3
    """Nothing listens: the connection is refused."""
    UNREACHABLE = 4
    """The connection is never answered, as where the uplink is down."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Which credentials a camera asks for.

    `algorithms` are offered by HTTP digest in this order. With `clock_open` GetSystemDateAndTime
    is answered without credentials, as the ONVIF specification has it and many cameras do not.
    """

    scheme: Scheme
    algorithms: tuple[str, ...] = ALGORITHMS
    clock_open: bool = False


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a device behaves at an instant; the default is a healthy, open camera."""

    link: Link = Link.OPEN
    demand: Demand | None = None
    password_changed: bool = False
    clock_skew_s: float = 0.0
    habits: tuple[Habit, ...] = ()


HEALTHY = Behaviour()

Settings = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Key:
    """A setting of a fault kind: whether a value is right, and what to write instead."""

    is_valid: Callable[[object], bool]
    remedy: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class FaultKind:
    """What a fault does. Only kinds that `reaches_equipment` touch anything but cameras."""

    change: Callable[[Behaviour, Settings], Behaviour]
    keys: Mapping[str, Key] = field(default_factory=dict)
    reaches_equipment: bool = False
    needs_length: bool = False
    rooms_only: bool = False


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a TOML value is a finite number (in Python a bool is one, too: not here)."""
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _is_algorithms(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(item in ALGORITHMS for item in value)
        and len(set(value)) == len(value)
    )


def _link(link: Link, behaviour: Behaviour, settings: Settings) -> Behaviour:
    return replace(behaviour, link=max(behaviour.link, link))


def _demand(password_changed: bool, behaviour: Behaviour, settings: Settings) -> Behaviour:
    scheme: Scheme = "http_digest" if settings["scheme"] == "http_digest" else "ws_token"
    algorithms = settings.get("algorithms", ALGORITHMS)
    assert isinstance(algorithms, list | tuple)  # noqa: S101 - `_AUTH_KEYS` has checked it
    return replace(
        behaviour,
        demand=Demand(scheme, tuple(algorithms), settings.get("clock_open") is True),
        password_changed=behaviour.password_changed or password_changed,
    )


def _clock_skew(behaviour: Behaviour, settings: Settings) -> Behaviour:
    seconds = settings["seconds"]
    assert isinstance(seconds, int | float)  # noqa: S101 - `_SKEW_KEYS` has checked it
    return replace(behaviour, clock_skew_s=float(seconds))


def _habit(habit: Habit, behaviour: Behaviour, settings: Settings) -> Behaviour:
    if habit in behaviour.habits:
        return behaviour
    return replace(behaviour, habits=(*behaviour.habits, habit))


_AUTH_KEYS = {
    "scheme": Key(
        lambda value: value in SCHEMES, 'give scheme = "ws_token" or "http_digest"', required=True
    ),
    "algorithms": Key(_is_algorithms, 'give a list of "MD5" and "SHA-256", each once'),
    "clock_open": Key(lambda value: isinstance(value, bool), "give true or false"),
}
_TEN_YEARS_S = 315_360_000
_SKEW_KEYS = {
    "seconds": Key(
        lambda value: is_number(value) and abs(value) <= _TEN_YEARS_S,
        "give seconds, ahead (positive) or behind (negative), at most ten years",
        required=True,
    )
}

KINDS: Mapping[str, FaultKind] = {
    "outage": FaultKind(partial(_link, Link.CLOSED), reaches_equipment=True, needs_length=True),
    "refused": FaultKind(partial(_link, Link.CLOSED), reaches_equipment=True),
    "room_uplink": FaultKind(
        partial(_link, Link.UNREACHABLE), reaches_equipment=True, rooms_only=True
    ),
    "hang": FaultKind(partial(_link, Link.HANG), reaches_equipment=True),
    "reset": FaultKind(partial(_link, Link.RESET), reaches_equipment=True),
    "auth": FaultKind(partial(_demand, False), _AUTH_KEYS),
    "wrong_password": FaultKind(partial(_demand, True), _AUTH_KEYS),
    "clock_skew": FaultKind(_clock_skew, _SKEW_KEYS),
    **{name: FaultKind(partial(_habit, habit)) for name, habit in HABITS.items()},
}
"""Every `kind` that a scenario may name."""
