"""Prepares the demonstration and serves it.

1. The simulated fleet starts as a child and writes its register once every address listens.
2. The register is taken over by the importer, then some suspensions, then an invented history.
3. `serve` runs as it does in earnest: web process, collector, live sweeps each minute.

The folder remembers the demonstration: a finished one is taken up where it stopped, one that was
interrupted while it was prepared is begun anew, and a folder with any other database is refused.
"""

import csv
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from app.accounts.audit import record, shell_actor
from app.accounts.permissions import Role
from app.accounts.queries import count_users
from app.accounts.reach import EVERYTHING
from app.accounts.users import add_user
from app.availability.instant import present
from app.availability.selection import Filters
from app.config import Settings, load_settings
from app.console import notices, reported_progress
from app.database import Database, open_database
from app.demo.history import write_history
from app.demo.memory import DATABASE, Memory, recall, remember
from app.errors import Refused
from app.evidence.ledger import bring_up_to_date, mark_touched
from app.evidence.suspensions import import_suspensions
from app.fleet.importing import import_devices
from app.fleet.roster import Grouping, roster
from app.fleet.tables import DeviceKind
from app.serving import is_loopback, leave, serve
from collectors.icmp import can_ping
from collectors.simulator.fleet import build_fleet
from collectors.simulator.running import free_port
from kpi.calendar import days_between, local_day
from kpi.policy import DEFAULT_POLICY
from kpi.rates import percent

FIRST_USER = "office"
SUSPENDED_SHARE = 0.012
REGISTER_WITHIN_S = 60
SIMULATOR_PORT = 8080
REASONS = ("道路改造", "地铁施工", "杆件迁移", "市政供电改造")


@dataclass(frozen=True, slots=True)
class Demonstration:
    """What was asked for on the command line."""

    port: int
    folder: Path
    cameras: int
    rooms: int
    history_days: int
    for_s: float | None
    open_to_read: bool = False


def run_demonstration(asked: Demonstration) -> None:
    """Prepare, then serve until SIGTERM, SIGINT or the end of `for_s` seconds.

    Raises `Refused` where the folder holds another database, or the fleet cannot start.
    """
    signal.signal(signal.SIGTERM, leave)
    os.environ["INTACT_DATA_DIR"] = str(asked.folder)
    os.environ["INTACT_DATABASE_URL"] = f"sqlite:///{asked.folder.absolute() / DATABASE}"
    settings = load_settings(port=asked.port)
    if asked.open_to_read and not is_loopback(settings.host):
        raise Refused(
            f"--open is for this machine alone; {settings.host} may be reached by others."
        )
    today = local_day(int(time.time()), settings.zone)
    memory = recall(asked.folder)
    if memory is None:
        begun_on = today - timedelta(days=asked.history_days)
        memory = Memory(cameras=asked.cameras, rooms=asked.rooms, commissioned_on=begun_on)
        remember(asked.folder, memory)
    elif (memory.cameras, memory.rooms) != (asked.cameras, asked.rooms):
        notices.print(
            f"{asked.folder} holds a demonstration of {memory.cameras} cameras and {memory.rooms} "
            "rooms; it goes on. For another one choose another --data."
        )
    database = open_database(settings)
    try:
        with _simulated_fleet(asked.folder, memory) as register:
            _take_over(database, settings, register, memory, today)
            if not memory.finished:
                _invent(database, settings, register, memory, today)
                remember(asked.folder, memory.model_copy(update={"finished": True}))
            _tell_account(database, settings)
            _serve(database, settings, asked)
    finally:
        database.close()


@contextmanager
def _simulated_fleet(folder: Path, memory: Memory) -> Iterator[Path]:
    """Run the fleet as a child; gives its register once every address listens."""
    register = folder / "register.csv"
    register.unlink(missing_ok=True)
    if not can_ping():
        notices.print("No right to ping here: the rooms' equipment is asked by TCP instead.")
    command = [sys.executable, "-m", "app.cli", "simulate", "--preset", "demo", "--with-parent"]
    command += ["--cameras", str(memory.cameras), "--rooms", str(memory.rooms)]
    command += ["--port", str(_simulator_port(memory)), "--write-register", str(register)]
    command += ["--commissioned-on", memory.commissioned_on.isoformat()]
    child = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - this interpreter
    try:
        _await_register(child, register)
        yield register
    finally:
        child.terminate()
        child.wait(10)


