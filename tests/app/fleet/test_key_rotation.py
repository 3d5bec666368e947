"""A new key: every password opens before, during and after, whatever is killed in between."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from app.config import Settings
from app.database import Database
from app.errors import Refused
from app.fleet import key_rotation
from app.fleet.key_rotation import rotate_key
from app.fleet.secrets import KEY_FILE, Secrets, WrongKey
from app.fleet.targets import sweep_targets
from tests.app.fleet.imported import TODAY, Register

REGISTER = """code,name,address,username,password
C1,one,10.0.0.1,admin,hunter2
C2,two,10.0.0.2,admin,密码
C3,three,10.0.0.3,,
"""


def passwords(database: Database, settings: Settings) -> list[str]:
    with database.read() as session:
        return [target.password for target in sweep_targets(session, settings, TODAY)]


def new_key() -> str:
    return Fernet.generate_key().decode()


@pytest.fixture
def registered(database: Database, settings: Settings, tmp_path: Path) -> Database:
    Register(database, settings, tmp_path).load(REGISTER)
    return database


def test_the_key_file_holds_a_new_key_alone(registered: Database, settings: Settings) -> None:
    file = settings.data_dir / KEY_FILE
    former = file.read_text()
    assert rotate_key(registered, settings) == 2
    assert file.read_text() != former
    assert len(file.read_text().split()) == 1
    assert passwords(registered, settings) == ["hunter2", "密码", ""]
    file.write_text(former)
    assert passwords(registered, settings) == ["", "", ""]  # the old key opens none any more


@pytest.mark.parametrize("step", ["stored_passwords", "update_devices"])
def test_what_is_killed_in_between_is_ended_by_another_run(
    registered: Database, settings: Settings, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(key_rotation, step, killed)
        with pytest.raises(KeyboardInterrupt):
            rotate_key(registered, settings)
    assert passwords(registered, settings) == ["hunter2", "密码", ""]
    assert rotate_key(registered, settings) == 2
    assert passwords(registered, settings) == ["hunter2", "密码", ""]
    assert len((settings.data_dir / KEY_FILE).read_text().split()) == 1


def test_a_key_of_the_settings_is_changed_by_hand(database: Database, tmp_path: Path) -> None:
    old, new = new_key(), new_key()

    def with_keys(*keys: str) -> Settings:
        return Settings(data_dir=tmp_path, secret_key=SecretStr(",".join(keys)))

    Register(database, with_keys(old), tmp_path).load(REGISTER)
    with pytest.raises(Refused, match="Put the new one before it"):
        rotate_key(database, with_keys(old))
    assert passwords(database, with_keys(new, old)) == ["hunter2", "密码", ""]
    assert rotate_key(database, with_keys(new, old)) == 2
    assert passwords(database, with_keys(new)) == ["hunter2", "密码", ""]
    assert passwords(database, with_keys(old)) == ["", "", ""]


def test_a_password_that_does_not_open_stops_it(registered: Database, settings: Settings) -> None:
    file = settings.data_dir / KEY_FILE
    former = file.read_text()
    file.write_text(new_key())
    with pytest.raises(WrongKey):
        rotate_key(registered, settings)
    file.write_text(former)
    assert passwords(registered, settings) == ["hunter2", "密码", ""]


def test_without_a_key_there_is_nothing_to_do(database: Database, settings: Settings) -> None:
    assert rotate_key(database, settings) == 0
    assert not (settings.data_dir / KEY_FILE).exists()
    assert Secrets(settings).decrypt(Secrets(settings).encrypt("x")) == "x"
