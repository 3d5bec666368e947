"""What can go wrong with a simulated device, and who wins where faults overlap.

A fault kind changes a `Behaviour`. The behaviours of all active faults of a device are applied in
the order of the file, field by field:

- `link`: the harsher wins, whatever the order: unreachable, closed, hang, reset, open;
- `demand`, `stream`, `stream_demand`, `clock_skew_s`: the later fault of the file wins;
- `password_changed`, `bad_certificate`, `one_at_a_time`: one fault is enough;
- `habits`, `deliveries`: each is applied once, in the order of the file.

So a camera may demand a password, be an hour off and lose its uplink at the same time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import partial
from math import isfinite
from typing import Literal, TypeGuard

from collectors.simulator.deliveries import DELIVERIES, Delivery
from collectors.simulator.habits import HABITS, Habit
from collectors.simulator.streams import STREAMS, Stream, offered

Scheme = Literal["ws_token", "http_digest"]
SCHEMES: tuple[Scheme, ...] = ("ws_token", "http_digest")
STREAM_SCHEMES = ("digest", "basic")
ALGORITHMS = ("MD5", "SHA-256")
REFUSAL_STATUSES = (200, 400, 401, 403, 500)
REFUSAL_BODIES = ("soap", "html", "empty")


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
    `refusal_status` and `refusal_body` replace those of the scheme. After `lockout` bad passwords
    the account is locked.
    """

    scheme: Scheme
    algorithms: tuple[str, ...] = ALGORITHMS
    clock_open: bool = False
    refusal_status: int | None = None
    refusal_body: str | None = None
    lockout: int | None = None


@dataclass(frozen=True, slots=True)
class StreamDemand:
    """Which credentials a camera asks for by RTSP, whatever its ONVIF service does.

    `algorithms` are offered by digest in this order. With `closes` each refusal ends the
    connection.
    """

    scheme: str
    algorithms: tuple[str, ...] = ALGORITHMS
    password_changed: bool = False
    closes: bool = False


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a device behaves at an instant; the default is a healthy, open camera."""

    link: Link = Link.OPEN
    demand: Demand | None = None
    password_changed: bool = False
    clock_skew_s: float = 0.0
    habits: tuple[Habit, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    one_at_a_time: bool = False
    """Serves one connection; the others wait until it has ended."""
    bad_certificate: bool = False
    """Speaks TLS only, with a certificate that is self-signed, out of date, for another name."""
    stream: Stream = offered
    stream_demand: StreamDemand | None = None
    """Where there is none, `demand` holds for the stream too, by digest."""


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
    status, lockout = settings.get("refusal_status"), settings.get("lockout")
    body = settings.get("refusal_body")
    demand = Demand(
        scheme,
        tuple(algorithms),
        settings.get("clock_open") is True,
        status if isinstance(status, int) else None,
        body if isinstance(body, str) else None,
        lockout if isinstance(lockout, int) else None,
    )
    return replace(
        behaviour,
        demand=demand,
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


def _delivery(delivery: Delivery, behaviour: Behaviour, settings: Settings) -> Behaviour:
    if delivery in behaviour.deliveries:
        return behaviour
    return replace(behaviour, deliveries=(*behaviour.deliveries, delivery))


def _one_at_a_time(behaviour: Behaviour, settings: Settings) -> Behaviour:
    return replace(behaviour, one_at_a_time=True)


def _bad_certificate(behaviour: Behaviour, settings: Settings) -> Behaviour:
    return replace(behaviour, bad_certificate=True)


def _stream(stream: Stream, behaviour: Behaviour, settings: Settings) -> Behaviour:
    return replace(behaviour, stream=stream)


def _stream_demand(password_changed: bool, behaviour: Behaviour, settings: Settings) -> Behaviour:
    algorithms = settings.get("algorithms", ALGORITHMS)
    assert isinstance(algorithms, list | tuple)  # noqa: S101 - `_STREAM_KEYS` has checked it
    demand = StreamDemand(
        str(settings["scheme"]),
        tuple(algorithms),
        password_changed,
        settings.get("closes") is True,
    )
    return replace(behaviour, stream_demand=demand)


_AUTH_KEYS = {
    "scheme": Key(
        lambda value: value in SCHEMES, 'give scheme = "ws_token" or "http_digest"', required=True
    ),
    "algorithms": Key(_is_algorithms, 'give a list of "MD5" and "SHA-256", each once'),
    "clock_open": Key(lambda value: isinstance(value, bool), "give true or false"),
    "refusal_status": Key(
        lambda value: type(value) is int and value in REFUSAL_STATUSES,
        "give 200, 400, 401, 403 or 500",
    ),
    "refusal_body": Key(lambda value: value in REFUSAL_BODIES, 'give "soap", "html" or "empty"'),
    "lockout": Key(
        lambda value: type(value) is int and value >= 1,
        "give the number of bad passwords after which the account is locked, 1 or more",
    ),
}
_STREAM_KEYS = {
    "scheme": Key(
        lambda value: value in STREAM_SCHEMES, 'give scheme = "digest" or "basic"', required=True
    ),
    "algorithms": _AUTH_KEYS["algorithms"],
    "closes": Key(lambda value: isinstance(value, bool), "give true or false"),
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
    "stream_auth": FaultKind(partial(_stream_demand, False), _STREAM_KEYS),
    "stream_wrong_password": FaultKind(partial(_stream_demand, True), _STREAM_KEYS),
    "clock_skew": FaultKind(_clock_skew, _SKEW_KEYS),
    "one_at_a_time": FaultKind(_one_at_a_time),
    "bad_certificate": FaultKind(_bad_certificate),
    **{name: FaultKind(partial(_habit, habit)) for name, habit in HABITS.items()},
    **{name: FaultKind(partial(_delivery, how)) for name, how in DELIVERIES.items()},
    **{name: FaultKind(partial(_stream, stream)) for name, stream in STREAMS.items()},
}
"""Every `kind` that a scenario may name."""