def _simulator_port(memory: Memory) -> int:
    """8080 as the simulator's own default, or a free one where somebody listens there."""
    first = build_fleet(memory.cameras, memory.rooms, SIMULATOR_PORT).listening[0].address
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((first, SIMULATOR_PORT))
        except OSError:
            return free_port()
    return SIMULATOR_PORT


def _await_register(child: "subprocess.Popen[bytes]", register: Path) -> None:
    deadline = time.monotonic() + REGISTER_WITHIN_S
    while not register.exists():
        if child.poll() is not None:
            raise Refused("The simulated fleet did not start; its own words are above.")
        if time.monotonic() > deadline:
            raise Refused(f"The simulated fleet was not ready within {REGISTER_WITHIN_S} s.")
        time.sleep(0.05)


def _take_over(
    database: Database, settings: Settings, register: Path, memory: Memory, today: date
) -> None:
    """Import the register: the whole of it at first, later another port where there is one."""
    with reported_progress() as report:
        import_devices(
            database,
            settings,
            register,
            today=today,
            on_touched=mark_touched,
            effective=memory.commissioned_on,
            progress=report,
        )


def _invent(
    database: Database, settings: Settings, register: Path, memory: Memory, today: date
) -> None:
    _suspend_some(database, settings, register, memory.commissioned_on)
    days = days_between(memory.commissioned_on, today)
    with database.read() as session:
        device_ids = list(roster(session, today))
    with reported_progress() as report:
        write_history(database, settings, device_ids, days, int(time.time()), report)
        for number, day in enumerate(days):
            bring_up_to_date(database, settings, day, day, int(time.time()))
            report("ledger (days)", number + 1, len(days))


def _suspend_some(database: Database, settings: Settings, register: Path, begun_on: date) -> None:
    """Suspend some cameras through the importer, as the office would."""
    file = register.with_name("suspensions.csv")
    with register.open(encoding="utf-8-sig", newline="") as source:
        cameras = [row for row in csv.DictReader(source) if row["kind"] == DeviceKind.CAMERA]
    dice = random.Random(len(cameras))  # noqa: S311 - a demonstration, no secret
    chosen = dice.sample(cameras, round(len(cameras) * SUSPENDED_SHARE))
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(["device_code", "from", "to", "reason", "approved_by", "document"])
        for number, row in enumerate(chosen, start=1):
            reason, document = dice.choice(REASONS), f"DEMO-{number:03d}"
            writer.writerow([row["code"], begun_on, "", reason, "视频办", document])
    import_suspensions(database, settings, file, now=int(time.time()), on_touched=mark_touched)


def _tell_account(database: Database, settings: Settings) -> None:
    """Make the first account, and tell its password this once."""
    with database.write() as session:
        if count_users(session, None):
            notices.print(f"Sign in as {FIRST_USER}; its password was told at the first start.")
            return
        actor, now = shell_actor(), int(time.time())
        _user, password = add_user(
            session, FIRST_USER, Role.OFFICE, EVERYTHING, None, actor, now, must_change=False
        )
        record(session, actor, "demo.prepare", str(settings.data_dir), now)
    notices.print(f"Sign in as {FIRST_USER} with the password {password} (told this once).")


def _serve(database: Database, settings: Settings, asked: Demonstration) -> None:
    notices.print(f"Open http://{settings.host}:{settings.port}/ — stop with Ctrl+C")
    threading.Thread(target=_tell_rates, args=(database, settings), daemon=True).start()
    if asked.for_s is not None:
        end = threading.Timer(asked.for_s, os.kill, (os.getpid(), signal.SIGTERM))
        end.daemon = True
        end.start()
    serve(database, settings, open_to_read=asked.open_to_read)


def _tell_rates(database: Database, settings: Settings) -> None:
    """Print the rates of each sweep as it comes in."""
    told: str | None = None
    while True:
        time.sleep(1)
        document = present(database, settings, Grouping.FLEET, Filters(), int(time.time()))
        if document.tick is None or document.tick == told:
            continue
        told = document.tick
        amounts, policy = document.total.amounts, DEFAULT_POLICY
        intact = percent(amounts.intact, amounts.assessed, policy.intact_target)
        suspended = percent(
            amounts.suspended, amounts.in_service, policy.suspended_target, "at_most"
        )
        notices.print(
            f"{told[11:16]}  完好率 intact {intact}  "
            f"在线率 online {percent(amounts.answered, amounts.assessed)}  "
            f"报停率 suspended {suspended}"
        )
