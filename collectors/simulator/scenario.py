"""Scenarios: small TOML files that say what goes wrong, when and for whom.

    about = "text for people"            # optional

    [[fault]]
    kind = "outage"                      # one of `faults.KINDS`
    share = 0.3                          # exactly one of: cameras = N, share, codes, rooms
    start = 60                           # seconds after the simulator began; default 0
    length = 600                         # seconds; without it the fault never ends
    every = 3600                         # seconds from one start to the next; default: once

Some kinds have keys of their own (`scheme`, `seconds`, ...). `cameras` and `share` are drawn by the
fleet's seed; the draws of one scenario do not overlap until the whole fleet is drawn.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import TypeGuard

from collectors.simulator.errors import ScenarioError
from collectors.simulator.faults import KINDS, FaultKind, Key, Settings, is_number

PRESETS = ("healthy", "demo", "bad_day")


@dataclass(frozen=True, slots=True)
class Selection:
    """Whom a fault hits: exactly one of the four is set."""

    cameras: int | None = None
    share: float | None = None
    codes: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. Times are whole milliseconds since the simulator began; None: never."""

    kind: str
    selection: Selection
    start_ms: int = 0
    length_ms: int | None = None
    every_ms: int | None = None
    settings: Settings = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Scenario:
    """All faults of one file, in its order. `source` is how messages name the file."""

    source: str = "no scenario"
    about: str = ""
    faults: tuple[Fault, ...] = ()


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file. Raises `ScenarioError` with every mistake in it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError((f"{path}: cannot be read: {error}",)) from None
    return parse_scenario(text, str(path))


def preset(name: str) -> Scenario:
    """One of `PRESETS`. Raises `ScenarioError` for another name."""
    if name not in PRESETS:
        raise ScenarioError((f"{name!r} is no preset: choose from {', '.join(PRESETS)}",))
    file = resources.files("collectors.simulator") / "scenarios" / f"{name}.toml"
    return parse_scenario(file.read_text(encoding="utf-8"), f"{name}.toml")


def parse_scenario(text: str, source: str = "scenario") -> Scenario:
    """Read a scenario from TOML text. Raises `ScenarioError` with every mistake in it."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError((f"{source}: not valid TOML: {error}",)) from None
    problems = [f"{source}: {problem}" for problem in _document_problems(document)]
    if problems:
        raise ScenarioError(tuple(problems))
    faults = tuple(_fault(table) for table in document.get("fault", []))
    return Scenario(source, document.get("about", ""), faults)


def _document_problems(document: Mapping[str, object]) -> Iterator[str]:
    for key, value in document.items():
        if key == "about":
            if not isinstance(value, str):
                yield f"about = {value!r}: must be text"
        elif key != "fault":
            yield f"{key} = {value!r}: not a key here; faults are [[fault]] tables"
    tables = document.get("fault", [])
    if not isinstance(tables, list):
        yield "fault: must be an array of tables; write [[fault]], not [fault]"
        return
    for number, table in enumerate(tables, 1):
        if not isinstance(table, dict):
            yield f"fault {number}: {table!r}: must be a table; write [[fault]]"
            continue
        for problem in _fault_problems(table):
            yield f"fault {number}: {problem}"


def _fault_problems(table: Mapping[str, object]) -> Iterator[str]:
    name = table.get("kind")
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        shown = f"kind = {name!r}" if "kind" in table else "kind is missing"
        yield f"{shown}: give one of {', '.join(sorted(KINDS))}"
    keys = {**_COMMON_KEYS, **(kind.keys if kind else {})}
    for key, value in table.items():
        if key in keys:
            if not keys[key].is_valid(value):
                yield f"{key} = {value!r}: {keys[key].remedy}"
        elif kind is not None:
            yield f"{key} = {value!r}: not a key of {name}; it takes {', '.join(sorted(keys))}"
    if kind is not None:
        yield from _missing(table, kind)
    yield from _selection_problems(table, kind)
    yield from _window_problems(table)


def _missing(table: Mapping[str, object], kind: FaultKind) -> Iterator[str]:
    for key, rule in kind.keys.items():
        if rule.required and key not in table:
            yield f"{key} is missing: {rule.remedy}"
    if kind.needs_length and "length" not in table:
        yield f"length is missing: {_COMMON_KEYS['length'].remedy}"


def _selection_problems(table: Mapping[str, object], kind: FaultKind | None) -> Iterator[str]:
    given = [key for key in _SELECTORS if key in table]
    if kind is not None and kind.rooms_only:
        if given != ["rooms"]:
            shown = ", ".join(f"{key} = {table[key]!r}" for key in given) or "no selection"
            yield f"{shown}: a {table['kind']} takes rooms = [...] and nothing else"
    elif not given:
        yield f"no selection: give exactly one of {', '.join(_SELECTORS)}"
    elif len(given) > 1:
        shown = ", ".join(f"{key} = {table[key]!r}" for key in given)
        yield f"{shown}: give exactly one of {', '.join(_SELECTORS)}"


def _window_problems(table: Mapping[str, object]) -> Iterator[str]:
    length, every = table.get("length"), table.get("every")
    if every is None or not _is_duration(every):
        return
    if length is None:
        yield f"every = {every!r}: needs a length, or the fault would never end"
    elif _is_duration(length) and every <= length:
        yield f"every = {every!r}: must be more than the length of {length!r} seconds"


def _is_duration(value: object) -> TypeGuard[int | float]:
    """A number of seconds from a millisecond to ten years."""
    return is_number(value) and 0.001 <= value <= 315_360_000


def _is_start(value: object) -> bool:
    return (value == 0 and is_number(value)) or _is_duration(value)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_share(value: object) -> bool:
    return is_number(value) and 0 < value <= 1


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(x, str) for x in value)


_SELECTORS = ("cameras", "share", "codes", "rooms")
_COMMON_KEYS: Mapping[str, Key] = {
    "kind": Key(lambda value: True, ""),  # judged by itself
    "cameras": Key(_is_count, "give a whole number of cameras, 1 or more"),
    "share": Key(_is_share, "give a share of the cameras, more than 0 and at most 1"),
    "codes": Key(_is_texts, 'give a list of device codes, e.g. ["R01-SW1"]'),
    "rooms": Key(_is_texts, "give a list of room names as they stand in the register"),
    "start": Key(_is_start, "give seconds after the start, 0 or more, e.g. start = 60"),
    "length": Key(_is_duration, "give seconds, more than 0, e.g. length = 600"),
    "every": Key(_is_duration, "give seconds, more than 0, e.g. every = 3600"),
}


def _fault(table: Mapping[str, object]) -> Fault:
    """A fault of a table that has no problem."""
    kind = str(table["kind"])
    return Fault(
        kind=kind,
        selection=_selection(table),
        start_ms=_milliseconds(table.get("start")) or 0,
        length_ms=_milliseconds(table.get("length")),
        every_ms=_milliseconds(table.get("every")),
        settings=MappingProxyType({k: v for k, v in table.items() if k in KINDS[kind].keys}),
    )


def _selection(table: Mapping[str, object]) -> Selection:
    cameras, share = table.get("cameras"), table.get("share")
    return Selection(
        cameras if isinstance(cameras, int) else None,
        float(share) if isinstance(share, int | float) else None,
        _texts(table.get("codes")),
        _texts(table.get("rooms")),
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value)) if isinstance(value, list) else ()


def _milliseconds(seconds: object) -> int | None:
    return round(seconds * 1000) if isinstance(seconds, int | float) else None
