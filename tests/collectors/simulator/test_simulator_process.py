"""The simulator as a process: the register when all listens, SIGTERM, and what stops its start."""

import csv
import resource
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collectors.simulator.errors import AddressError, FileLimitError
from collectors.simulator.fleet import build_fleet
from collectors.simulator.running import free_port, running_fleet
from collectors.simulator.server import files_needed

GUARD_S = 60.0
SERVE = """
import sys
from datetime import date
from pathlib import Path
from collectors.simulator.fleet import build_fleet
from collectors.simulator.scenario import preset
from collectors.simulator.server import RegisterFile, run
register = RegisterFile(Path(sys.argv[2]), date(2026, 1, 1))
run(build_fleet(300, 5, int(sys.argv[1])), preset("demo"), register=register)
"""


@contextmanager
def _process(port: int, register: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(port), str(register)], stderr=subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_register_appears_when_every_address_listens(tmp_path: Path, end: int) -> None:
    register = tmp_path / "register.csv"
    port = free_port()
    with _process(port, register) as process:
        until = time.monotonic() + GUARD_S
        while not register.exists():
            assert process.poll() is None
            assert time.monotonic() < until
        rows = list(csv.DictReader(register.read_text(encoding="utf-8-sig").splitlines()))
        refused = [row["code"] for row in rows if row["address"] and not _answers(row)]
        assert len(refused) == round(0.0015 * 300)  # none: the demo's share rounds to nothing
        assert stat.S_IMODE(register.stat().st_mode) == 0o600
        assert {row["probe"] for row in rows if row["room"] == "青石派出所监控室"} == {
            "onvif",
            "tcp",
        }
        process.send_signal(end)
        assert process.wait(GUARD_S) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert not any(_answers(row) for row in rows if row["address"])
    assert [file.name for file in tmp_path.iterdir()] == ["register.csv"]


def _answers(row: dict[str, str]) -> bool:
    try:
        socket.create_connection((row["address"], int(row["port"])), GUARD_S).close()
    except ConnectionRefusedError:
        return False
    return True


def test_a_taken_port_is_named_and_nothing_is_left_behind(tmp_path: Path) -> None:
    port = free_port()
    fleet = build_fleet(300, 5, port)
    taken = fleet.listening[-1].address
    register = tmp_path / "register.csv"
    with socket.create_server((taken, port)), _process(port, register) as process:
        assert process.wait(GUARD_S) != 0
        assert process.stderr is not None
        message = f"cannot listen on {taken} port {port}: another program listens there"
        assert message in process.stderr.read().decode()
    assert list(tmp_path.iterdir()) == []


def test_a_taken_port_closes_what_was_opened() -> None:
    port = free_port()
    fleet = build_fleet(3, 1, port)
    with (
        socket.create_server((fleet.listening[-1].address, port)),
        pytest.raises(AddressError) as raised,
        running_fleet(3, 1, port=port),
    ):
        pytest.fail("it must not start")
    assert (raised.value.address, raised.value.port) == (fleet.listening[-1].address, port)
    for device in fleet.listening[:-1]:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((device.address, port), GUARD_S)


def test_too_few_files_say_how_many_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collectors.simulator.server.raise_file_limit", lambda needed: needed - 1)
    needed = files_needed(len(build_fleet(3, 1).listening))
    with (
        pytest.raises(FileLimitError, match=f"needs {needed} open files and may have {needed - 1}"),
        running_fleet(3, 1),
    ):
        pytest.fail("it must not start")


def test_it_raises_its_own_soft_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
        with running_fleet(cameras=150, rooms=1) as running:
            assert _answers({"address": running.cameras[-1].address, "port": str(running.port)})
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
