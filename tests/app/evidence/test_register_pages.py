"""The register's pages over HTTP: forms, names, and an import by upload from file to device."""

import re
import stat
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.accounts.audit_queries import newest_of
from app.accounts.guard import SESSION_COOKIE
from app.accounts.permissions import Role
from app.accounts.secrets import form_token_of
from app.config import Settings
from app.database import Database
from app.evidence import uploads
from app.fleet.queries import Selection, read_device, read_devices
from app.fleet.secrets import Secrets
from app.main import create_app
from tests.app.accounts.people import signed_in
from tests.app.asking import Asker

HTML = {"accept": "text/html", "accept-language": "en"}
CAMERA = {"code": "C1", "name": "Gate", "kind": "camera", "address": "10.0.0.1", "station": "North"}
GOOD = "code,name,address,station\nC1,Gate,10.0.0.1,North\nC2,Yard,10.0.0.2,North\n"


class Admin:
    """The system administrator's browser."""

    def __init__(self, settings: Settings, database: Database, name: str = "admin") -> None:
        application = create_app(settings, database)
        self._person = signed_in(application, database, Role.SYSTEM_ADMIN, name=name)
        self._headers = {**HTML, "cookie": f"{SESSION_COOKIE}={self._person.secret}"}
        self._asker = Asker(application, caller=None)

    def get(self, path: str) -> httpx.Response:
        return self._asker.ask("GET", path, headers=self._headers)

    def post(
        self, path: str, fields: dict[str, str] | None = None, **options: Any
    ) -> httpx.Response:
        data = {"form_token": form_token_of(self._person.secret)} | (fields or {})
        return self._asker.ask("POST", path, data=data, headers=self._headers, **options)

    def upload(self, content: str | bytes, name: str = "r.csv", what: str = "devices") -> str:
        """The address of the preview."""
        answer = self.post("/register/import", {"what": what}, files={"file": (name, content)})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def shown(self, path: str) -> str:
        """The stamp in the form of a page."""
        found = re.search(r'name="shown" value="([^"]*)"', self.get(path).text)
        assert found is not None
        return found[1]


@pytest.fixture
def admin(settings: Settings, database: Database) -> Admin:
    return Admin(settings, database)


def _actions(database: Database, *actions: str) -> list[Any]:
    with database.read() as session:
        return list(newest_of(session, actions, 10))


def test_a_device_is_added_with_its_password(
    admin: Admin, database: Database, settings: Settings
) -> None:
    fields = {**CAMERA, "critical": "true", "password": "opens doors"}
    answer = admin.post("/register/devices/new", fields)
    assert answer.headers["location"] == "/register/devices/C1/edit?saved=inserted"
    with database.read() as session:
        stored = read_device(session, "C1")
    assert (stored.record.critical, stored.record.port, stored.record.tls) == (True, 80, False)
    assert stored.password_encrypted is not None
    assert Secrets(settings).decrypt(stored.password_encrypted) == "opens doors"
    assert "opens doors" not in admin.get(answer.headers["location"]).text
    (entry,) = _actions(database, "device.add")
    assert entry.details["name"] == "– → Gate"
    assert "opens doors" not in str(entry.details)


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(
    admin: Admin, database: Database
) -> None:
    fields = {**CAMERA, "port": "99999", "longitude": "500", "vendor": "ACME"}
    answer = admin.post("/register/devices/new", fields)
    assert answer.status_code == 422
    assert 'id="port-fault">is no port; write a whole number' in answer.text
    assert "2 fields are wrong" in answer.text
    assert 'value="99999"' in answer.text
    assert 'value="ACME"' in answer.text
    with database.read() as session:
        assert list(read_devices(session, Selection())) == []


def test_an_empty_password_keeps_the_one_that_is_there(admin: Admin, database: Database) -> None:
    admin.post("/register/devices/new", {**CAMERA, "password": "secret"})
    page = "/register/devices/C1/edit"
    answer = admin.post(page, {**CAMERA, "name": "Door", "shown": admin.shown(page)})
    assert answer.headers["location"].endswith("saved=updated")
    with database.read() as session:
        stored = read_device(session, "C1")
    assert stored.record.name == "Door"
    assert stored.password_encrypted is not None
    (entry,) = _actions(database, "device.change")
    assert entry.details == {"name": "Gate → Door"}


def test_of_two_who_edit_the_second_is_told(admin: Admin, database: Database) -> None:
    admin.post("/register/devices/new", CAMERA)
    page = "/register/devices/C1/edit"
    seen = admin.shown(page)
    assert admin.post(page, {**CAMERA, "name": "First", "shown": seen}).status_code == 303
    second = admin.post(page, {**CAMERA, "name": "Second", "shown": seen})
    assert second.status_code == 409
    assert "somebody else has changed this device" in second.text
    assert 'value="Second"' in second.text
    with database.read() as session:
        assert read_device(session, "C1").record.name == "First"


def test_a_new_device_never_replaces_one_that_is_there(admin: Admin, database: Database) -> None:
    admin.post("/register/devices/new", CAMERA)
    again = admin.post("/register/devices/new", {**CAMERA, "name": "Other"})
    assert again.status_code == 422
    assert 'id="code-fault">is in the register already' in again.text


