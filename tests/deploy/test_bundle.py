"""The bundle on a machine without any network: it installs, starts, serves and sweeps."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ISOLATED = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("INTACT_")}

SERVES = """
import sqlite3, subprocess, sys, time, urllib.request
intact, folder = sys.argv[1:]
demo = [intact, "demo", "--data", folder, "--port", "8123", "--cameras", "6", "--rooms", "1"]
process = subprocess.Popen([*demo, "--history-days", "0"])
def sweeps():
    database = sqlite3.connect(f"file:{folder}/intact.db?mode=ro", uri=True)
    try:
        return database.execute("SELECT devices, stored FROM sweep").fetchall()
    finally:
        database.close()
try:
    for _ in range(600):
        time.sleep(0.1)
        try:
            ready = urllib.request.urlopen("http://127.0.0.1:8123/readyz", timeout=5).read()
            found = sweeps()
        except (OSError, sqlite3.OperationalError):
            continue
        if found:
            break
    print(ready.decode().strip(), found[0])
finally:
    process.terminate()
    print("exit", process.wait(20))
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked bundle, as `make bundle` makes it."""
    command = [sys.executable, "deploy/bundle/build.py"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    archive = Path(done.stdout.strip().splitlines()[-1])
    folder = tmp_path_factory.mktemp("bundle")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


def _alone(command: list[str]) -> "subprocess.CompletedProcess[str]":
    """Run where there is nothing but loopback: no interface, no route."""
    inside = ["sh", "-c", 'ip link set lo up && test -z "$(ip route)" && exec "$@"', "sh"]
    return subprocess.run(
        [*ISOLATED, *inside, *command],
        check=False,
        capture_output=True,
        text=True,
        timeout=180,
        env=CLEAN | {"INTACT_POLL_INTERVAL": "2"},
    )


@pytest.fixture(scope="module")
def installed(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, installed from the bundle without a network."""
    if _alone(["true"]).returncode and not os.environ.get("CI"):
        pytest.skip("no right to make a network namespace here")
    prefix = tmp_path_factory.mktemp("prefix")
    done = _alone([str(bundle / "install.sh"), "--prefix", str(prefix), "--program-only"])
    assert done.returncode == 0, done.stderr
    return prefix


def test_it_installs_starts_and_serves_without_a_network(installed: Path, tmp_path: Path) -> None:
    intact = installed / "current" / "bin" / "intact"
    done = _alone([sys.executable, "-c", SERVES, str(intact), str(tmp_path / "data")])
    assert "ok (10, 10)" in done.stdout, done.stdout + done.stderr  # 6 cameras, 4 of the room
    assert "exit 0" in done.stdout
    assert (installed / "current/share/intact/systemd/intact.service").is_file()


def test_installing_again_keeps_the_former_version_beside(bundle: Path, installed: Path) -> None:
    before = (installed / "current").resolve()
    time.sleep(1.1)  # a release is named by the second
    done = _alone([str(bundle / "install.sh"), "--prefix", str(installed), "--program-only"])
    assert done.returncode == 0, done.stderr
    assert (installed / "current").resolve() != before
    assert (before / "bin" / "intact").is_file()


@pytest.mark.parametrize(
    ("damage", "arguments", "said"),
    [
        ("requirements.txt", [], "the bundle is damaged"),
        (None, ["--python", "sh"], "sh does not run"),
        (None, ["--folder", "x"], "--folder is no option"),
        (None, ["--prefix"], "--prefix needs a folder"),
    ],
)
def test_mistakes_are_told_and_leave_nothing(
    bundle: Path, tmp_path: Path, damage: str | None, arguments: list[str], said: str
) -> None:
    if damage:
        copy = shutil.copytree(bundle, tmp_path / "copy")
        with (copy / damage).open("a") as file:
            file.write("\n")
        bundle = copy
    prefix = tmp_path / "prefix"
    command = [str(bundle / "install.sh"), "--program-only", "--prefix", str(prefix), *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode != 0
    assert said in done.stderr
    assert not prefix.exists()


def test_every_wheel_is_pinned_by_its_hash(bundle: Path) -> None:
    wheels = list((bundle / "wheels").iterdir())
    lines = (bundle / "requirements.txt").read_text().splitlines()
    assert len(lines) == len(wheels) > 20
    assert all(re.fullmatch(r"\S+==\S+ --hash=sha256:[0-9a-f]{64}", line) for line in lines)
