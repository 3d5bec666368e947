"""The dashboard and the alert rules that we ship ask for metrics that there are."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from app.availability.metrics import exposition
from kpi.status import Status
from tests.app.availability.district import District
from tests.app.availability.test_instant import TICK_TIME, sweep

DEPLOY = Path(__file__).parents[3] / "deploy"


def dashboard() -> str:
    board = json.loads((DEPLOY / "grafana" / "intact.json").read_text())
    return "\n".join(target["expr"] for panel in board["panels"] for target in panel["targets"])


def rules() -> str:
    text = (DEPLOY / "prometheus" / "intact.rules.yml").read_text()
    return "\n".join(re.findall(r"expr: (.*)", text))


@pytest.mark.parametrize("expressions", [dashboard, rules])
def test_what_is_asked_for_is_told(district: District, expressions: Callable[[], str]) -> None:
    tick = district.at(TICK_TIME)
    sweep(district, tick, C1=Status.INTACT, C2=Status.TIMEOUT)
    body, _ = exposition(district.database, district.settings, tick + 60)
    told = set(re.findall(r"^(\w+)[ {]", body.decode(), re.M))
    asked = set(re.findall(r"\bintact_\w+", expressions()))
    assert asked
    assert asked <= told
