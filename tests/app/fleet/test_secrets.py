import os
import stat
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from app.config import Settings
from app.errors import ConfigurationError
from app.fleet.secrets import KEY_FILE, Secrets, WrongKey


def encrypt_in(folder: Path) -> bytes:
    return Secrets(Settings(data_dir=folder)).encrypt("hunter2")


def test_a_password_comes_back(settings: Settings) -> None:
    stored = Secrets(settings).encrypt("密码 hunter2")
    assert b"hunter2" not in stored
    assert Secrets(settings).decrypt(stored) == "密码 hunter2"


def test_the_key_file_is_for_its_owner_alone(settings: Settings) -> None:
    before = os.umask(0)
    try:
        Secrets(settings).encrypt("x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((settings.data_dir / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in settings.data_dir.iterdir()] == [KEY_FILE]


def test_the_configured_key_needs_no_file(tmp_path: Path) -> None:
    key = SecretStr(Fernet.generate_key().decode())
    configured = Settings(data_dir=tmp_path / "data", secret_key=key)
    assert Secrets(configured).decrypt(Secrets(configured).encrypt("x")) == "x"
    assert not (tmp_path / "data").exists()


def test_processes_that_start_together_end_with_one_key(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with ProcessPoolExecutor(4, mp_context=get_context("forkserver")) as pool:
        stored = list(pool.map(encrypt_in, [folder] * 16))
    secrets = Secrets(Settings(data_dir=folder))
    assert {secrets.decrypt(each) for each in stored} == {"hunter2"}
    assert [path.name for path in folder.iterdir()] == [KEY_FILE]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_file_open_to_others_is_refused(settings: Settings, mode: int) -> None:
    stored = Secrets(settings).encrypt("x")
    file = settings.data_dir / KEY_FILE
    file.chmod(mode)
    for use in (lambda: Secrets(settings).encrypt("x"), lambda: Secrets(settings).decrypt(stored)):
        with pytest.raises(ConfigurationError, match=f"mode 0{mode:o}.*; chmod 600 {file}"):
            use()


def test_a_damaged_key_file_is_named(settings: Settings) -> None:
    file = settings.data_dir / KEY_FILE
    file.write_text("short")
    file.chmod(0o600)
    with pytest.raises(ConfigurationError, match="holds no key; put the former one back"):
        Secrets(settings).encrypt("x")


def test_another_key_is_named(settings: Settings) -> None:
    stored = Secrets(settings).encrypt("x")
    other = settings.model_copy(update={"secret_key": SecretStr(Fernet.generate_key().decode())})
    with pytest.raises(WrongKey, match="with the key in INTACT_SECRET_KEY"):
        Secrets(other).decrypt(stored)


def test_a_missing_key_is_named_and_not_made_anew(settings: Settings) -> None:
    stored = Secrets(settings).encrypt("x")
    (settings.data_dir / KEY_FILE).unlink()
    with pytest.raises(WrongKey, match=r"is missing\. Put it back"):
        Secrets(settings).decrypt(stored)
    assert not (settings.data_dir / KEY_FILE).exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"cannot be made .*; set INTACT_SECRET_KEY"):
        Secrets(Settings(data_dir=tmp_path / "file")).encrypt("x")