def test_a_station_gets_another_name_and_keeps_its_code(admin: Admin, database: Database) -> None:
    admin.post("/register/devices/new", CAMERA)
    page = "/register/stations"
    answer = admin.post(f"{page}/North", {"name": "Northern", "shown": "North"})
    assert answer.headers["location"] == f"{page}?saved=North"
    late = admin.post(f"{page}/North", {"name": "Nord", "shown": "North"})
    assert late.status_code == 409
    assert admin.post(f"{page}/North", {"name": "", "shown": "Northern"}).status_code == 422
    assert admin.post(f"{page}/South", {"name": "x", "shown": ""}).status_code == 404
    assert 'value="Northern"' in admin.get(page).text
    assert [each.details for each in _actions(database, "station.rename")] == [
        {"from": "North", "to": "Northern"}
    ]


def test_an_upload_is_previewed_then_imported_then_gone(
    admin: Admin, database: Database, settings: Settings
) -> None:
    address = admin.upload(GOOD)
    (folder,) = (settings.data_dir / "uploads").iterdir()
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    page = admin.get(address).text
    assert "Import 2 rows" in page
    assert "10.0.0.2" in page
    with database.read() as session:
        assert list(read_devices(session, Selection())) == []
    assert "has been imported" in admin.post(address).text
    with database.read() as session:
        assert len(list(read_devices(session, Selection()))) == 2
    assert list((settings.data_dir / "uploads").iterdir()) == []
    assert admin.post(address).status_code == 404
    (entry,) = _actions(database, "devices.import")
    assert (entry.actor, entry.subject, entry.details["inserted"]) == ("admin", "r.csv", 2)


def test_every_mistake_is_shown_and_good_rows_can_be_taken(
    admin: Admin, database: Database, settings: Settings
) -> None:
    bad = GOOD + "C3,Bad,10.0.0.999,North\nC4,,10.0.0.4,North\n"
    address = admin.upload(bad.encode("gb18030"))
    page = admin.get(address).text
    assert "is no IPv4 or IPv6 address" in page
    assert "must not be empty" in page
    assert "Import the 2 good rows" in page
    assert "has been imported" in admin.post(address, {"skip": "true"}).text
    with database.read() as session:
        codes = [each.record.code for each in read_devices(session, Selection())]
    assert codes == ["C1", "C2"]
    assert list((settings.data_dir / "uploads").iterdir()) == []


def test_bad_rows_are_not_left_out_unasked(admin: Admin, database: Database) -> None:
    answer = admin.post(admin.upload(GOOD + "C3,Bad,10.0.0.999,North\n"))
    assert answer.status_code == 422
    with database.read() as session:
        assert list(read_devices(session, Selection())) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"colour,size\n1,2\n", "unknown header"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(64), "old Excel file"),
        (b"<html></html>", "is a web page"),
        (b"", "there is no header"),
    ],
)
def test_a_file_that_is_none_says_so_and_is_gone(
    admin: Admin, settings: Settings, content: bytes, told: str
) -> None:
    answer = admin.get(admin.upload(content, "my file.xlsx"))
    assert answer.status_code == 422
    assert told in answer.text
    assert str(settings.data_dir) not in answer.text
    assert list((settings.data_dir / "uploads").iterdir()) == []


def test_suspensions_are_uploaded_too(admin: Admin) -> None:
    admin.post(admin.upload(GOOD))
    text = "device_code,from,to,reason,approved_by\nC1,2026-01-01,,road works,Chief\n"
    address = admin.upload(text, what="suspensions")
    page = admin.get(address).text
    assert "road works" in page
    assert "Import 1 row" in page
    assert "has been imported" in admin.post(address).text


def test_an_upload_is_for_its_owner_and_for_an_hour(
    admin: Admin, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = admin.upload(GOOD)
    other = Admin(settings, database, "other")
    assert other.get(address).status_code == 404
    assert other.post(address).status_code == 404
    assert admin.get(address).status_code == 200
    monkeypatch.setattr(uploads, "KEPT_S", -60)
    assert admin.get(address).status_code == 404


@pytest.mark.parametrize("name", ["../../x.csv", "/etc/passwd", "C:\\x.csv", "..", "a\x00b.csv"])
def test_no_name_leads_out_of_its_folder(admin: Admin, settings: Settings, name: str) -> None:
    with Path("/dev/null").open("rb") as nothing:
        kept = uploads.keep(settings, nothing, "admin", "devices", name, "", 4_000)
    _, file = uploads.find(settings, kept.id, "admin", 4_000)
    assert file.parent == settings.data_dir / "uploads" / kept.id


def test_too_large_a_file_is_refused(admin: Admin, settings: Settings) -> None:
    content = b"x" * (uploads.LARGEST_UPLOAD + 1)
    answer = admin.post("/register/import", {"what": "devices"}, files={"file": ("x.csv", content)})
    assert answer.status_code == 413
    assert "16 MiB" in answer.text
    assert not (settings.data_dir / "uploads").exists()


@pytest.mark.parametrize("what", ["devices", "suspensions"])
def test_templates_are_workbooks(admin: Admin, what: str) -> None:
    answer = admin.get(f"/register/templates/{what}")
    assert answer.content.startswith(b"PK")
    assert f"{what}.xlsx" in answer.headers["content-disposition"]


def test_a_form_from_elsewhere_changes_nothing(admin: Admin, database: Database) -> None:
    answer = admin.post("/register/devices/new", {**CAMERA, "form_token": "forged"})
    assert answer.status_code == 403
    answer = admin.post("/register/import", {"form_token": "forged"}, files={"file": ("x", b"x")})
    assert answer.status_code == 403
