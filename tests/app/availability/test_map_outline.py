"""The operator's outline: what is taken, what is refused and why."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.availability import map_outline
from app.availability.map_outline import read_outline
from app.availability.map_pages import A_DAY_S
from app.config import Settings
from app.database import Database
from app.errors import ConfigurationError
from app.main import create_app
from tests.app.asking import Asker

RING = [[113.1, 23.1], [113.2, 23.1, 7.5], [113.2, 23.2], [113.1, 23.1]]


def feature(kind: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "properties": properties or None, "geometry": geometry}


def written(folder: Path, document: Any) -> Path:
    path = folder / "outline.geojson"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


@pytest.mark.parametrize(
    ("given", "lines", "is_area"),
    [
        (feature("Polygon", [RING]), 1, True),
        (feature("MultiPolygon", [[RING], [RING, RING]]), 3, True),
        (feature("LineString", RING), 1, False),
        (feature("MultiLineString", [RING, RING]), 2, False),
        (feature("Polygon", [RING])["geometry"], 1, True),
    ],
)
@pytest.mark.parametrize("in_collection", [False, True])
def test_lines_of_every_kind(
    tmp_path: Path, given: dict[str, Any], lines: int, is_area: bool, in_collection: bool
) -> None:
    if in_collection and given["type"] == "Feature":
        given = {"type": "FeatureCollection", "features": [given]}
    (district,) = json.loads(read_outline(written(tmp_path, given)).body)["districts"]
    assert len(district["lines"]) == lines
    assert district["is_area"] is is_area
    assert district["lines"][0][1] == [113.2, 23.1]


@pytest.mark.parametrize("key", ["name", "NAME", "名称"])
def test_names(tmp_path: Path, key: str) -> None:
    path = written(tmp_path, feature("Polygon", [RING], **{key: "北片区" * 50}))
    (district,) = json.loads(read_outline(path).body)["districts"]
    assert district["name"] == ("北片区" * 50)[:64]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ("{", "cannot be used"),
        ("[" * 100_000, "cannot be used"),
        ([], "not FeatureCollection"),
        ({"type": "Topology"}, "Topology"),
        ({"type": "FeatureCollection"}, "no list of features"),
        ({"type": "FeatureCollection", "features": [3]}, "feature 1 is none"),
        ({"type": "FeatureCollection", "features": []}, "has no lines"),
        (feature("Point", [1, 2]), "is a Point; use Polygon"),
        (feature("Polygon", "x"), "no list"),
        (feature("Polygon", [[["1", 2]]], name="East"), "East.*no point"),
        (feature("Polygon", [[[True, 2]]]), "no point"),
        (feature("Polygon", [[[12_600_000.0, 2_600_000.0]]]), "outside.*WGS 84"),
        (feature("Polygon", [[[float("nan"), 2]]]), "outside"),
        (feature("LineString", [[1, 2]] * 50_001), "50001 points"),
        (feature("LineString", RING, name="x" * 4_200_000), "larger than 4 MB"),
    ],
)
def test_what_is_refused(tmp_path: Path, document: Any, problem: str) -> None:
    path = written(tmp_path, document)
    with pytest.raises(ConfigurationError, match=f"map_outline: {path} .*{problem}"):
        read_outline(path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"gone\.json cannot be read .*check path"):
        read_outline(tmp_path / "gone.json")
    other = tmp_path / "latin.json"
    other.write_bytes(b'{"name": "\xe9"}')
    with pytest.raises(ConfigurationError, match="save it as UTF-8"):
        read_outline(other)


def test_it_is_served_under_the_map(database: Database, tmp_path: Path) -> None:
    path = written(tmp_path, feature("Polygon", [RING], name="East"))
    settings = Settings(data_dir=tmp_path, map_outline=path)
    answer = Asker(create_app(settings, database)).get("/map/outline.json")
    assert answer.json()["districts"][0]["name"] == "East"
    assert answer.headers["Cache-Control"] == f"private, max-age={A_DAY_S}"
    without = Asker(create_app(Settings(data_dir=tmp_path), database))
    assert without.get("/map/outline.json").status_code == 404


def test_a_wrong_one_ends_the_start(database: Database, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, map_outline=written(tmp_path, "[]"))
    with pytest.raises(ConfigurationError, match=map_outline.SETTING):
        create_app(settings, database)
