"""The outline that the operator places under the map: districts out of a GeoJSON file (RFC 7946).

Read once at the start and checked whole; what is served holds lines and names, nothing else.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import ConfigurationError

SETTING = "map_outline"
LARGEST = 4 * 1024 * 1024
MOST_POINTS = 50_000
LONGEST_NAME = 64
NAMES = ("name", "NAME", "Name", "名称")
"""Properties that may hold a district's name."""
REMEDY = "write it as GeoJSON in WGS 84 (longitude, latitude), or leave map_outline out"

Line = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Outline:
    """What is served (`{"districts": [{"name", "is_area", "lines"}]}`), and what names it."""

    body: bytes
    version: str


def read_outline(path: Path) -> Outline:
    """Read the file. Raises `ConfigurationError` with file and remedy."""
    try:
        if path.stat().st_size > LARGEST:
            raise _refused(path, f"is larger than {LARGEST // 1024 // 1024} MB; simplify its lines")
        content = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _refused(path, f"cannot be read ({error.strerror}); check path and rights") from None
    except UnicodeDecodeError:
        raise _refused(path, "is no UTF-8; save it as UTF-8") from None
    try:
        districts = [_district(feature) for feature in _features(json.loads(content))]
    except (ValueError, RecursionError) as error:
        raise _refused(path, f"cannot be used ({error}); {REMEDY}") from None
    points = sum(len(line) for district in districts for line in district["lines"])
    if not points:
        raise _refused(path, f"has no lines; {REMEDY}")
    if points > MOST_POINTS:
        raise _refused(path, f"has {points} points, more than {MOST_POINTS}; simplify its lines")
    body = json.dumps({"districts": districts}, ensure_ascii=False, separators=(",", ":")).encode()
    return Outline(body, hashlib.sha256(body).hexdigest()[:16])


def _refused(path: Path, problem: str) -> ConfigurationError:
    return ConfigurationError([f"{SETTING}: {path} {problem}"])


def _features(document: Any) -> Iterator[dict[str, Any]]:
    """Features, whatever they are wrapped in."""
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "FeatureCollection":
        features = document.get("features")
        if not isinstance(features, list):
            raise ValueError("its FeatureCollection has no list of features")
        for number, feature in enumerate(features, 1):
            if not isinstance(feature, dict) or feature.get("type") != "Feature":
                raise ValueError(f"feature {number} is none")
            yield feature
    elif kind == "Feature":
        yield document
    elif kind in _PARTS:
        yield {"geometry": document}
    else:
        raise ValueError(f"its type is {str(kind)[:40]!r}, not FeatureCollection")


def _district(feature: dict[str, Any]) -> dict[str, Any]:
    geometry, properties = feature.get("geometry"), feature.get("properties")
    named = properties if isinstance(properties, dict) else {}
    name = next((str(named[key]) for key in NAMES if named.get(key)), "")[:LONGEST_NAME]
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if not isinstance(geometry, dict) or kind not in _PARTS:
        known = ", ".join(_PARTS)
        raise ValueError(f"{name or 'a feature'} is a {str(kind)[:40]}; use {known}")
    lines = [_line(part, name) for part in _parts(geometry.get("coordinates"), _PARTS[kind])]
    return {"name": name, "is_area": "Polygon" in kind, "lines": lines}


_PARTS = {"Polygon": 1, "MultiPolygon": 2, "LineString": 0, "MultiLineString": 1}
"""Geometry → how deep in its coordinates the lines are."""


def _parts(coordinates: Any, depth: int) -> Iterator[Any]:
    if not isinstance(coordinates, list):
        raise ValueError("coordinates are no list")
    if depth == 0:
        yield coordinates
        return
    for part in coordinates:
        yield from _parts(part, depth - 1)


def _line(points: list[Any], name: str) -> list[tuple[float, float]]:
    return [_point(point, name) for point in points]


def _point(point: Any, name: str) -> tuple[float, float]:
    """Longitude and latitude to a millionth of a degree (0.1 m); a height is left out."""
    numbers = point[:2] if isinstance(point, list) else ()
    if len(numbers) != 2 or any(type(number) not in (int, float) for number in numbers):
        raise ValueError(f"{name or 'a feature'}: {str(point)[:40]} is no point")
    x, y = numbers
    if not (-180 <= x <= 180 and -90 <= y <= 90):
        raise ValueError(f"{name or 'a feature'}: {str(point)[:40]} is outside ±180, ±90 degrees")
    return round(x, 6), round(y, 6)
