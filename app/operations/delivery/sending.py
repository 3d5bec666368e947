"""Sends notifications to the webhook: at least once, retried for a day, then kept as given up.

1. Find the oldest notification that is due; those of one alert go out in their order.
2. Claim it by a conditional UPDATE that counts the attempt and moves its next one behind the lease:
   of two processes one gets it, and after a crash in the middle of sending it comes up again.
3. POST its body. Any 2xx is an acceptance; everything else, a redirect included, is a failure.
4. Note the outcome: delivered, or the time of the next attempt, or given up.
"""

import httpx

from app.config import Settings
from app.database import Database
from app.operations.delivery import queries
from app.operations.delivery.queries import Claimed

TIMEOUT_S = 2.0
BACKOFF_S = (10, 30, 60, 120, 300, 600, 1800, 3600)
GIVE_UP_S = 24 * 3600
LEASE_S = 120
"""Longer than a batch can take, so that a slow receiver is not sent the same message twice."""
BATCH = 10
ERROR_LENGTH = 512


def webhook_client() -> httpx.Client:
    """A client for `deliver`: no proxy from the environment, no redirects, short time-outs."""
    return httpx.Client(trust_env=False, timeout=TIMEOUT_S, follow_redirects=False)


def deliver(database: Database, settings: Settings, now: int, client: httpx.Client) -> int:
    """Send what is due at `now` (UTC seconds); returns how many messages were accepted.

    Ends with the first failure: there is one receiver, and it has just been found wanting.
    """
    if settings.webhook_url is None:
        return 0
    address = settings.webhook_url.get_secret_value()
    delivered = 0
    for _ in range(BATCH):
        claimed = _claim(database, now)
        if claimed is None:
            break
        error = _post(client, address, claimed)
        _note(database, claimed, error, now)
        if error is not None:
            break
        delivered += 1
    return delivered


def _claim(database: Database, now: int) -> Claimed | None:
    """The next notification to send; None where none is due. A lost race tries the next one."""
    while True:
        with database.read() as session:
            due = queries.due_notification(session, now)
        if due is None:
            return None
        with database.write() as session:
            claimed = queries.claim_notification(session, due, now, LEASE_S)
        if claimed is not None:
            return claimed


def _post(client: httpx.Client, address: str, claimed: Claimed) -> str | None:
    """Send one message; returns what went wrong. The address, which may be a secret, stays out."""
    try:
        with client.stream("POST", address, json=claimed.body) as answer:
            accepted = answer.is_success  # the answer's content is not read: it may have no end
            return None if accepted else f"HTTP {answer.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        text = f"{type(error).__name__}: {error}".replace(address, "the webhook")
        return text[:ERROR_LENGTH]


def _note(database: Database, claimed: Claimed, error: str | None, now: int) -> None:
    with database.write() as session:
        if error is None:
            queries.mark_delivered(session, claimed, now)
            return
        given_up_at = now if now - claimed.created_at >= GIVE_UP_S else None
        next_attempt_at = now + backoff(claimed.attempts)
        queries.mark_failed(session, claimed, error, next_attempt_at, given_up_at)


def backoff(attempts: int) -> int:
    """Seconds to wait after so many failed attempts (1 or more)."""
    return BACKOFF_S[min(attempts, len(BACKOFF_S)) - 1]
