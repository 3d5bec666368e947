"""The web process: serves, keeps the collector alive beside it, watches the alerts.

The collector is a child process, so that a report or an audit never starves a sweep into false
time-outs. It is started again when it ends or when its heartbeat falls silent. The two are joined
by a pair of sockets, not by the database, which may be away: the collector's end is its standard
input; it writes its heartbeat there and ends when the web process does. Source: DESIGN §6.
"""

import contextlib
import ipaddress
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated

import structlog
import typer
import uvicorn
from apscheduler.schedulers.background import BackgroundScheduler

from app import watchdog
from app.accounts.queries import count_users
from app.accounts.upkeep import tidy
from app.config import Settings
from app.console import errors_for_people, opened
from app.database import Database, put_off_while_away
from app.errors import Refused
from app.evidence.store import refuse_other_zone
from app.main import create_app
from app.memory import GIVE_BACK_EVERY_S, give_back, keep_lean
from app.operations.alerts.watching import Watcher
from app.operations.delivery.outgoing_heartbeat import OutgoingHeartbeat
from app.operations.delivery.recipients import follow_settings
from app.operations.delivery.sending import Courier
from app.operations.wall import WallView
from app.timers import following_the_clock
from app.triggers import Every
from app.web.events import Broadcast

log = structlog.get_logger()
SILENT_AFTER_S = 60
LATELY_S = 15
LONGEST_PAUSE_S = 30.0
STOP_WITHIN_S = 3.0
WATCH_S = 5
DELIVER_S = 2


class Supervisor:
    """Starts the collector, and starts it again after a pause that grows while it keeps ending."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._heart: socket.socket | None = None
        self._started_at = 0.0
        self._heard_at = 0.0
        self._pause_s = 1.0

    def tend(self) -> None:
        """See that a collector is running; called every second."""
        if self._child is None:
            self._start()
        elif self._child.poll() is not None:
            self._restart(f"ended with {self._child.returncode}")
        elif self._is_silent():
            self._child.kill()
            self._child.wait()
            self._restart("its heartbeat fell silent")

    def hears(self) -> bool:
        """Whether the collector runs and has been heard of lately."""
        running = self._child is not None and self._child.poll() is None
        return running and time.monotonic() - self._heard_at <= LATELY_S

    def stop(self) -> None:
        """End the collector; it has finished recording or is killed."""
        if self._child is None or self._child.poll() is not None:
            return
        self._child.terminate()
        try:
            self._child.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _start(self) -> None:
        command = [sys.executable, "-m", "app.cli", "collect", "--with-parent"]
        if self._heart is not None:
            self._heart.close()
        self._heart, theirs = socket.socketpair()
        self._heart.setblocking(False)
        with theirs:
            self._child = subprocess.Popen(command, stdin=theirs.fileno())  # noqa: S603 - this interpreter
        self._started_at = self._heard_at = time.monotonic()

    def _restart(self, why: str) -> None:
        lived = time.monotonic() - self._started_at
        if lived < self._pause_s:
            return
        log.warning("collector is started again", why=why)
        self._pause_s = 1.0 if lived > LONGEST_PAUSE_S else min(2 * self._pause_s, LONGEST_PAUSE_S)
        self._start()

    def _is_silent(self) -> bool:
        """Whether nothing has been heard for long: it hangs, or was stopped."""
        with contextlib.suppress(OSError):  # nothing was said
            if self._heart is not None and self._heart.recv(1024):
                self._heard_at = time.monotonic()
        return time.monotonic() - self._heard_at > SILENT_AFTER_S


class PageServer(uvicorn.Server):
    """Ends the streams of events first, so that stopping never waits for a wall."""

    def __init__(self, configuration: uvicorn.Config, events: Broadcast[WallView]) -> None:
        super().__init__(configuration)
        self._events = events

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._events.close()
        await super().shutdown(sockets)


def serve_command(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65_535, help="Port.")] = None,
) -> None:
    """Serve pages and REST, and run the collector as a child."""
    with errors_for_people(), opened(host=host, port=port) as (settings, database):
        _warn(database, settings)
        serve(database, settings)


def _warn(database: Database, settings: Settings) -> None:
    """Say what nobody would find out by looking."""
    with database.read() as session:
        if not count_users(session, None):
            log.warning("nobody can sign in yet: intact user add NAME --role security_admin")
    if not is_loopback(settings.host):
        log.warning("passwords travel in the clear unless a TLS proxy stands before this address")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def serve(database: Database, settings: Settings, *, open_to_read: bool = False) -> None:
    """Serve until SIGTERM or SIGINT; returns after everything has stopped.

    `open_to_read`: this machine may read without signing in.

    Raises `Refused` where the port is taken or the evidence is of another time zone.
    """
    keep_lean()
    refuse_other_zone(database, settings)
    with database.write() as session:
        follow_settings(session, settings, int(time.time()))
    application = create_app(settings, database, open_to_read=open_to_read)
    configuration = uvicorn.Config(
        application,
        log_level="warning",
        proxy_headers=False,  # the application itself knows which proxies it trusts
        timeout_graceful_shutdown=1,
    )
    server = PageServer(configuration, application.state.events)
    signal.signal(signal.SIGTERM, leave)
    with _listening(settings) as listener, _duties(database, settings):
        log.info("serving", url=_url(settings), pid=os.getpid())
        with contextlib.suppress(KeyboardInterrupt, Stopped):
            server.run(sockets=[listener])


def _url(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}/"


class Stopped(SystemExit):
    """SIGTERM came: everything ends in order, with exit code 0."""


def leave(_number: int, _frame: FrameType | None) -> None:
    """uvicorn stops by itself on a signal and then raises it again: leave in order."""
    raise Stopped(0)


@contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    """The socket of the pages, taken before anything is promised."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            raise Refused(
                f"{settings.host}:{settings.port} cannot be listened on ({error.strerror}); "
                "stop what uses it, or choose another with --port."
            ) from error
        yield listener


