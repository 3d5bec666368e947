"""One device asked at once, because somebody wants to know: never evidence.

It is asked as a sweep asks it: by the same probers, once more where it fails, with the canaries
beside it, and with the memory of what cameras said of their passwords. Nothing of it is stored but
who asked (the audit log, which is also what holds too many questions back, on however many
servers) and what the camera said of a password.
"""

import asyncio
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.accounts.audit import Actor, record
from app.accounts.audit_queries import entries_since, lock_audit_head
from app.accounts.reach import Reach
from app.config import Settings
from app.database import Database
from app.errors import Refused, Remedy
from app.fleet.changes import Stored
from app.fleet.password_memory import shared_memory
from app.fleet.queries import read_device
from app.fleet.tables import ProbeChoice
from app.fleet.targets import target_of
from app.web.language import message
from collectors.canary import canary
from collectors.probe import Observation, Target
from kpi.calendar import local_day

ACTION = "device.probe"
DEVICE_EVERY_S = 10
PER_MINUTE = 10
"""How often one person may ask, whichever devices."""
MINUTE_S = 60
LONGEST_ATTEMPT_S = 5.0
ATTEMPTS = 2
MARGIN_S = 2.0


class TooSoon(Refused):
    """A question that follows others too closely; `wait_s` seconds until the next."""

    status = 429
    title = "Too many requests"

    def __init__(self, text: str, wait_s: int) -> None:
        super().__init__(Remedy(text, wait=wait_s))
        self.headers = {"Retry-After": str(wait_s)}


@dataclass(frozen=True, slots=True)
class Probed:
    """What the device answered at `at` (UTC seconds)."""

    at: int
    observation: Observation


def probe_device(
    database: Database, settings: Settings, code: str, reach: Reach, actor: Actor, now: int
) -> Probed:
    """Ask one device within reach, for at most a dozen seconds.

    Runs its own event loop: to be called in a thread that has none. Raises `NotFound`, `Refused`
    for a device that nobody could ask, `TooSoon`.
    """
    with database.read() as session:
        stored = read_device(session, code, reach)
    _refuse_unaskable(stored, settings, now)
    with database.write() as session:
        _hold_back(session, code, actor, now)
        record(session, actor, ACTION, code, now)
    return Probed(now, asyncio.run(_ask(database, settings, target_of(settings, stored))))


def _refuse_unaskable(stored: Stored, settings: Settings, now: int) -> None:
    """Raises `Refused` with the reason."""
    end = stored.record.decommissioned_on
    if end is not None and end <= local_day(now, settings.zone):
        raise Refused(Remedy(message("It has been out of service since %(day)s."), day=end))
    if stored.record.probe is ProbeChoice.NONE:
        raise Refused(Remedy(message("The register says that it is not polled.")))
    if not stored.record.address:
        raise Refused(Remedy(message("The register holds no address of it; enter one first.")))


def _hold_back(session: Session, code: str, actor: Actor, now: int) -> None:
    """Raises `TooSoon`. The lock of the audit log has two who ask at once come one by one."""
    lock_audit_head(session)
    recent = entries_since(session, ACTION, now - MINUTE_S + 1)
    of_device = [each.at for each in recent if each.subject == code]
    if of_device and now < of_device[-1] + DEVICE_EVERY_S:
        text = message("It has just been asked; wait %(wait)d seconds.")
        raise TooSoon(text, of_device[-1] + DEVICE_EVERY_S - now)
    theirs = [each.at for each in recent if each.actor == actor.name[:96]]
    if len(theirs) >= PER_MINUTE:
        text = message("You have asked many devices within a minute; wait %(wait)d seconds.")
        raise TooSoon(text, theirs[-PER_MINUTE] + MINUTE_S - now)


async def _ask(database: Database, settings: Settings, target: Target) -> Observation:
    from collectors.registry import open_probers  # 5 MB that most web processes do without
    from collectors.sweep import SweepOptions, sweep

    timeout_s = min(settings.attempt_timeout, LONGEST_ATTEMPT_S)
    options = SweepOptions(
        timeout_s, retries=ATTEMPTS - 1, canaries=tuple(map(canary, settings.canaries))
    )
    with (
        shared_memory(database, settings) as passwords,
        open_probers(settings.clock_tolerance, passwords.memory) as probers,
    ):
        ends_in_s = ATTEMPTS * timeout_s + MARGIN_S
        result = await sweep([target], probers, options, ends_in_s=ends_in_s)
    return result.observations[target.key]
