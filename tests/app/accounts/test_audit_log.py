"""The log: what stands in it stays, what was changed is found, what is old may go."""

import threading
import time

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError

from app.accounts import audit
from app.accounts.audit import DAY_S, Actor, record, verify
from app.accounts.permissions import Role
from app.accounts.tables import AuditEntry
from app.accounts.upkeep import tidy
from app.config import Settings
from app.database import Database
from app.errors import Refused
from tests.app.accounts.people import signed_in

WANG = Actor("wang", "10.0.0.7")
NOW = int(time.time())


def write(database: Database, *instants: int) -> None:
    for at in instants:
        with database.write() as session:
            record(session, WANG, "devices.import", "register.csv", at, {"inserted": 3, "名": "甲"})


def checked(database: Database) -> audit.Verified:
    with database.read() as session:
        return verify(session)


def test_a_chain_holds(database: Database) -> None:
    assert checked(database).entries == 0
    write(database, NOW - 2, NOW - 1, NOW)
    held = checked(database)
    assert (held.entries, held.first_id) == (3, 1)
    assert len(held.last_hash) == 64


def test_what_fails_leaves_no_entry(database: Database) -> None:
    def fail() -> None:
        with database.write() as session:
            record(session, WANG, "x", "y", NOW)
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        fail()
    assert checked(database).entries == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET actor = 'li' WHERE id = 2",
        "DELETE FROM audit_entry WHERE id = 2",
        "DELETE FROM audit_entry",
    ],
)
def test_the_database_refuses_to_change_it(database: Database, statement: str) -> None:
    write(database, NOW, NOW, NOW)
    with (
        pytest.raises(DatabaseError, match="audit log"),
        database.write() as session,
    ):
        session.execute(text(statement))
    assert checked(database).entries == 3


def _tamper(database: Database, statement: str) -> None:
    """Change the log as somebody who owns the database could do."""
    with database.write() as session:
        if database.is_sqlite:
            for name in ("audit_entry_stays", "audit_entry_is_kept"):
                session.execute(text(f"DROP TRIGGER {name}"))
        else:
            session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit_entry SET actor = 'li' WHERE id = 2", "changed at entry 2"),
        ("UPDATE audit_entry SET at = at - 1 WHERE id = 3", "changed at entry 3"),
        ("UPDATE audit_entry SET details = '{}' WHERE id = 1", "changed at entry 1"),
        ("DELETE FROM audit_entry WHERE id = 2", "entry 2 is missing"),
        ("DELETE FROM audit_entry WHERE id = 1", "entry 1 is missing"),
        ("DELETE FROM audit_entry WHERE id = 3", "ends at entry 2; it had 3"),
    ],
)
def test_a_change_is_found(database: Database, statement: str, said: str) -> None:
    write(database, NOW, NOW, NOW)
    _tamper(database, statement)
    with pytest.raises(Refused, match=said):
        checked(database)


def test_old_entries_go_and_the_rest_still_holds(database: Database, settings: Settings) -> None:
    old, young = NOW - 400 * DAY_S, NOW - 200 * DAY_S
    write(database, old, old + 1, young, NOW)
    tidy(database, settings, NOW)
    with database.read() as session:
        assert session.scalars(select(AuditEntry.id).order_by(AuditEntry.id)).all() == [3, 4, 5]
        last = session.get_one(AuditEntry, 5)
        assert (last.action, last.details) == ("audit.purge", {"through": 2})
    assert checked(database).entries == 3
    tidy(database, settings, NOW)
    assert checked(database).entries == 3


def test_nothing_of_the_last_180_days_goes(database: Database) -> None:
    write(database, NOW - 179 * DAY_S, NOW)
    with database.write() as session:
        assert audit.purge(session, NOW, days=1) == 0
    assert checked(database).entries == 2


def test_an_old_entry_behind_a_younger_one_stays(database: Database) -> None:
    """The clock went back: what goes is the beginning of the chain, never its middle."""
    write(database, NOW - 10, NOW - 400 * DAY_S, NOW)
    with database.write() as session:
        assert audit.purge(session, NOW, days=200) == 0


def test_a_broken_chain_is_not_purged(database: Database) -> None:
    write(database, NOW - 400 * DAY_S, NOW - 399 * DAY_S, NOW)
    _tamper(database, "UPDATE audit_entry SET actor = 'li' WHERE id = 1")
    with pytest.raises(Refused), database.write() as session:
        audit.purge(session, NOW, days=200)


def test_writers_at_the_same_time_make_one_chain(database: Database) -> None:
    def many() -> None:
        write(database, *[NOW] * 5)

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert checked(database).entries == 20


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_auditor_reads_it(application: FastAPI, database: Database) -> None:
    write(database, NOW - 3 * DAY_S, NOW)
    with database.write() as session:
        record(session, Actor("shell:root"), "user.add", "<li>", NOW)
    auditor = signed_in(application, database, Role.AUDITOR)

    def ask(query: str) -> list[int]:
        answer = auditor.send("GET", f"/api/v1/audit?{query}").json()
        return [each["id"] for each in answer["items"]]

    assert ask("") == [3, 2, 1]
    assert ask("action=user.") == [3]
    assert ask("actor=wang") == [2, 1]
    assert ask("subject=register.csv&page=2&page_size=1") == [1]
    assert ask("from=2999-01-01") == []
    assert ask("to=2999-01-01") == [3, 2, 1]
    assert auditor.send("GET", "/api/v1/audit?from=0001-01-01").status_code == 422
    page = auditor.get("/audit?action=user.&from=&to=&lang=en").text
    assert "&lt;li&gt;" in page
    assert "register.csv" not in page
    assert "1 entry" in page
    with database.read() as session:
        assert session.scalars(select(func.count(AuditEntry.id))).one() == 3, "reading leaves none"
