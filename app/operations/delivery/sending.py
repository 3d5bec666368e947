"""Sends what waits in the outbox: at least once, retried for a day, then kept as given up.

1. Find the recipients for whom something is due; several are served at once, and who is being
   served already is left alone.
2. Of one recipient, find the oldest message that is due; those of one alert go out in their order.
3. Claim it by a conditional UPDATE that counts the attempt and moves its next one behind the lease:
   of two processes one gets it, and after a crash in the middle of sending it comes up again.
4. Send it (`channels`).
5. Note the outcome: delivered, or the time of the next attempt, or given up. After a failure the
   recipient has been found wanting and is left until then; the others are not.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

import structlog

from app.config import Settings
from app.database import Database, put_off_while_away
from app.errors import IntactError
from app.operations.delivery import queries, recipient_queries
from app.operations.delivery.apprising import kill_running
from app.operations.delivery.channels import send
from app.operations.delivery.queries import Claimed
from app.operations.delivery.recipients import way_to
from app.operations.delivery.tables import ERROR_LENGTH, Recipient
from app.operations.delivery.wording import Message

FIRST_WAIT_S = 10
LONGEST_WAIT_S = 3_600
GIVE_UP_S = 24 * 3600
LEASE_S = 120
"""Longer than one message can take, so that a slow receiver is not sent it twice."""
BATCH = 20
AT_ONCE = 4
STOP_WITHIN_S = 3.0

log = structlog.get_logger()


class Courier:
    """Serves the recipients, each in a thread of its own, no more than `AT_ONCE` of them."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._pool = ThreadPoolExecutor(AT_ONCE, "delivery")
        self._serving: dict[int, Future[int]] = {}

    def round(self, clock: Callable[[], int] = lambda: int(time.time())) -> list[Future[int]]:
        """Begin to serve whom something is due for; each future tells how much was accepted."""
        self._serving = {id_: job for id_, job in self._serving.items() if not job.done()}
        with self._database.read() as session:
            due = queries.due_recipients(session, clock())
        begun = {
            recipient_id: self._pool.submit(self._attempt, recipient_id, clock)
            for recipient_id in due
            if recipient_id not in self._serving
        }
        self._serving |= begun
        return list(begun.values())

    def close(self) -> None:
        """Begin nothing more; what is being sent has a moment to end."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        wait(self._serving.values(), STOP_WITHIN_S)
        kill_running()

    def _attempt(self, recipient_id: int, clock: Callable[[], int]) -> int:
        """Serve one recipient; what nobody foresaw is logged, and tried again after the lease."""
        try:
            with put_off_while_away("delivery"):
                return self._serve(recipient_id, clock)
        except Exception:
            log.exception("delivery", recipient=recipient_id)
        return 0

    def _serve(self, recipient_id: int, clock: Callable[[], int]) -> int:
        """Send what is due for one recipient, until one message fails; returns how many went."""
        for delivered in range(BATCH):
            found = self._claim(recipient_id, clock())
            if found is None:
                return delivered
            recipient, claimed = found
            error = self._send(recipient, claimed)
            self._note(recipient, claimed, error, clock())
            if error is not None:
                return delivered
        return BATCH

    def _claim(self, recipient_id: int, now: int) -> tuple[Recipient, Claimed] | None:
        """The next message to send, and to whom; a lost race tries the one after it."""
        while True:
            with self._database.read() as session:
                recipient = recipient_queries.find_recipient(session, recipient_id)
                due = queries.due_notification(session, recipient_id, now)
            if due is None or recipient is None or not recipient.enabled:
                return None
            with self._database.write() as session:
                claimed = queries.claim_notification(session, due, now, LEASE_S)
            if claimed is not None:
                return recipient, claimed

    def _send(self, recipient: Recipient, claimed: Claimed) -> str | None:
        try:
            way = way_to(recipient, self._settings)
        except IntactError as wrong:
            return str(wrong)[:ERROR_LENGTH]
        return send(way, message_of(claimed, self._settings))

    def _note(self, recipient: Recipient, claimed: Claimed, error: str | None, now: int) -> None:
        with self._database.write() as session:
            if error is None:
                queries.mark_delivered(session, claimed, now)
                return
            waited = now - claimed.queued_at
            given_up_at = now if waited >= GIVE_UP_S else None
            queries.mark_failed(session, claimed, error, now + backoff(waited), given_up_at)
        log.warning(
            "not delivered", recipient=recipient.name, error=error, attempt=claimed.attempts
        )


def deliver(database: Database, settings: Settings, now: int) -> int:
    """Send what is due at `now` (UTC seconds) and wait for it; returns how much was accepted."""
    courier = Courier(database, settings)
    begun = courier.round(lambda: now)
    wait(begun)
    courier.close()
    return sum(job.result() for job in begun)


def message_of(claimed: Claimed, settings: Settings) -> Message:
    """What is told, and where its page is."""
    base = settings.public_url
    return Message(claimed.alert_id, claimed.event, claimed.severity, claimed.body, base)


def backoff(waited_s: int) -> int:
    """Seconds until the next attempt, for a message that has been waiting so long: doubling."""
    return max(FIRST_WAIT_S, min(waited_s, LONGEST_WAIT_S))
