"""When the collector's jobs last ran, and the pages that say so."""

import pytest
from sqlalchemy.exc import OperationalError

from app.accounts.permissions import Role
from app.config import Settings
from app.database import Database
from app.evidence.heartbeat import begin_run
from app.evidence.job_log import JobFailed, JobLog, JobOutcome, job_states
from app.main import create_app
from tests.app.accounts.people import signed_in


def _away() -> OperationalError:
    return OperationalError("SELECT 1", {}, Exception("the server has gone"))


@pytest.mark.parametrize(
    ("error", "outcome", "detail"),
    [
        (None, JobOutcome.DONE, ""),
        (JobFailed("exit code 1"), JobOutcome.FAILED, "exit code 1"),
        (_away(), JobOutcome.PUT_OFF, ""),
    ],
)
def test_how_a_run_ended(
    database: Database, error: Exception | None, outcome: JobOutcome, detail: str
) -> None:
    jobs = JobLog()
    with jobs.noted("sweep"):
        jobs.write(database, {"sweep": 60})
        with database.read() as session:
            (state,) = job_states(session)
            assert (state.outcome, state.ended_at, state.next_at) == ("running", None, 60)
        if error is not None:
            raise error
    jobs.write(database, {"sweep": 120})
    with database.read() as session:
        (state,) = job_states(session)
    assert (state.outcome, state.detail, state.next_at) == (outcome.value, detail, 120)
    assert state.ended_at is not None
    assert state.ended_at >= state.started_at


def test_a_defect_is_noted_and_not_hidden(database: Database) -> None:
    jobs = JobLog()
    with pytest.raises(KeyError), jobs.noted("ledger"):
        raise KeyError("x" * 500)
    jobs.write(database, {})
    with database.read() as session:
        (state,) = job_states(session)
    assert state.outcome == "failed"
    assert state.detail.startswith("KeyError: ")
    assert len(state.detail) == 256


def test_a_job_that_never_ran_is_not_there(database: Database) -> None:
    JobLog().write(database, {"night": 60})
    with database.read() as session:
        assert job_states(session) == []


def test_pages_and_rest_tell_of_it(database: Database, settings: Settings) -> None:
    begin_run(database, 1_000)
    jobs = JobLog()
    with jobs.noted("night"):
        pass
    jobs.write(database, {"night": 4_000_000_000})
    office = signed_in(create_app(settings, database), database, Role.OFFICE)
    (job,) = office.get("/api/v1/jobs", accept="application/json").json()["jobs"]
    assert (job["job"], job["outcome"]) == ("night", "done")
    page = office.get("/jobs?lang=en").text
    assert "Night's upkeep" in page
    assert "2096-10-02" in page
    assert "silent" in office.get("/collectors?lang=en").text