@contextmanager
def _duties(database: Database, settings: Settings) -> Iterator[None]:
    """What the web process does besides serving."""
    supervisor = Supervisor()
    courier = Courier(database, settings)
    watcher = Watcher(database, settings, watching_since=int(time.time()))
    scheduler = BackgroundScheduler(
        timezone=settings.zone, job_defaults={"coalesce": True, "max_instances": 1}
    )

    def watch_alerts() -> None:
        with put_off_while_away("alerts"):
            watcher.look(int(time.time()))

    def deliver_messages() -> None:
        with put_off_while_away("delivery"):
            courier.round()

    def tidy_accounts() -> None:
        with put_off_while_away("accounts"):
            tidy(database, settings, int(time.time()))

    supervisor.tend()
    scheduler.add_job(supervisor.tend, Every(1))
    scheduler.add_job(tidy_accounts, Every(3_600))
    scheduler.add_job(give_back, Every(GIVE_BACK_EVERY_S))
    scheduler.add_job(watch_alerts, Every(min(WATCH_S, settings.poll_interval)))
    scheduler.add_job(deliver_messages, Every(DELIVER_S))
    if settings.heartbeat_url is not None:
        outward = OutgoingHeartbeat(settings.heartbeat_url.get_secret_value(), supervisor.hears)
        scheduler.add_job(outward.beat, Every(settings.heartbeat_interval))
    every_s = watchdog.interval_s()
    if every_s is not None:
        scheduler.add_job(watchdog.tell_alive, Every(every_s), [f"{_url(settings)}healthz"])
    scheduler.start()
    watchdog.tell("READY=1")
    try:
        with following_the_clock(scheduler):
            yield
    finally:
        scheduler.shutdown(wait=False)
        supervisor.stop()
        courier.close()
