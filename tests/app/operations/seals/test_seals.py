"""A seal as people see it: the message about it, REST, the commands, the month's figures."""

import json
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.audit import Actor
from app.accounts.audit_queries import audit_head
from app.accounts.caller import Caller
from app.accounts.permissions import Role, permissions_of
from app.availability.periods import monthly
from app.availability.selection import Filters
from app.config import Settings
from app.database import Database, open_database
from app.evidence.sealing.sealing import amend_month, seal_month
from app.evidence.sealing.tables import MonthAmendment, MonthSeal
from app.fleet.roster import Grouping
from app.main import create_app
from app.operations.delivery.recipients import Wish, add_recipient
from app.operations.delivery.tables import Channel, Notification, Recipient, Severity, Topics
from app.operations.seals.telling import tell_of_seal
from app.web.language import Language
from tests.app.asking import Asker
from tests.app.evidence.month_of_evidence import (
    INTERVAL_S,
    MONTH,
    MonthOfEvidence,
    month_of_evidence,
)
from tests.app.shell import shell

ACTOR = Actor("office")
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
WHY = "a tenth of the evidence is missing"


@pytest.fixture
def made(database: Database, tmp_path: Path) -> MonthOfEvidence:
    settings = Settings(data_dir=tmp_path, poll_interval=INTERVAL_S)
    return month_of_evidence(database, settings, seed=1)


def tell(settings: Settings, session: Session, seal: MonthSeal) -> None:
    tell_of_seal(session, settings, seal)


def sealed(made: MonthOfEvidence) -> MonthSeal:
    return seal_month(
        made.database,
        made.settings,
        MONTH,
        ACTOR,
        made.later,
        forced=WHY,
        on_sealed=partial(tell, made.settings),
    )


def add(made: MonthOfEvidence, name: str, topics: Topics) -> None:
    url = "http://127.0.0.1:1/"
    wish = Wish(name, Channel.WEBHOOK, Language.CHINESE, Severity.INFO, topics=topics, address=url)
    with made.database.write() as session:
        add_recipient(session, made.settings, wish, ACTOR, made.later)


def told(made: MonthOfEvidence) -> dict[str, Notification]:
    with made.database.read() as session:
        query = select(Recipient.name, Notification).join(
            Notification, Notification.recipient_id == Recipient.id
        )
        return dict(session.execute(query).all())


def test_hash_and_head_go_to_those_who_want_seals(made: MonthOfEvidence) -> None:
    for topics in Topics:
        add(made, topics.value, topics)
    with made.database.read() as session:
        head = audit_head(session).last_hash
    seal = sealed(made)
    messages = told(made)
    assert set(messages) == {"all", "seals"}
    body = messages["seals"].body
    assert (body["sha256"], body["audit_head"]) == (seal.sha256, head)
    for language in Language:
        assert seal.sha256 in body["summary"][language.value]
        assert head in body["summary"][language.value]
    assert body["summary"]["zh"].startswith(f"{MONTH} 已由 office")


@ON_SQLITE
def test_the_months_figures_say_under_which_seal_they_stand(made: MonthOfEvidence) -> None:
    def shown() -> tuple[bool, int | None, str | None]:
        document = monthly(
            made.database, made.settings, MONTH, Grouping.FLEET, Filters(), made.later + 100_000
        )
        return document.sealed, document.version, document.manifest_sha256

    assert shown() == (False, None, None)
    first = sealed(made)
    assert shown() == (True, 1, first.sha256)
    with made.database.write() as session:
        session.add(MonthAmendment(month=str(MONTH), begun_at=made.later, begun_by="x", reason="y"))
    assert shown() == (False, None, None)
    second = amend_month(
        made.database, made.settings, MONTH, ACTOR, made.later + 1, "late", forced=True
    )
    assert shown() == (True, 2, second.sha256)


@ON_SQLITE
@pytest.mark.parametrize(
    ("role", "status"), [(Role.AUDITOR, 200), (Role.SUPERVISOR, 200), (Role.STATION, 403)]
)
def test_versions_and_manifests_by_rest(made: MonthOfEvidence, role: Role, status: int) -> None:
    seal = sealed(made)
    caller = Caller(role.value, permissions_of(role), role=role)
    asker = Asker(create_app(made.settings, made.database), caller)
    listed = asker.ask("GET", "/api/v1/seals")
    assert listed.status_code == status
    if status != 200:
        return
    (item,) = listed.json()["seals"]
    assert (item["month"], item["version"], item["sha256"]) == (str(MONTH), 1, seal.sha256)
    whole = asker.ask("GET", f"/api/v1/seals/{MONTH}/1").json()
    assert whole["manifest"] == json.loads(seal.manifest)
    assert asker.ask("GET", f"/api/v1/seals/{MONTH}/2").status_code == 404
    assert asker.ask("GET", "/api/v1/seals/2026-13/1").status_code == 422
    assert asker.ask("GET", "/api/v1/seals/0000-10/1").status_code == 422
    assert asker.ask("GET", "/api/v1/seals/\u0662\u0660\u0662\u0666-10/1").status_code == 422


def test_a_month_is_sealed_amended_and_listed_by_command(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, poll_interval=INTERVAL_S)
    with closing(open_database(settings)) as database:
        month_of_evidence(database, settings, seed=1)
    intact = shell(tmp_path, POLL_INTERVAL=str(INTERVAL_S))
    month = ("--month", str(MONTH))
    refused = intact("seal", *month)
    assert refused.returncode == 1
    assert "say why by --force" in refused.stderr
    done = intact("seal", *month, "--force", WHY)
    assert (done.returncode, done.stdout[:7]) == (0, "sha256 ")
    assert "is sealed as version 1" in done.stderr
    assert "Nobody is told of this seal" in done.stderr
    assert "change it by `intact amend" in intact("seal", *month).stderr
    assert intact("amend", *month, "--reason", "late evidence", "--force").returncode == 0
    rows = json.loads(intact("seals", "--format", "json").stdout)
    assert [(row["version"], row["reason"]) for row in rows] == [(1, WHY), (2, "late evidence")]


@ON_SQLITE
def test_the_page_and_the_workbook_say_it_too(made: MonthOfEvidence) -> None:
    seal = sealed(made)
    caller = Caller("office", permissions_of(Role.OFFICE), role=Role.OFFICE)
    asker = Asker(create_app(made.settings, made.database), caller)
    page = asker.ask("GET", f"/months?month={MONTH}&lang=en").text
    assert "sealed as version 1" in page
    assert seal.sha256[:16] in page
    assert seal.sha256 in asker.ask("GET", f"/months.csv?month={MONTH}").text
