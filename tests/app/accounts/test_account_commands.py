"""`intact user`, `intact token`, `intact audit-log`, run as they are from a shell."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from app.accounts.passwords import matches
from app.accounts.tables import AuditEntry, User
from app.config import Settings
from app.database import Database, open_database
from tests.app.shell import Run


@pytest.fixture
def opened(tmp_path: Path) -> Database:
    return open_database(Settings(data_dir=tmp_path))


def stored(database: Database, key: str) -> User:
    with database.read() as session:
        return session.scalars(select(User).where(User.key == key)).one()


def test_users(intact: Run, opened: Database) -> None:
    added = intact("user", "add", "Wang", "--role", "office", typed="correct horse battery\n")
    assert (added.returncode, added.stdout) == (0, "")
    wang = stored(opened, "wang")
    assert matches("correct horse battery", wang.password_hash)
    assert wang.must_change_password
    made_up = intact("user", "add", "li", "--role", "auditor")
    assert matches(made_up.stdout.strip(), stored(opened, "li").password_hash)
    for arguments, said in (
        (("user", "add", "wang", "--role", "office"), "taken"),
        (("user", "add", "x", "--role", "station", "--station", "S9"), "not in the register"),
        (("user", "add", "x", "--role", "station"), "station: is needed"),
        (("user", "disable", "nobody"), "no user"),
    ):
        refused = intact(*arguments)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert said in refused.stderr
    weak = intact("user", "add", "x", "--role", "office", typed="1234\n")
    assert (weak.returncode, "10 to 128" in weak.stderr) == (1, True)
    assert intact("user", "disable", "wang").returncode == 0
    listed = json.loads(intact("user", "list", "--format", "json").stdout)
    assert [(each["name"], each["state"]) for each in listed] == [
        ("li", "enabled"),
        ("Wang", "disabled"),
    ]
    reset = intact("user", "reset-password", "wang", "--generate").stdout.strip()
    assert matches(reset, stored(opened, "wang").password_hash)
    with opened.read() as session:
        entries = session.execute(select(AuditEntry.actor, AuditEntry.action)).all()
    assert [action for _, action in entries] == [
        "user.add",
        "user.add",
        "user.disable",
        "user.reset_password",
    ]
    assert {actor.partition(":")[0] for actor, _ in entries} == {"shell"}


def test_tokens_and_the_log(intact: Run, tmp_path: Path) -> None:
    added = intact("token", "add", "grafana", "--role", "supervisor", "--days", "30")
    assert added.stdout.startswith("intact_")
    assert "ends at" in added.stderr
    intact("token", "revoke", "1")
    (token,) = json.loads(intact("token", "list", "--format", "json").stdout)
    assert (token["name"], token["revoked_at"] is None) == ("grafana", False)
    assert added.stdout.strip() not in intact("token", "list").stdout
    register = tmp_path / "register.csv"
    register.write_text("code,name,address\nC1,Gate,10.0.0.1\n")
    intact("import", "devices", str(register), "--dry-run")
    intact("import", "devices", str(register))
    entries = json.loads(intact("audit-log", "list", "--format", "json").stdout)
    assert [each["action"] for each in entries] == ["devices.import", "token.revoke", "token.add"]
    assert (entries[0]["subject"], entries[0]["details"]["inserted"]) == ("register.csv", 1)
    verified = intact("audit-log", "verify")
    assert verified.stdout.startswith("3 entries from 1 on, unbroken.")
