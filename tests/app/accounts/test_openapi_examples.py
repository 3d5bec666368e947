"""Requests invented from the OpenAPI document, as each role: whatever comes, no answer is a 5xx."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.core.result import Ok

from app.accounts.caller import Caller
from app.accounts.permissions import Role, permissions_of
from app.accounts.reach import Reach
from app.config import Settings
from app.database import Database
from app.main import create_app
from tests.app.asking import Asker
from tests.app.availability.district import REGISTER, SLOT_S, District

EXAMPLES = 6
REACHES = {
    Role.STATION: Reach(station="North"),
    Role.CONTRACTOR: Reach(contractor="Alpha"),
}
SHORT = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def application(database: Database, tmp_path: Path) -> FastAPI:
    """A district with a register, so that some of what is asked for is there."""
    chosen = Settings(data_dir=tmp_path, poll_interval=SLOT_S)
    District(database, chosen, tmp_path).register(REGISTER)
    return create_app(chosen, database)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("role", Role)
def test_no_request_makes_it_fail(application: FastAPI, role: Role) -> None:
    reach = REACHES.get(role, Reach())
    caller = Caller(role.value, permissions_of(role), reach, "10.0.0.7", role)
    asker = Asker(application, caller)
    answered: Counter[int] = Counter()
    for found in schemathesis.openapi.from_dict(application.openapi()).get_all_operations():
        assert isinstance(found, Ok), found
        _ask(asker, found.ok().as_strategy(), answered)
    assert answered[200] > 0, "some requests must get through"


def _ask(asker: Asker, cases: Any, answered: Counter[int]) -> None:
    @SHORT
    @given(cases)
    def fails_never(case: Case[Any]) -> None:
        request = case.as_transport_kwargs(base_url="http://intact")
        request.pop("cookies", None)
        answer = asker.ask(request.pop("method"), request.pop("url"), **_for_httpx(request))
        answered[answer.status_code] += 1
        assert answer.status_code < 500, (case.method, case.path, request, answer.text)

    fails_never()


def _for_httpx(request: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in request.items() if value is not None}
